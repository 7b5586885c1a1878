"""python.md from the reports of its audit: every figure is read from them, every line of Python is run."""
# SPDX-License-Identifier: Apache-2.0
import math, os, re, sys

import ml_dtypes, numpy

import text

LIBRARIES = {'numpy': 'NumPy', 'scipy': 'SciPy', 'jax': 'JAX and optax', 'onnxruntime': 'ONNX Runtime, CPUExecutionProvider',
             'tensorflow': 'TensorFlow', 'torch': 'PyTorch'}
PACKAGES = ('numpy', 'scipy', 'ml_dtypes', 'jax', 'jaxlib', 'optax', 'onnxruntime', 'tensorflow_cpu', 'torch')

HEAD = '''# Python's libraries, as PyPI has them

Made by `./run python-libraries samples`; the workers in `impls/python` call each library as its users do.
%s, %s; ulpaudit %s.
%s.

A maximum without ≥ is of all inputs (16 bit, and f32 where it says "all"), so it is a bound; with ≥, of a
sample by binade and around landmarks (and the default labels). "besides": results of which an error in
ulps says nothing, counted. A fault has a witness and, after `>>>`, the line that shows it in Python, run
to make this page; `f` is what stands above it. No library promises what the rules ask.
'''

# What a maintainer could act on; each line is run, and must give what stands behind it.
NOTES = {
    'numpy': (),
    'scipy': (
        ('`expit` of a float16 array gives a float64 one, so it has no f16 here.',
         'scipy.special.expit(numpy.zeros(1, numpy.float16)).dtype', "dtype('float64')"),),
    'jax': (
        ('The gradient of `jax.nn.sigmoid` is 0 where z is large, and right at −z: s·(1−s) of the saved s loses what 1−s '
         'loses. The true value at ±17 is 4.14e-08.',
         '[float(jax.grad(jax.nn.sigmoid)(numpy.float32(z))) for z in (17, -17)]', '[0.0, 4.139937459513021e-08]'),
        ("optax's loss is NaN (0 · ∞) at z = −∞, y = 0, where it is 0.",
         'float(optax.sigmoid_binary_cross_entropy(numpy.float32(-numpy.inf), numpy.float32(0)))', 'nan'),
        ('Subnormal results, and subnormal labels, count as 0. The true value is 6.05e-39.', 'float(jax.nn.sigmoid(numpy.float32(-88)))', '0.0'),),
    'onnxruntime': (
        ('Far left no digit is right, and the results are 0 soon after: at z = −17.328684 f32 is four times the true value '
         '2.98e-08, at −20 it is 0 and the true value is 2.06e-09; f64 is 0 at −40, where the true value is 4.25e-18. A loss '
         'that takes the logarithm of these is infinite.',
         'session(1)(numpy.float32([-17.328684, -20])).tolist(), session(11)(numpy.float64([-40.])).tolist()',
         '([1.1920928955078125e-07, 0.0], [0.0])'),),
    'tensorflow': (
        ('`tf.math.reciprocal` of f32 vectors of 8 and more is one ulp off even for 2.',
         'float(tf.math.reciprocal(tf.fill(8, 2.))[0])', '0.4999999701976776'),
        ("The gradient of the loss is not 0 at z = 0, y = ½, and of the wrong sign for tiny z (vectors of 8 and more; that "
         "of fewer is 0): 1/(1+e) of log1p's gradient is that reciprocal.",
         '[float(gradient(lambda t: loss(labels=tf.fill(n, .5), logits=t), tf.zeros(n))[0]) for n in (7, 8)]',
         '[0.0, 2.9802322387695312e-08]'),
        ('The gradient of `tf.sigmoid` is 0 where z is large: see JAX. The true value is 4.14e-08.',
         'float(gradient(tf.sigmoid, tf.constant(17.)))', '0.0'),
        ('The loss is NaN (0 · ∞, ∞ − ∞) at z = −∞, y = 0, where it is 0.',
         "float(loss(labels=tf.constant(0.), logits=tf.constant(-float('inf'))))", 'nan'),),
    'torch': (
        ('The loss is 0 for a confident, right prediction of y = 0, and right for its mirror image, y = 1: both are 1.13e-07.',
         'float(loss(torch.tensor(-16.), torch.tensor(0.))), float(loss(torch.tensor(16.), torch.tensor(1.)))',
         '(0.0, 1.1253516873921399e-07)'),
        ('y·|z| is lost where 1 − y rounds to 1, however large it is: here the loss is 10.',
         'float(loss(torch.tensor(-1e9), torch.tensor(1e-8)))', '0.0'),
        ('The gradient of `torch.sigmoid` is 0 where z is large: see JAX. The true value is 4.14e-08.',
         'float(gradient(torch.sigmoid, torch.tensor([17.]))[0])', '0.0'),
        ('The loss is NaN at z = −∞, y = 0, where it is 0.',
         "float(loss(torch.tensor(-float('inf')), torch.tensor(0.)))", 'nan'),),
}

