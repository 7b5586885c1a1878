"""README.md and faults.md from the reports: every figure is read from them."""
# SPDX-License-Identifier: Apache-2.0

OPS = (('sigmoid', 'Sigmoid'), ('sigmoid_grad', 'Its gradient'), ('bce_with_logits', 'BCE with logits'),
       ('bce_with_logits_grad', 'Its gradient by z'))
# What each library calls its own; the other kernels are our forms over its exp, log1p and tanh.
OWN = ('libtorch-', 'xnnpack/', 'onednn/', 'eigen/sigmoid@', 'eigen/sigmoid_grad@')

HEAD = '''# Sigmoid, its gradient and BCE in the libraries that people use

Made by `./run libraries`, which installs the libraries, builds the plug-ins over them
(`impls/peers`, `impls/libtorch`) and audits them; every figure here is read from its reports. `./run
torch` before it adds the current LibTorch.

- `./run libraries` makes more of it in `build/samples/libraries/`, and every release carries it:
  `faults.md`, each fault with a witness and its replay; `report.html` (one page, no network) and
  `report.md`, the libraries' own functions in every dtype, the sigmoids over their exp in f32,
  properties and times; `report.json`, the same for programs.
- [`python.md`](python.md): NumPy, SciPy, JAX, ONNX Runtime, TensorFlow and PyTorch, called from Python.

No library promises what the rules ask, and many state a larger error; that a digit is lost is a fact
all the same.
'''

FAULTS_HEAD = '''# Faults in the libraries, each with a witness and its replay

Made by `./run libraries`. A fault says what the kernel did on which input; the line after it runs that
input again. No library promises what the rules ask.
'''


def number(n):
    if n in ('inf', '-inf'):
        return '∞'
    if n >= 1e5:
        return '%.2g' % n
    return '%.0f' % n if n >= 100 else '%.3g' % n


def short(name):
    return '`%s`' % name


def totals(report):
    """(implementation, op, dtype) -> the result over all regions."""
    return {(r['implementation'], r['op'], r['dtype']): r for r in report['results'] if r['region'] == 'all'}


def lost(result):
    return ', '.join('%s %s' % (c['category'], format(c['count'], ',')) for c in result['categories']) or '–'


def witness(result):
    if 'max' not in result:
        return '–'
    m = result['max']
    return m['z']['decimal'] + (', y %s' % m['y']['decimal'] if 'y' in m else '')


def versions(report):
    seen = {}
    for i in report['implementations']:
        if not i['unavailable']:
            seen.setdefault(i['plugin'], i['version'])
    return ', '.join('%s %s' % (p, v) for p, v in seen.items() if p not in ('simd', 'exact', 'stable'))


def machine(report):
    c, v = report['context'], report['volatile']
    return '%s, %s, %s, %s; ulpaudit %s' % (v['cpu'], c['isa'], c['compiler'], c['libm'], c['commit'])


def times(report, op):
    """implementation -> inputs -> row."""
    rows = {}
    for b in report['benchmarks']:
        if b['op'] == op and b['dtype'] == 'f32' and b['level'] == 'L1':
            rows.setdefault(b['implementation'], {})[b['inputs']] = b
    return rows


def accuracy_and_speed(report, every):
    rows = times(report, 'sigmoid')
    sampled = totals(report)
    exact = {}
    for e in every:
        for (name, op, dtype), r in totals(e).items():
            if (op, dtype) == ('sigmoid', 'f32'):
                exact[name] = r
    names = set(exact) | {n for (n, op, d) in sampled if (op, d) == ('sigmoid', 'f32') and n in rows}
    sleef = rows.get('sleef/sigmoid@avx2', {}).get('typical', {}).get('median')
    out = ['| implementation | max ulp | at z | correctly rounded | lost | ns | × SLEEF | slowest ns, inputs |',
           '|---|---|---|---|---|---|---|---|']

    def key(name):
        r = exact.get(name) or sampled[(name, 'sigmoid', 'f32')]
        bad = sum(c['count'] for c in r['categories'])
        return (bad > 0, r['statistics']['max_ulp'] if r['statistics']['max_ulp'] != 'inf' else 1e300)

    for name in sorted(names, key=key):
        r = exact.get(name) or sampled[(name, 'sigmoid', 'f32')]
        t = rows.get(name, {})
        ns = t.get('typical', {}).get('median')
        worst = max((b for i, b in t.items() if i != 'typical'), key=lambda b: b['median'], default=None)
        out.append('| %s | %s%s | %s | %.2f %% | %s | %s | %s | %s |' % (
            short(name), '' if r['evidence'] == 'exhaustive' else '≥ ', number(r['statistics']['max_ulp']), witness(r),
            100 * r['statistics']['correctly_rounded'], lost(r), '%.3g' % ns if ns else '–',
            '%.2f' % (ns / sleef) if ns and sleef else '–',
            '%.3g, %s' % (worst['median'], worst['inputs']) if worst else '–'))
    return out


