# SPDX-License-Identifier: Apache-2.0
"""Audits the fault corpus: each plug-in must be caught by the rule that table.toml names, each
correct twin must be clean. Writes the table of what was caught, caught.md, beside the plug-ins.

Environment: ULPAUDIT, the program; ULPAUDIT_CORPUS, the folder of the plug-ins.
"""
import argparse, concurrent.futures, fnmatch, json, os, shlex, subprocess, sys, time

import make_corpus

ULPAUDIT = os.environ.get('ULPAUDIT', 'build/release/bin/ulpaudit')
CORPUS = os.environ.get('ULPAUDIT_CORPUS', os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(ULPAUDIT))), 'tests', 'corpus'))
FINE, FINDING, PLUGIN = 0, 1, 4
# Found when the plug-in is loaded, or over all inputs together.
NOT_REPLAYED = ('environment.', 'accuracy.bias')
SLOW = 5  # seconds, of one check
# Inputs whose results are what lies in the results before a call: written all the same.
LIKE_A_FILLING = {'value': [
    ['--op', 'sigmoid', '--dtype', 'f32', '--range=0x3f8a9f50:0x3f8a9f51'],
    ['--op', 'sigmoid', '--dtype', 'bf16', '--range=0x3f89:0x3f8b']]}
SANITIZED = 'ASAN_OPTIONS' in os.environ


class Missed(Exception):
    """Why a plug-in did not come out as the table says."""


def choices(f):
    """The options that narrow a check down to what the entry is about."""
    out = ['--op', f['op'], '--dtype', f['dtype']]
    out += ['--op', f['beside']] if 'beside' in f else []
    out += ['--exhaustive'] if f.get('exhaustive') else []
    out += ['--range=' + f['range']] if 'range' in f else []
    out += ['--label', f['label']] if 'label' in f else []
    return out + f.get('args', [])


def environment():
    """Without plug-ins that somebody else has in mind; replay lines as `./run` has them."""
    return {**{k: v for k, v in os.environ.items() if k != 'ULPAUDIT_PLUGIN_PATH'},
            'ULPAUDIT_CALLED_AS': './run'}


def check(name, options, limit):
    """The exit code, the findings of severity error, and stderr."""
    command = [ULPAUDIT, 'check', '--plugin', os.path.join(CORPUS, name + '.so'), '--impl',
               name + '/*', '--json', '--quiet', *options]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, encoding='utf-8', env=environment(),
                              timeout=limit)
    except subprocess.TimeoutExpired:
        raise Missed('no end after %d s: %s' % (limit, ' '.join(command))) from None
    if done.returncode == PLUGIN and not done.stdout and name in done.stderr:
        # Nothing else was chosen, so that there is no report: the message is the finding.
        return PLUGIN, [{'rule': 'plugin.load', 'message': done.stderr}], done.stderr, None
    try:
        report = json.loads(done.stdout)
    except ValueError:
        raise Missed('exit %d and no report: %s' % (done.returncode, done.stderr[-500:])) from None
    mine = (name + '/', name + '.so')
    errors = [f for f in report['findings']
              if f['severity'] == 'error' and f['implementation'].startswith(mine)]
    return done.returncode, errors, done.stderr, report


def expected_exit(f):
    return f.get('exit', PLUGIN if f['rule'].startswith('plugin.') else FINDING)


def witness_length(finding):
    return finding.get('witness_length', finding.get('witness', {}).get('length', 1))