# What each kernel is in its library's own words. {z}, {y} of f are arrays.
IMPORTS = {
    'numpy': 'import numpy', 'scipy': 'import numpy, scipy.special', 'jax': 'import numpy, jax, optax\njax.config.update("jax_enable_x64", True)    # f64 is f32 without',
    'onnxruntime': 'import numpy, onnxruntime\nfrom onnxruntime_worker import model    # impls/python: a graph of one Sigmoid\n'
                   'session = lambda t: lambda z: onnxruntime.InferenceSession(model(t)).run(None, {"x": z})[0]',
    'tensorflow': 'import numpy, tensorflow as tf\ndef gradient(g, z):\n    z = tf.constant(z)\n'
                  '    with tf.GradientTape() as tape:\n        tape.watch(z)\n        out = g(z)\n'
                  '    return tape.gradient(out, z)\nloss = tf.nn.sigmoid_cross_entropy_with_logits',
    'torch': 'import torch\ndef gradient(g, z):\n    z.requires_grad_()\n    return torch.autograd.grad(g(z).sum(), z)[0]\n'
             'loss = lambda z, y: torch.nn.functional.binary_cross_entropy_with_logits(z, y, reduction="none")',
}
LINES = {
    'numpy/sigmoid_naive': 'lambda z: 1 / (1 + numpy.exp(-z))',
    'scipy/expit': 'scipy.special.expit',
    'scipy/expit_grad': 'lambda z: scipy.special.expit(z) * scipy.special.expit(-z)',
    'scipy/log_expit': 'lambda z, y: -y * scipy.special.log_expit(z) - (1 - y) * scipy.special.log_expit(-z)',
    'scipy/expit_minus_y': 'lambda z, y: scipy.special.expit(z) - y',
    'jax/sigmoid': 'jax.jit(jax.nn.sigmoid)',
    'jax/sigmoid_grad': 'jax.jit(jax.vmap(jax.grad(jax.nn.sigmoid)))',
    'jax/optax_bce': 'jax.jit(optax.sigmoid_binary_cross_entropy)',
    'jax/optax_bce_grad': 'jax.jit(jax.vmap(jax.grad(optax.sigmoid_binary_cross_entropy)))',
    'onnxruntime/Sigmoid': 'session(1)', 'onnxruntime/Sigmoid_f16': 'session(10)', 'onnxruntime/Sigmoid_f64': 'session(11)',
    'tensorflow/sigmoid': 'tf.sigmoid',
    'tensorflow/sigmoid_grad': 'lambda z: gradient(tf.sigmoid, z)',
    'tensorflow/sigmoid_cross_entropy': 'lambda z, y: loss(labels=y, logits=z)',
    'tensorflow/sigmoid_cross_entropy_grad': 'lambda z, y: gradient(lambda t: loss(labels=y, logits=t), z)',
    'torch/sigmoid': 'torch.sigmoid',
    'torch/sigmoid_grad': 'lambda z: gradient(torch.sigmoid, z)',
    'torch/bce': 'loss',
    'torch/bce_grad': 'lambda z, y: gradient(lambda t: loss(t, y), z)',
}
ORDER = {'f32': 0, 'f64': 1, 'f16': 2, 'bf16': 3}
NAMES = {'f16': 'float16', 'f32': 'float32', 'f64': 'float64', 'bf16': 'bfloat16'}