def by_op(report):
    out = []
    found = totals(report)
    for op, title in OPS[1:]:
        out += ['', '### %s, f32' % title, '', '| implementation | max ulp | at | correctly rounded | lost |', '|---|---|---|---|---|']
        rows = [(n, r) for (n, o, d), r in found.items() if o == op and d == 'f32' and not n.startswith('simd/') or
                (o, d, n) == (op, 'f32', 'simd/' + n.split('/')[1]) and '@' not in n]
        for name, r in sorted(rows):
            out.append('| %s | ≥ %s | %s | %.1f %% | %s |' % (
                short(name), number(r['statistics']['max_ulp']), witness(r), 100 * r['statistics']['correctly_rounded'], lost(r)))
    return out


def faults(report, every):
    """The first witness of each rule that a kernel breaks, of the dtype with the widest numbers first."""
    out = []
    order = {'f32': 0, 'f64': 1, 'bf16': 2, 'f16': 3}
    of = {}
    # Exhaustive counts take the place of sampled ones.
    exact = {(f['implementation'], f['rule'], f['dtype'], f['region']): f for e in every for f in e['findings']}
    for f in report['findings']:
        if f['severity'] != 'error':
            continue
        f = exact.get((f['implementation'], f['rule'], f.get('dtype', ''), f.get('region', '')), f)
        of.setdefault(f['implementation'], {}).setdefault(f['rule'], []).append(f)
    for (name, rule, _, _), f in exact.items():
        if f['severity'] == 'error' and rule not in of.get(name, {}):
            of.setdefault(name, {}).setdefault(rule, []).append(f)
    for own, title in ((True, "The libraries' own functions"), (False, 'Our formulas over their exp, log1p and tanh, and under `-ffast-math`')):
        out += ['', '## ' + title]
        if not own:
            out += ['', 'A naive formula (`…_naive`, `bce_max`) loses what it loses over any exp; and beside its own zero the',
                    'gradient of the loss cancels in every formula here. What the library adds: see the same rule of `stable`.']
        for name in sorted(of):
            if name.startswith(OWN) != own:
                continue
            out += ['', '**%s**' % short(name), '']
            for rule, all_of in of[name].items():
                first = min(all_of, key=lambda f: order.get(f.get('dtype', ''), 9))
                dtypes = ', '.join(sorted({f.get('dtype', '') for f in all_of}, key=lambda d: order.get(d, 9)))
                out.append('- %s (%s)%s: %s<br>`%s`' % (
                    rule, dtypes, ' ×%s' % format(first['count'], ',') if first.get('count', 1) > 1 else '',
                    first['message'].replace('|', '\\|'), first['replay']))
    return out


def unavailable(report):
    why = {}
    for i in report['implementations']:
        if i['unavailable'] and not i['plugin'] in ('simd', 'exact', 'cuda'):
            why.setdefault((i['plugin'], i['unavailable']), []).append(i['name'].split('/')[1])
    return ['- %s (%s): %s' % (p, ', '.join('`%s`' % n for n in names), w) for (p, w), names in sorted(why.items())]


