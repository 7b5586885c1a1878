# SPDX-License-Identifier: Apache-2.0
"""Writes docs/properties.md: every rule with its statement, and an example finding of each that the
fault corpus breaks. `make_page.py ULPAUDIT CORPUS > docs/properties.md` after `ctest -L faults`.
"""
import json, os, re, subprocess, sys

HEAD = """# The rules, and what breaking one looks like

`ulpaudit check` checks all of them, `ulpaudit sweep` those about values, `ulpaudit audit` all. A
rule that is *universal* is an error for every kernel; one *by contract* where the kernel's contract
(a TOML file, see `impls/stable/contract.toml`) promises it. A contract may name a rule as an expected
failure, with the reason.

Inputs are bit patterns: NaN with payloads, ±0, subnormals, infinities, borders of binades, neighbours
of the op's landmarks, typical logits. What fails is shrunk with RapidCheck to fewer elements, a plainer
setting and simpler numbers; the case that is left stands in the finding, with the command that runs
just it. How a case is written (`--case`): `z=BITS*COUNT,BITS,BITS..BITS … y=…` (a count of equal ones, a
run of neighbours by its ends) and what differs from a plain call:

| word | meaning |
|---|---|
| `edge=start` | buffers begin, not end, at memory that cannot be touched |
| `z_offset=N y_offset=N out_offset=N` | bytes by which they begin behind it |
| `readable` | that memory can be read, and only writing is stopped |
| `in_place`, `in_place_y` | `out` is the buffer of z, of y |
| `unguarded` | in the buffers of sweeps, without guard pages |
| `fill=BYTE stack=BYTE` | what lies in `out` and on the stack before |
| `rounding=up/down/zero`, `flush` | the caller's rounding mode; FTZ and DAZ on |
| `flags_up` | all exception flags are raised before |
| `process` | signal handlers, threads and output are watched |
| `threads=N repeats=N` | so many callers at once, so many calls each |
| `tile=N` | N elements: the given ones over and over |
| `fresh` | the first call of a new process |
| `others` | right after calls of the plug-in's other kernels and dtypes |

Symmetry and the decision threshold are looked at over every input and its mirror image in 16 bits,
and in f32 with `--exhaustive`. Where the sweep of the same run has found every f32 within its budget
and none more than 16 ulp off, the sum of two errors bounds what a pair can differ by: such pairs are
not run again, but for those of sigmoid with |z| up to 2^-14, whose decisions errors alone do not settle.

The search goes on behind what ends the worker: inputs and lengths that do so are left out, a kernel that
touches what it must not gets buffers in which that is no harm, and all that is bounded by time. For each
kernel, dtype and rule the report says how many cases were checked, after how many of how many it was
stopped and why, and which rules do not apply. A rule that was not finished makes the verdict
`incomplete` (exit code 4), never `pass`.

Chance comes first: the same call is made over and over in a fresh process. A kernel whose results differ
from call to call has `determinism.repeat` against it, and of other rules only what each of thirty calls
breaks in the same words; one that changes, or ends its worker, from a certain call on is run in processes
that make fewer.

Findings of one cause are one block with the worst of them as its headline. Its replay line was run three
times, each in a process of its own, before it was printed; where the fault does not show each time, the
batch, its neighbours or the whole check stand there instead, or how often it was seen.

Long batches have lengths of every scale below 2^24 (2^22 in quick audits), odd and even, powers of two up
to 2^21, and one a little beyond 2^24, where an index in f32 ends, as long as a call takes less than 1.2 s. Batches of more than 2^31 bytes, in 16 bits of more than 2^31 elements (`tile=…`), are run
with `--huge`, and with `--exhaustive` unless a `--range` is chosen; where memory does not suffice, a note
says so.

Of a program (`--exec`) the host sees what shows in the data file: values, lengths, positions,
alignment, bytes beside `out`, changed inputs, repetition. What the program does not offer besides is
listed as not checked, a note `check.not_applicable` (docs/worker-protocol.md).

This page is made by `tests/properties/make_page.py` from `ulpaudit check --rules` and the fault corpus
(`tests/faults`): the examples are what the audit said of it.
"""


def rules(ulpaudit):
    out = subprocess.run([ulpaudit, 'check', '--rules'], check=True, stdout=subprocess.PIPE,
                         encoding='utf-8').stdout
    for line in out.splitlines()[2:]:
        yield [c.strip().strip('`') for c in line.strip('|').split('|')]


def examples(corpus):
    """rule -> (name of the plug-in, finding), the first of the table for each rule."""
    found = {}
    folder = os.path.join(corpus, 'caught')
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding='utf-8') as f:
            row = json.load(f)
        if row.get('finding'):
            found.setdefault(row['finding']['rule'], (name[:-5], row['finding']))
    return found


def shown(name, f):
    """A finding in a few lines, paths cut."""
    lines = ['%s  %s %s' % (f['rule'], f.get('implementation', name), f.get('dtype', '')),
             '    ' + f['message'].strip().splitlines()[0][:240]]
    if f.get('setting'):
        lines.append('    case: %s, element %d' % (f['setting'], f.get('position', 0)))
    at = f.get('simplest') or f.get('witness')
    if at:
        y = ', y = %s' % at['y']['decimal'] if 'y' in at else ''
        lines.append('    at z = %s (%s)%s: got %s, expected %s' % (
            at['z']['decimal'], at['z']['bits'], y, at['got']['decimal'],
            at['expected']['decimal']))
    if f.get('replay'):
        lines.append('    ' + f['replay'])
    text = '\n'.join(lines)
    return re.sub(r"'?/[^' ]*/([a-z0-9_]+\.so)'?", r'\1', text)


def main():
    ulpaudit, corpus = sys.argv[1:]
    found = examples(corpus)
    print(HEAD)
    for rule, statement, applies, binding in rules(ulpaudit):
        print('### %s\n\n%s For: %s. Binding: %s.\n' % (rule, statement, applies, binding))
        if rule in found:
            print('```\n%s\n```\n' % shown(*found[rule]))


if __name__ == '__main__':
    main()