class Shell:
    """A library's imports, in which lines are run."""

    def __init__(self, library):
        sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', '..', 'impls', 'python'))
        os.environ.update(TF_CPP_MIN_LOG_LEVEL='3', CUDA_VISIBLE_DEVICES='', JAX_PLATFORMS='cpu')
        self.library, self.names = library, {}
        exec(IMPORTS[library], self.names)  # noqa: S102: our own lines
        self.names['ml_dtypes'] = ml_dtypes

    def array(self, dtype, number, n):
        # The shortest decimal of the largest number may lie above it.
        value = float(number['decimal'])
        number = repr(float.fromhex(number['hex']) if 1e38 < abs(value) < math.inf else value)
        number = {'inf': "float('inf')", '-inf': "-float('inf')", 'nan': "float('nan')"}.get(number, number)
        if self.library == 'torch':
            return 'torch.full((%d,), %s, dtype=torch.%s)' % (n, number, NAMES[dtype])
        kind = ('ml_dtypes.' if dtype == 'bf16' else 'numpy.') + NAMES[dtype]
        return 'numpy.array([%s], %s)' % (number, kind) if n == 1 else 'numpy.full(%d, %s, %s)' % (n, number, kind)

    def values(self, line):
        """The elements of what a line gives, as floats."""
        out = eval(line, self.names)  # noqa: S307
        if hasattr(out, 'detach'):
            out = out.detach().double().numpy()
        return [float(v) for v in numpy.asarray(out).astype(numpy.float64)]


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


def shown_in_python(shell, finding):
    """The line that shows a finding, and what it gives here; nothing where it does not show it."""
    name, dtype = finding['implementation'], finding.get('dtype', 'f32')
    at = finding.get('simplest') or finding.get('witness') or {}
    if finding['rule'] == 'monotone' or name not in LINES or 'z' not in at or 'got' not in at:
        return ''
    shell.names['f'] = eval(LINES[name], shell.names)  # noqa: S307
    place = re.search(r'element (\d+) of (\d+)', finding['message'])
    got = float.fromhex(at['got']['hex'])
    call = lambda n: 'f(%s)' % ', '.join(shell.array(dtype, at[k], n) for k in ('z', 'y') if k in at)  # noqa: E731
    alone = shell.values(call(1))[0]
    if place:
        line = call(int(place.group(2)))
        others = sorted({v for v in shell.values(line) if not same(v, alone)})
        return '`>>> %s` has %s, of one element it is %r' % (line, ', '.join(map(repr, others)), alone) if others else ''
    if same(alone, got):
        return '`>>> %s` gives %r' % (call(1), alone)
    several = shell.values(call(64))[0]
    return '`>>> %s` gives %r' % (call(64), several) if same(several, got) else ''


def row(name, result, formula):
    evidence = '' if result['evidence'] == 'exhaustive' else '≥ '
    dtype = result['dtype'] + (' (all)' if result['dtype'] == 'f32' and not evidence else '')
    s = result['statistics']
    return '| %s | %s | %s%s | %s | %.2f %% | %s |' % (
        formula.replace('|', '\\|') if formula else '', dtype, evidence, text.number(s['max_ulp']), text.witness(result),
        100 * s['correctly_rounded'], text.lost(result))


def table(report, library):
    out = ['| kernel | dtype | max ulp | at z | correctly rounded | besides |', '|---|---|---|---|---|---|']
    results = {k: r for k, r in text.totals(report).items() if k[0].startswith(library + '/')}
    names = list(dict.fromkeys(k[0] for k in results))
    formulas = {i['name']: i['formula'] for i in report['implementations']}
    for name in names:
        mine = sorted((r for k, r in results.items() if k[0] == name), key=lambda r: ORDER[r['dtype']])
        for i, r in enumerate(mine):
            label = '`%s`%s' % (name.split('/')[1], ': ' + formulas[name] if formulas.get(name) else '')
            out.append(row(name, r, '' if i else label))
    return out