# What was known before this audit: the finding that shows it, or why it cannot.
KNOWN = (
    ('`-ffast-math` makes NaN of every z ≤ −88.73', 'naive-fast-math/sigmoid', 'value.new_nan'),
    ('`-ffast-math` at the link of a shared library sets FTZ and DAZ', 'naive-fast-math-linked/', 'environment.ftz_daz'),
    ('the naive form loses subnormal results over any exp', 'sleef/sigmoid_naive@avx2', 'value.flushed'),
    ("Highway's exp makes a number of NaN", 'highway/sigmoid@avx2', 'value.lost_nan'),
    ("Eigen's logistic is thousands of ulp off at −8.4666", 'eigen/sigmoid@avx2', 'max_ulp of the left tail'),
    ("Eigen's logistic(−∞) is not 0", 'eigen/sigmoid@avx2', 'value.nonzero_for_zero'),
    ('XNNPACK returns 0 for 2,180,453 subnormal results', 'xnnpack/sigmoid', 'value.flushed'),
    ('XNNPACK (Debian) makes NaN of 626,770,728 finite z', 'xnnpack/sigmoid', 'value.new_nan'),
    ('oneDNN returns 0 for normal results', 'onednn/sigmoid', 'value.vanished'),
    ('LibTorch 1.13 sigmoid returns 0 for 1,998,749 subnormal results', 'libtorch-1.13/sigmoid', 'value.flushed'),
    ('LibTorch 2.15 sigmoid likewise', 'libtorch-2.15/sigmoid', 'value.flushed'),
    ('LibTorch 1.13 sigmoid_backward is 0 from z = 16.64 on', 'libtorch-1.13/sigmoid_grad', 'value.vanished'),
    ('LibTorch 2.15 sigmoid_backward likewise', 'libtorch-2.15/sigmoid_grad', 'value.vanished'),
    ('LibTorch 1.13 BCE loses all digits for confident, right predictions', 'libtorch-1.13/bce', 'value.vanished'),
    ('LibTorch 2.15 BCE likewise at y = 0', 'libtorch-2.15/bce', 'value.vanished'),
    ('LibTorch 1.13 refuses f16 on the CPU', 'libtorch-1.13/sigmoid@f16', 'unavailable'),
    ('oneDNN 2.6 refuses f16 on the CPU', 'onednn/sigmoid@f16', 'unavailable'),
)


def left_tail(report, every, name):
    best = 0
    for r in (r for e in [report] + every for r in e['results']):
        if (r['implementation'], r['op'], r['dtype'], r['region']) == (name, 'sigmoid', 'f32', 'left_tail'):
            best = max(best, r['statistics']['max_ulp'])
    return best


def known(report, every):
    out = ['| known before | shown by | here |', '|---|---|---|']
    findings = [f for e in [report] + every for f in e['findings']]
    refused = {i['name']: i['unavailable'] for i in report['implementations']}
    for claim, name, rule in KNOWN:
        if rule == 'unavailable':
            here = 'found: "%s"' % refused[name] if refused.get(name) else 'not found'
        elif rule.startswith('max_ulp'):
            worst = left_tail(report, every, name)
            here = 'found: %s ulp' % number(worst) if worst > 1000 else 'not found'
        else:
            # Expected failures are the contract's words for the same fault.
            hits = [f for f in findings if f['implementation'].startswith(name) and f['rule'] == rule]
            hits = [f for f in hits if f['implementation'] == name or name.endswith('/')]
            count = max((f.get('count', 1) for f in hits), default=0)
            here = 'found%s' % (', ×%s' % format(count, ',') if count > 1 else '') if hits else 'not found'
        out.append('| %s | %s %s | %s |' % (claim, short(name), rule, here))
    return out


NOT_HERE = '''
XNNPACK chooses its kernel by the processor. With AVX-512 it gives NaN for |z| ≥ 4.29e26. On a machine
without, none of the 2³² inputs gives NaN; there it loses up to 23 bits of *normal* results near z = −87
instead, as if subnormal intermediate results were 0:
`./run eval --impl xnnpack/sigmoid --op sigmoid --dtype f32 -- -86.976326` gives 2^-125 exactly.
A machine without AVX-512 runs no kernel of the others with it either.
A count of a row marked with ≥ is one of samples.
'''


def readme(report, every):
    out = [HEAD, machine(report) + '. Versions: ' + versions(report) + '.', '']
    out += ['## Sigmoid in f32: accuracy against speed', '',
            'Without ≥: all 2³² inputs, so a maximum is a bound. ns per element in L1, typical logits, medians of one run',
            '(other jobs ran on the machine; repetitions are interleaved, so ratios say more than times). "lost": what an',
            'error in ulps does not tell; "slowest": of uniform ±20, subnormal results and all bit patterns.', '']
    out += accuracy_and_speed(report, every)
    out += ['', '## The other ops', '', 'Sampled by binade and around landmarks, default labels.']
    out += by_op(report)
    out += ['', '## What was known, and whether the audit finds it', '']
    out += known(report, every)
    out += [NOT_HERE, 'Not available on this machine:', '']
    out += unavailable(report)
    return '\n'.join(out).rstrip() + '\n'


def faults_page(report, every):
    out = [FAULTS_HEAD, machine(report) + '. Versions: ' + versions(report) + '.']
    return '\n'.join(out + faults(report, every)).rstrip() + '\n'