def catch(f, limit, replays):
    """Audits one fault; the finding that names it."""
    code, errors, stderr, report = check(f['name'], choices(f), limit)
    findings = report['findings'] if report else errors
    unfinished = report and any(v.get('unfinished') for v in report['verdicts'])
    found = [e for e in errors if e['rule'] == f['rule']]
    if not found:
        raise Missed('not caught by %s, but: %s; exit %d %s' % (
            f['rule'], sorted({e['rule'] for e in errors}), code, stderr[-300:]))
    # What ends the worker, or is not written, leaves something unfinished: 4 then.
    if code != expected_exit(f) and not (code == PLUGIN and unfinished):
        raise Missed('exit %d instead of %d' % (code, expected_exit(f)))
    for rule in f.get('also', []):
        if rule not in {e['rule'] for e in findings}:
            raise Missed('%s is not found beside it, but: %s' % (
                rule, sorted({e['rule'] for e in findings})))
    unwanted = [e for e in errors if e['rule'] in f.get('never', [])]
    if f.get('alone'):
        unwanted += [e for e in errors if e['rule'] != f['rule']]
    if 'beside' in f:
        unwanted += [e for e in errors if e['op'] == f['beside']]
    if unwanted:
        raise Missed('blamed besides: %s' % unwanted[0])
    if f['rule'] != 'plugin.load' and not found[0]['replay']:
        raise Missed('no command that replays it')
    if f['rule'] != 'plugin.load' and f['rule'].startswith(('value.', 'plugin.')) and not (
            'range' in found[0] and (found[0]['count'] or witness_length(found[0]) > 1)):
        raise Missed('not told how many inputs, and from where to where: %s' % found[0])
    shortest = min(map(witness_length, found))
    if (f.get('single') and shortest != 1) or shortest > f.get('length', shortest):
        raise Missed('the witness has %d elements: %s' % (shortest, found[0]))
    causes = {e['cause'] for e in found if 'cause' in e}
    replay(f, [e for e in errors if e in found or e.get('cause') in causes], replays)
    return found[0]


def replay(f, found, replays):
    """Runs the line that the check itself has run (of a cause, that of its worst finding), again and
    again: each run must show the fault."""
    lines = {e['replay'] for e in found if e.get('replayed', {}).get('shown') == 3}
    huge = '--huge' in f.get('args', [])  # takes gigabytes and minutes
    if f['rule'] != 'plugin.load' and not f['rule'].startswith(NOT_REPLAYED) and not lines and not huge:
        raise Missed('no replay line that was seen to work: %s' % [e['replay'] for e in found])
    ends = any(rule.startswith('plugin.') for rule in [f['rule'], *f.get('also', [])])
    wanted = {FINDING, PLUGIN} if ends or f['rule'].startswith('batch.') else {FINDING}
    for line in sorted(lines)[:1]:
        words = [ULPAUDIT] + shlex.split(line)[1:]
        for run in range(replays):
            try:
                done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL, env=environment(), timeout=60)
            except subprocess.TimeoutExpired:
                raise Missed('run %d of its replay does not end: %s' % (run + 1, line)) from None
            if done.returncode not in wanted:
                raise Missed('run %d of its replay ends with %d: %s' % (
                    run + 1, done.returncode, line))


def clean(name, options, limit):
    """Audits a twin."""
    code, errors, stderr, _ = check(name, options, limit)
    if errors:
        raise Missed('%d false alarms, first: %s' % (len(errors), errors[0]))
    if code != FINE:
        raise Missed('exit %d: %s' % (code, stderr[-300:]))


def twin_runs(family, faults):
    """The twin as it is, and with the options of each fault that needs more than a plain check."""
    runs = [[], *LIKE_A_FILLING.get(family, [])]
    for f in faults:
        more = f.get('exhaustive') or '--huge' in f.get('args', [])
        if f['family'] == family and more and not (SANITIZED and 'unless_asan' in f):
            runs.append(choices(f))
    return runs


def note(name, row):
    """Keeps a result, so that the table holds what other runs found too."""
    folder = os.path.join(CORPUS, 'caught')
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name + '.json'), 'w', encoding='utf-8') as out:
        json.dump(row, out)


def noted(name):
    try:
        with open(os.path.join(CORPUS, 'caught', name + '.json'), encoding='utf-8') as f:
            return json.load(f)
    except (OSError, ValueError):
        return {'result': 'not run'}