def count(finding):
    return ' ×%s' % format(finding['count'], ',') if finding.get('count', 1) > 1 else ''


def faults(report, library, shell):
    """Of each kernel and rule the first dtype's finding; sweeps before single cases of check."""
    of = {}
    for f in report['findings']:
        if f['implementation'].startswith(library + '/') and not f['rule'].startswith('check.') and (
                f['severity'] == 'error' or f['rule'] == 'monotone'):
            of.setdefault(f['implementation'], {}).setdefault(f['rule'], []).append(f)
    out = []
    for name in (i['name'] for i in report['implementations'] if i['name'] in of):
        out += ['', '**`%s`**' % name + (': `f = %s`' % LINES[name] if name in LINES else ''), '']
        for rule, every in of[name].items():
            swept = [f for f in every if f['phase'] == 'sweep'] or every
            first = min(swept, key=lambda f: (ORDER.get(f.get('dtype', ''), 9), -f.get('count', 1)))
            dtypes = sorted({f.get('dtype', '') for f in every}, key=lambda d: ORDER.get(d, 9))
            line = shown_in_python(shell, first)
            out.append('- %s (%s; %s%s): %s%s' % (
                rule, ', '.join(dtypes), first.get('dtype', ''), count(first), first['message'].replace('|', '\\|'),
                '<br>' + line if line else ''))
    return out


def kept(report, library):
    """Rules that check looked at and no kernel of the library breaks."""
    broken = {f['rule'] for f in report['findings'] if f['implementation'].startswith(library + '/')}
    looked = ('batch.length', 'batch.position', 'batch.alignment', 'batch.input_changed', 'determinism.repeat',
              'determinism.first_call', 'determinism.threads', 'environment.rounding_mode', 'environment.ftz_daz')
    return ['', 'No breach seen, in any dtype, of: %s.' % ', '.join(r for r in looked if r not in broken)]


def notes(library, shell):
    out = [''] if NOTES[library] else []
    for words, line, wanted in NOTES[library]:
        got = repr(eval(line, shell.names))  # noqa: S307
        if got != wanted:
            sys.exit('python-libraries: %s gives %s, not %s as python_text.py says' % (line, got, wanted))
        out.append('- %s<br>`>>> %s` gives `%s`' % (words, line, got))
    return out


def speed(report):
    rows = [b for b in report['benchmarks'] if b['implementation'] != 'memcpy' and '/' in b['implementation']
            and b['implementation'].split('/')[0] in LIBRARIES]
    if not rows:
        return []
    levels = list(dict.fromkeys(b['level'] for b in rows))
    cell = {(b['implementation'], b['level']): '%.3g' % b['median'] for b in rows}
    out = ['', '## Speed', '', 'f32, typical logits, ns per element, the call from Python included; medians of one run with other jobs on the machine.', '',
           '| kernel | %s |' % ' | '.join(levels), '|---|' + '---|' * len(levels)]
    for name in dict.fromkeys(b['implementation'] for b in rows):
        out.append('| `%s` | %s |' % (name, ' | '.join(cell.get((name, level), '–') for level in levels)))
    return out


def page(report, versions):
    c, v = report['context'], report['volatile']
    out = [HEAD % (v['cpu'], c['isa'], c['commit'], versions)]
    for library, title in LIBRARIES.items():
        shell = Shell(library)
        out += ['', '## ' + title, ''] + table(report, library)
        out += ['', 'Lines below begin with:', '', '```python', IMPORTS[library], '```']
        out += notes(library, shell) + faults(report, library, shell) + kept(report, library)
    return '\n'.join(out + speed(report)).rstrip() + '\n'
