# SPDX-License-Identifier: Apache-2.0
"""Makes build/samples/libraries/python.md: an audit of Python's libraries as PyPI has them, by the workers of impls/python.

Usage: ./run python-libraries samples [exhaustive] [sweep] [check] [bench] [render]    (all unless told otherwise)
       make_python.py ULPAUDIT [PART …]        by the Python that has the libraries

exhaustive  every float through each sigmoid and its gradient by the library, a minute each on two cores
sweep       every op and dtype: 16-bit inputs all, f32 and f64 sampled
check       properties in every dtype; a quarter of an hour, most of it JAX's compiler and TensorFlow's start
bench       sigmoid and its gradient in f32
render      python.md from what the others left in build/python-audit; each line of Python in it is run;
            ./run samples keep copies it to reports/samples/libraries

Without a PART it begins anew; a named one keeps what is there, so that a run that was stopped goes on."""
import importlib.metadata, json, os, platform, shlex, shutil, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '..', '..', '..')
WORK = os.path.join('build', 'python-audit')
OUT = os.path.join('build', 'samples', 'libraries')
PARTS = ('exhaustive', 'sweep', 'check', 'bench', 'render')
sys.dont_write_bytecode = True
import python_text
import text

EXHAUSTIVE = ('numpy/sigmoid_naive', 'numpy/sigmoid_branchy', 'scipy/expit', 'jax/sigmoid', 'jax/sigmoid_grad',
              'onnxruntime/Sigmoid', 'tensorflow/sigmoid', 'tensorflow/sigmoid_grad', 'torch/sigmoid',
              'torch/sigmoid_grad')


def run(program, command, library, *args):
    worker = shlex.join([sys.executable, os.path.join('impls', 'python', library + '_worker.py')])
    done = subprocess.run([program, command, '--exec', worker, '--quiet', *args], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding='utf-8')
    if done.returncode not in (0, 1):
        sys.exit('python-libraries: %s of %s ended with exit code %d: %s' % (
            command, library, done.returncode, done.stderr))
    return done.stdout


def keep(folder, name, make):
    path = os.path.join(WORK, folder, name + '.json')
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        out = make()
        with open(path + '.new', 'w', encoding='utf-8') as f:
            f.write(out)
        os.rename(path + '.new', path)


def exhaustive(program):
    for name in EXHAUSTIVE:
        keep('exhaustive', name.replace('/', '_'), lambda: run(
            program, 'sweep', name.split('/')[0], '--impl', name, '--dtype', 'f32', '--exhaustive', '--json'))


def each(program, folder, *args):
    for library in python_text.LIBRARIES:
        keep(folder, library, lambda: run(program, args[0], library, '--impl', library + '/*', '--json', *args[1:]))


def sweep(program):
    each(program, 'sweep', 'sweep', '--points', '100000')


def check(program):
    each(program, 'check', 'check')


def bench(program):
    each(program, 'bench', 'bench', '--op', 'sigmoid', '--op', 'sigmoid_grad', '--dtype', 'f32', '--inputs', 'typical')


def load(folder):
    reports = []
    for file in sorted(os.listdir(os.path.join(WORK, folder))) if os.path.isdir(os.path.join(WORK, folder)) else []:
        if file.endswith('.json'):
            with open(os.path.join(WORK, folder, file), encoding='utf-8') as f:
                reports.append(json.load(f))
    return reports


def joined(*folders):
    """One report of many: a later folder's results and findings take the place of those of the same name.
    Of check only what it found beyond its own short sweep."""
    every = {'implementations': {}, 'results': {}, 'findings': {}, 'benchmarks': {}}
    first = None
    for folder, report in ((folder, r) for folder in folders for r in load(folder)):
        first = first or report
        if folder == 'check':
            report['results'] = []
            report['findings'] = [f for f in report['findings'] if f['phase'] != 'sweep']
        for i in report['implementations']:
            every['implementations'][i['name']] = i
        for r in report['results']:
            every['results'][r['implementation'], r['op'], r['dtype'], r['region']] = r
        for f in report['findings']:
            key = f['implementation'], f['rule'], f.get('dtype', ''), f['phase'], f.get('region', ''), f.get('setting', '')
            every['findings'][key] = f
        for i, b in enumerate(report['benchmarks']):
            every['benchmarks'][b['implementation'], i] = b
    if first is None:
        sys.exit('python-libraries: nothing to render in %s: ./run python-libraries samples makes it' % WORK)
    return {**first, **{k: list(v.values()) for k, v in every.items()}}


def version(package):
    try:
        return '%s %s' % (package, importlib.metadata.version(package))
    except importlib.metadata.PackageNotFoundError:
        return ''


def render(program):
    packages = [v for v in map(version, python_text.PACKAGES) if v]
    report = joined('sweep', 'check', 'bench', 'exhaustive')
    versions = 'Python %s; %s' % (platform.python_version(), ', '.join(packages))
    os.makedirs(OUT, exist_ok=True)
    with open(os.path.join(OUT, 'python.md'), 'w', encoding='utf-8') as f:
        f.write(python_text.page(report, versions))


def main():
    program = os.path.abspath(sys.argv[1])
    os.chdir(ROOT)
    parts = sys.argv[2:] or PARTS
    for part in parts:
        if part not in PARTS:
            sys.exit("python-libraries: no part '%s'; there are %s" % (part, ', '.join(PARTS)))
    if not sys.argv[2:]:
        shutil.rmtree(WORK, ignore_errors=True)
    for part in parts:
        globals()[part](program)
    print(os.path.join(OUT, 'python.md'))


if __name__ == '__main__':
    main()
