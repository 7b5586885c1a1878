# SPDX-License-Identifier: Apache-2.0
"""Makes build/samples/libraries: an audit of the plug-ins over libraries (impls/peers, impls/libtorch).

Usage: ./run libraries [exhaustive] [sweep] [check] [bench] [render]     (all of them unless told otherwise)
       make.py ULPAUDIT [PART …]

exhaustive  every float through each sigmoid, 20 s each on two idle cores
sweep       every op and dtype: 16-bit inputs all, f32 and f64 sampled
check       properties, in f32, of sigmoids of which something is known
bench       sigmoid and its gradient in f32, in L1: medians of many short repetitions, so that a
            busy machine disturbs few of them
render      README.md, faults.md, report.html, report.md and report.json from what the others left in
            build/libraries; ./run samples keep copies README.md to reports/samples/libraries"""
import glob, json, os, shutil, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '..', '..', '..')
WORK = os.path.join('build', 'libraries')
OUT = os.path.join('build', 'samples', 'libraries')
PARTS = ('exhaustive', 'sweep', 'check', 'bench', 'render')
sys.dont_write_bytecode = True
import text

LIBRARIES = ('sleef', 'libmvec', 'highway', 'eigen', 'xnnpack', 'onednn', 'libtorch-*', 'naive-fast-math',
             'stable-fast-math', 'naive-fast-math-linked')
OURS = ('simd', 'exact', 'stable')


def run(program, *args, may_find=True):
    done = subprocess.run([program, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding='utf-8')
    if done.returncode not in ((0, 1) if may_find else (0,)):
        sys.exit('libraries: %s ended with exit code %d: %s' % (' '.join(args), done.returncode, done.stderr))
    return done.stdout


def chosen(kernels, plugins=LIBRARIES + OURS):
    return [a for p in plugins for k in kernels for a in ('--impl', '%s/%s' % (p, k))]


def exhaustive(program):
    """A run for each kernel: one that was stopped goes on where it was."""
    folder = os.path.join(WORK, 'exhaustive')
    os.makedirs(folder, exist_ok=True)
    listed = json.loads(run(program, 'list', '--json', *chosen(['sigmoid*'])))
    for i in listed['implementations']:
        if i['op'] != 'sigmoid' or 'f32' not in i['dtypes'] or i['unavailable'] or i['name'].startswith('simd/sigmoid@'):
            continue
        file = os.path.join(folder, i['name'].replace('/', '_') + '.json')
        if os.path.exists(file):
            continue
        out = run(program, 'sweep', '--op', 'sigmoid', '--dtype', 'f32', '--exhaustive', '--impl', i['name'], '--quiet',
                  '--json')
        with open(file + '.new', 'w') as f:
            f.write(out)
        os.rename(file + '.new', file)


def sweep(program):
    run(program, 'sweep', '--points', '20000', *chosen(['*']), '--quiet', '-o', os.path.join(WORK, 'sweep'))


def check(program):
    names = ('xnnpack/*', 'eigen/sigmoid@*', 'naive-fast-math-linked/sigmoid')
    run(program, 'check', '--dtype', 'f32', *[a for n in names for a in ('--impl', n)], '--quiet', '-o',
        os.path.join(WORK, 'check'))


def bench(program):
    run(program, 'bench', '--op', 'sigmoid', '--op', 'sigmoid_grad', '--dtype', 'f32', '--level', 'L1', '--min-time',
        '0.05', '--repetitions', '301', *chosen(['sigmoid', 'sigmoid_naive@*', 'sigmoid@*', 'sigmoid_grad*']),
        '--quiet', '-o', os.path.join(WORK, 'bench'), may_find=False)


def load(*path):
    with open(os.path.join(WORK, *path), encoding='utf-8') as f:
        return json.load(f)


def shown(item):
    """What report.html has: every dtype of the libraries' own functions, f32 of sigmoids over their exp."""
    name = item['implementation']
    return name.startswith(text.OWN + ('simd/sigmoid', 'exact/')) and '@sse' not in name or (
        item.get('dtype') == 'f32' and '/sigmoid' in name)


def render(program):
    report = load('sweep', 'report.json')
    # The same kernels on the same machine: findings of check, and times, which join the table of
    # accuracy and speed.
    report['findings'] += [f for f in load('check', 'report.json')['findings'] if f['phase'] != 'sweep']
    report['benchmarks'] = load('bench', 'report.json')['benchmarks']
    small = dict(report)
    for member in ('results', 'findings', 'benchmarks'):
        small[member] = [r for r in report[member] if shown(r) or r['implementation'] == 'memcpy']
    names = {r['implementation'] for r in small['results']}
    for member, key in (('implementations', 'name'), ('verdicts', 'implementation')):
        small[member] = [i for i in report[member] if i[key] in names]
    os.makedirs(OUT, exist_ok=True)
    joined = os.path.join(OUT, 'report.json')
    with open(joined, 'w', encoding='utf-8') as f:
        json.dump(small, f, ensure_ascii=False)
    for form, name in (('html', 'report.html'), ('md', 'report.md')):
        with open(os.path.join(OUT, name), 'w', encoding='utf-8') as f:
            f.write(run(program, 'report', joined, '--format', form))
    every = [load('exhaustive', os.path.basename(f)) for f in sorted(glob.glob(os.path.join(WORK, 'exhaustive', '*.json')))]
    for name, page in (('README.md', text.readme), ('faults.md', text.faults_page)):
        with open(os.path.join(OUT, name), 'w', encoding='utf-8') as f:
            f.write(page(report, every))


def main():
    os.chdir(ROOT)
    program = os.path.relpath(sys.argv[1])
    parts = sys.argv[2:] or PARTS
    for part in parts:
        if part not in PARTS:
            sys.exit("libraries: no part '%s'; there are %s" % (part, ', '.join(PARTS)))
    if not sys.argv[2:]:
        shutil.rmtree(WORK, ignore_errors=True)
    for part in parts:
        globals()[part](program)
    for file in sorted(os.listdir(OUT)) if os.path.isdir(OUT) else []:
        print('%9d  %s' % (os.path.getsize(os.path.join(OUT, file)), os.path.join(OUT, file)))


if __name__ == '__main__':
    main()