def write_table(faults):
    """caught.md: what was caught and what was expected, in the order of the table."""
    rows = [(f, noted(f['name'])) for f in faults]
    caught = sum(row['result'] == 'caught' for _, row in rows)
    lines = ['# Fault corpus: %d of %d caught by the rule that must catch them' %
             (caught, len(rows)), '',
             '| fault | what is wrong | reported | op, dtype | expected rule | result | seconds |',
             '|---|---|---|---|---|---|---|']
    for f, row in rows:
        cells = ['`%s`' % f['name'], f['what'], f['reported'], f['op'] + ', ' + f['dtype'],
                 '`%s`' % f['rule'], row['result'],
                 ('%.1f' + (' (slow)' if row['seconds'] > SLOW else '')) % row['seconds']
                 if 'seconds' in row else '']
        lines.append('| ' + ' | '.join(c.replace('|', '\\|') for c in cells) + ' |')
    lines += ['', '| correct twin | result |', '|---|---|']
    for family in make_corpus.families(faults):
        lines.append('| `%s_twin` | %s |' % (family, noted(family + '_twin')['result']))
    path = os.path.join(CORPUS, 'caught.md')
    with open('%s.%d' % (path, os.getpid()), 'w', encoding='utf-8') as out:
        out.write('\n'.join(lines) + '\n')
    os.replace(out.name, path)


def attempt(name, good, action):
    """Runs `action`, notes and prints what came of it; was it as it should be?"""
    start = time.monotonic()
    finding = None
    try:
        finding = action()
        result, why = good, ''
    except Missed as e:
        result, why = 'MISSED', str(e)
    seconds = time.monotonic() - start
    note(name, {'result': result, 'why': why, 'seconds': round(seconds, 2), 'finding': finding})
    print('%-7s %-28s %6.1f s  %s' % (result, name, seconds, why), flush=True)
    return result == good


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--only', default='*', help='names, a glob: "bce_*"')
    parser.add_argument('--family', default='*', help='a source: value, batch, …')
    parser.add_argument('--time-limit', type=float, default=120, help='seconds for one check; '
                        'five times as much with --exhaustive')
    parser.add_argument('--replays', type=int, default=1, help='runs of each replay line')
    parser.add_argument('--jobs', type=int, default=1, help='so many at once; then the seconds '
                        'are those of a busy machine')
    parser.add_argument('--seeds', type=int, default=1, help='seeds that each twin is checked with')
    args = parser.parse_args()
    if not os.access(ULPAUDIT, os.X_OK):
        sys.exit('ULPAUDIT=%s is not a program' % ULPAUDIT)
    faults = make_corpus.read_table()

    def chosen(name, family):
        return fnmatch.fnmatch(name, args.only) and fnmatch.fnmatch(family, args.family)

    def all_clean(family, twin):
        for options in twin_runs(family, faults):
            for seed in range(1, args.seeds + 1):
                clean(twin, [*options, '--seed', str(seed)], 5 * args.time_limit)

    tasks = []
    for f in faults:
        if chosen(f['name'], f['family']):
            limit = args.time_limit * (5 if f.get('exhaustive') else 1)
            if 'unless_asan' in f and SANITIZED:
                note(f['name'], {'result': 'skipped: ' + f['unless_asan']})
                print('skipped %s: %s' % (f['name'], f['unless_asan']))
                continue
            tasks.append((f['name'], 'caught',
                          lambda f=f, limit=limit: catch(f, limit, args.replays)))
    for family in make_corpus.families(faults):
        twin = family + '_twin'
        if chosen(twin, family):
            tasks.append((twin, 'clean', lambda family=family, twin=twin: all_clean(family, twin)))
    with concurrent.futures.ThreadPoolExecutor(max(1, args.jobs)) as pool:
        results = list(pool.map(lambda task: attempt(*task), tasks))
    write_table(faults)
    missed = [task[0] for task, good in zip(tasks, results) if not good]
    if not tasks:
        sys.exit('nothing is named so')
    if missed:
        sys.exit('missed %d of %d: %s' % (len(missed), len(tasks), ' '.join(missed)))
    print('all %d as the table says' % len(tasks))


if __name__ == '__main__':
    main()
