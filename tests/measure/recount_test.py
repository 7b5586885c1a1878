# SPDX-License-Identifier: Apache-2.0
"""Every statistic of report.json, counted again: the inputs and results that a recording plug-in saw
(recorder_plugin.cpp), the truth by mpmath, the definitions by docs/ulp.md. Shares no code with ulpaudit.

Counts must be equal. Errors are quantised to 2^-20 ulp per point, and the judges know an error within a
proven bound only: where the error lies closer than that to the edge between two quanta, either is right,
and a sum must lie between its bounds."""
import bisect, collections, json, math, os, struct, subprocess, sys, tempfile, unittest

import mpmath
from mpmath import libmp, mp

ULPAUDIT = os.environ.get('ULPAUDIT', 'build/release/bin/ulpaudit')
RECORDER = os.environ.get('ULPAUDIT_RECORDER', 'build/release/tests/measure/recorder_plugin.so')
PLUGINS = os.path.join(os.path.dirname(ULPAUDIT), 'plugins')

Format = collections.namedtuple('Format', 'p emin emax width code scale tolerance mask prec')
# scale: everything exact (numbers, products of z and a label) is a multiple of 2^-scale. tolerance: how well
# the fast judge knows an error, in ulps (docs/fast-judge.md: 2^-48 of a part; f64: 2^-87), as an integer.
# prec: bits that decide nearly every point.
FORMATS = {'f16': Format(11, -14, 15, 16, 1, 64, 1 << 128 - 36, 0xffff, 190),
           'bf16': Format(8, -126, 127, 16, 2, 300, 1 << 128 - 39, 0xffff, 190),
           'f32': Format(24, -126, 127, 32, 4, 320, 1 << 128 - 22, 0xffffffff, 210),
           'f64': Format(53, -1022, 1023, 64, 8, 2200, 1 << 128 - 33, 0xffffffffffffffff, 300)}
CAP = 2**82  # quanta


def tiny(f):
    """An epsilon below 2^tiny may be any as small: no exact thing lies so close to another one."""
    return -(f.scale + 200)


def high(f):
    """Bits that decide every point."""
    return f.emax + f.scale + 600


class Number:
    """An encoding: kind 'nan', 'inf' or 'number'; a number is value * 2^-scale."""
    def __init__(self, f, bits):
        top = 1 << f.width - 1
        self.bits, self.negative = bits, bits & top != 0
        size = bits & top - 1
        m, e = size & (1 << f.p - 1) - 1, size >> f.p - 1
        self.size = size
        self.ordinal = bits ^ top if bits & top == 0 else f.mask ^ bits
        if e == f.emax * 2 + 1:
            self.kind = 'nan' if m else 'inf'
            return
        self.kind = 'number'
        if e:
            m |= 1 << f.p - 1
        value = m << max(e, 1) - 1 + f.emin - f.p + 1 + f.scale
        self.value = -value if self.negative else value


def exact_mpf(value, f):
    return mp.make_mpf(libmp.from_man_exp(value, -f.scale))


def fixed(x, bits):
    """floor(x * 2^bits)."""
    return libmp.to_fixed(x._mpf_, bits)


def bounded(x, f):
    """x, or any number of its sign that is as good."""
    if x != 0 and mpmath.frexp(x)[1] < tiny(f):
        return mpmath.sign(x) * mpmath.ldexp(1, tiny(f))
    return x


def exp_minus(a, f):
    """e^-a, a >= 0."""
    if a > f.scale + 260 << f.scale:
        return mpmath.ldexp(1, tiny(f) - 60)
    return mpmath.exp(-exact_mpf(a, f))


def half_tanh(z, f):
    """tanh(z/2)/2."""
    x = exact_mpf(z, f)
    if abs(z) < 1 << f.scale - 60:
        square = x * x
        tail = bounded(x * square / 48, f) if mp.prec == high(f) else x * square / 48
        return x / 4 - tail * (1 - square / 10 + 17 * square * square / 1680)
    m = mpmath.expm1(-x)
    return -m / (4 + 2 * m)


def parts(op, f, z, y):
    """t = R + epsilon: R exact (an integer), epsilon with a relative error of 2^-(prec - 10)."""
    one = 1 << f.scale
    a = abs(z)
    if op == 'bce_with_logits':
        c = y if z < 0 else one - y
        return a * c >> f.scale, mpmath.log1p(exp_minus(a, f))
    if op == 'sigmoid_grad':
        if a < one:
            h = half_tanh(a, f)
            return one >> 2, -(h * h)
        e = exp_minus(a, f)
        return 0, e / (1 + e)**2
    label = y if op == 'bce_with_logits_grad' else 0
    if a < one:
        return (one >> 1) - label, half_tanh(z, f)
    e = exp_minus(a, f)
    s = e / (1 + e)
    return (one - label, -s) if z > 0 else (-label, s)


class Truth:
    """kind 'nan', 'inf', 'zero' or 'finite'. A finite t has |t| = units * 2^-BITS ulps, ulp(t) = 2^q;
    sizes: of its neighbours, in ulps; rounded: of the nearer one; epsilon: of parts()."""
    epsilon = None

    def __init__(self, kind):
        self.kind, self.units = kind, 0


BITS = 128  # of a fraction of an ulp, in all that follows


def place(op, f, z, y, prec):
    """A finite t that is not exact; None where so many bits do not tell."""
    mp.prec = prec
    r, epsilon = parts(op, f, z, y)
    if prec == high(f):
        epsilon = bounded(epsilon, f)
    value = exact_mpf(r, f) + epsilon
    size = abs(value)
    if size == 0:
        return None
    t = Truth('finite')
    t.q = max(mpmath.frexp(size)[1] - 1, f.emin) - f.p + 1
    keep = prec - f.p - 30
    halves = fixed(size, keep - t.q + 1)  # half ulps
    n, rest = halves >> keep, halves & (1 << keep) - 1
    # What is lost: of the sum, and of epsilon.
    slack = (1 << 16) + fixed(abs(epsilon), keep - t.q + 1 - prec + 16)
    if rest < slack or rest > (1 << keep) - slack:
        return None
    t.negative, t.epsilon = value < 0, epsilon
    t.units = fixed(size, BITS - t.q)
    t.sizes, t.rounded = (n // 2, n // 2 + 1), (n + 1) // 2
    return finish(f, t)


def exact_truth(f, r):
    if r == 0:
        return Truth('zero')
    t = Truth('finite')
    t.negative, size = r < 0, abs(r)
    t.q = max(size.bit_length() - 1 - f.scale, f.emin) - f.p + 1
    shift = t.q + f.scale
    t.units = (size << BITS) >> shift
    below, rest, half = size >> shift, size & (1 << shift) - 1, 1 << shift - 1
    up = rest > half or rest == half and below % 2 == 1
    t.rounded = below + (1 if up else 0)
    t.sizes = (below, below + 1) if rest else (below, below)
    return finish(f, t)


def finish(f, t):
    def bits(m):
        return m + (t.q - (f.emin - f.p + 1) << f.p - 1)
    t.rounded_bits = bits(t.rounded)
    t.neighbour_bits = tuple(bits(m) for m in t.sizes)
    t.subnormal = t.rounded_bits < 1 << f.p - 1
    # allclose: 1e-8 + 1e-5 |t|, both doubles.
    (a, b), (c, d) = (1e-8).as_integer_ratio(), (1e-5).as_integer_ratio()
    t.limit = ((a << BITS - t.q) // b if t.q < BITS else 0) + t.units * c // d
    return t


def truth_of(op, f, z, y):
    if z.kind == 'nan' or y.kind == 'nan':
        return Truth('nan')
    one = 1 << f.scale
    if z.kind == 'inf':
        if op == 'bce_with_logits':
            return Truth('zero' if y.value == (0 if z.negative else one) else 'inf')
        return exact_truth(f, {'sigmoid': 0 if z.negative else one, 'sigmoid_grad': 0,
                               'bce_with_logits_grad': -y.value if z.negative else one - y.value}[op])
    if z.value == 0 and op != 'bce_with_logits':
        return exact_truth(f, {'sigmoid': one >> 1, 'sigmoid_grad': one >> 2,
                               'bce_with_logits_grad': (one >> 1) - y.value}[op])
    for prec in (f.prec, high(f)):
        t = place(op, f, z.value, y.value, prec)
        if t:
            return t
    raise AssertionError('undecided')


RANGE = {'sigmoid': (0, 4), 'sigmoid_grad': (0, 1), 'bce_with_logits': (0, None),
         'bce_with_logits_grad': (-4, 4)}  # in quarters
# error: None, or ulps * 2^BITS; close: None where rounding may have decided it.
Score = collections.namedtuple('Score', 'category error correct faithful close wrong_zero')


def score(op, f, t, got):
    def bare(category, right=False, close=None):
        return Score(category, None, right, right, right if close is None else close, False)
    if t.kind == 'nan':
        return bare(None, True) if got.kind == 'nan' else bare('lost_nan')
    if got.kind == 'nan':
        return bare('new_nan')
    if t.kind == 'inf':
        if got.kind == 'inf':
            return bare('wrong_infinity') if got.negative else bare(None, True)
        return bare('finite_for_infinite')
    if got.kind == 'inf':
        return bare('wrong_infinity')
    if t.kind == 'zero':
        if got.value == 0:
            return Score(None, 0, True, True, True, False)
        a, b = (1e-8).as_integer_ratio()
        return bare('nonzero_for_zero', close=abs(got.value) * b <= a << f.scale)
    error = ((got.value << BITS) >> t.q + f.scale) - (-t.units if t.negative else t.units)
    margin = abs(error) - t.limit
    close = None if abs(margin) <= t.limit >> 40 else margin < 0
    same_sign = got.size == 0 or got.negative == t.negative
    category = None
    lo, hi = RANGE[op]
    if got.value == 0:
        if t.rounded_bits != 0:
            category = 'flushed' if t.subnormal else 'vanished'
    elif 4 * got.value < lo << f.scale or hi is not None and 4 * got.value > hi << f.scale:
        category = 'out_of_range'
    elif got.negative != t.negative:
        category = 'wrong_sign'
    return Score(category, None if category == 'flushed' else error,
                 category is None and got.size == t.rounded_bits and same_sign,
                 got.size in t.neighbour_bits and same_sign, close,
                 category is None and got.value == 0 and got.negative != t.negative)


def region_of(op, f, z, y, t):
    if z.kind != 'number' or y.kind == 'nan':
        return 'special'
    one = 1 << f.scale
    size = t.units << (t.q + f.scale) if t.kind == 'finite' else 0  # * 2^-(scale + BITS)
    nearer = min(y.value, one - y.value)
    if op == 'bce_with_logits_grad' and size << 2 < nearer << BITS:
        return 'crossing'
    smallest = 1 << f.emin - f.p + 1 + f.scale + BITS
    if 2 * size <= smallest:
        return 'underflow'
    if 2 * size < ((2 << f.p - 1) - 1) * smallest:
        return 'subnormal'
    if op == 'bce_with_logits':
        return 'tail' if size << 2 < one << BITS else 'core' if size <= one << BITS + 2 else 'large'
    outside = abs(z.value) >= one
    if op == 'sigmoid_grad':
        return 'tail' if outside else 'core'
    if outside and (z.value > 0 or op == 'bce_with_logits_grad'):
        limit = one if op == 'sigmoid' else one - y.value if z.value > 0 else y.value
        if limit > 0 and abs(t.epsilon) <= mpmath.ldexp(exact_mpf(limit, f), -(f.p + 1)):
            return 'saturated'
    return 'left_tail' if z.value <= -one else 'right_tail' if z.value >= one else 'core'


def quanta(error, tolerance):
    """The errors in quanta of 2^-20 ulp that are right as a rounded one, the lower first."""
    size = abs(error)
    if size >= 1 << 62 + BITS:
        return (-CAP, -CAP) if error < 0 else (CAP, CAP)
    # What the judge knows it to, and where a double holds the difference.
    slack = max(tolerance, size >> 50)
    half = 1 << BITS - 21
    return error - slack + half >> BITS - 20, error + slack + half >> BITS - 20


class Bounds:
    """A sum between two bounds."""
    def __init__(self):
        self.lo = self.hi = 0
    def add(self, a, b):
        self.lo += min(a, b)
        self.hi += max(a, b)


def bin_of(n):
    """Of n quanta: bins are eighths of an octave."""
    if n < 1:
        return 0
    k = n.bit_length() - 1
    eighth = n >> k - 3 if k >= 3 else n << 3 - k
    return min(k * 8 + (eighth & 7) + 1, CATEGORY_BIN - 1)


def upper(index):
    return math.inf if index >= CATEGORY_BIN else 2.0**(index // 8 - 20) * (1 + index % 8 / 8)


CATEGORY_BIN = 1 + 82 * 8


class Count:
    """What a result of report.json holds, over points."""
    def __init__(self):
        self.points = self.measured = self.correct = self.faithful = 0
        self.far = [0, 0]
        self.signed, self.size, self.squares = Bounds(), Bounds(), Bounds()
        self.categories = collections.Counter()
        self.wrong_zero = 0
        self.bins = [collections.Counter(), collections.Counter()]
        self.top = self.bottom = None

    def add(self, s, pair):
        self.points += 1
        self.correct += s.correct
        self.faithful += s.faithful
        self.far[0] += s.close is False
        self.far[1] += s.close is not True
        self.wrong_zero += s.wrong_zero
        if s.category:
            self.categories[s.category] += 1
        bins = (0, 0)
        if pair:
            self.measured += 1
            lo, hi = pair
            a, b = abs(lo), abs(hi)
            self.signed.add(lo, hi)
            self.size.add(a, b)
            self.squares.add(a * a, b * b)
            self.top = pair if self.top is None else (max(self.top[0], lo), max(self.top[1], hi))
            self.bottom = pair if self.bottom is None else (min(self.bottom[0], lo), min(self.bottom[1], hi))
            bins = bin_of(min(a, b)), bin_of(max(a, b))
        if s.category:
            bins = CATEGORY_BIN, CATEGORY_BIN
        for counter, b in zip(self.bins, bins):
            counter[b] += 1


def curve_bin(f, z):
    """Where typical logits lie, eighths of a binade; elsewhere 1/512 of the line, less what those take."""
    fine = f.p - 1 - 3
    coarse = max(fine, f.width - 9)
    def size_of(e):
        return f.emax + e << f.p - 1
    if size_of(-4) <= z.size < size_of(6):
        return z.ordinal >> fine
    first = z.ordinal >> coarse << coarse
    for sign in (0, 1):
        for edge in (size_of(-4), size_of(6) - 1):
            o = Number(f, edge | sign << f.width - 1).ordinal
            if first <= o < z.ordinal:
                first = o + 1 if first <= o else first
    return first >> fine


def read_records(path, f):
    """(kernel, z, y, got) of each element, batch by batch."""
    width = f.width // 8
    letter = {2: 'H', 4: 'I', 8: 'Q'}[width]
    with open(path, 'rb') as file:
        data = file.read()
    at, batches = 0, []
    while at < len(data):
        kernel, dtype, n, two = struct.unpack_from('<4Q', data, at)
        at += 32
        arrays = []
        for _ in range(3 if two else 2):
            arrays.append(struct.unpack_from('<%d%s' % (n, letter), data, at))
            at += n * width
        if dtype == f.code:
            batches.append((kernel, arrays[0], arrays[1] if two else (0,) * n, arrays[-1]))
    return batches


class Recount(unittest.TestCase):
    truths = {}

    def truth(self, op, dtype, z, y):
        key = op, dtype, z, y
        if key not in self.truths:
            f = FORMATS[dtype]
            zn, yn = Number(f, z), Number(f, y)
            t = truth_of(op, f, zn, yn)
            self.truths[key] = t, region_of(op, f, zn, yn, t), curve_bin(f, zn)
        return self.truths[key]

    def sweep(self, plugin, kernel, dtype, *args):
        with tempfile.TemporaryDirectory() as folder:
            record = os.path.join(folder, 'record')
            env = dict(os.environ, ULPAUDIT_RECORDED=plugin, ULPAUDIT_RECORD=record)
            env.pop('ULPAUDIT_PLUGIN_PATH', None)
            done = subprocess.run([ULPAUDIT, 'sweep', '--plugin', RECORDER, '--impl', 'recorder/' + kernel,
                                   '--dtype', dtype, '--threads', '1', '--json', *args], env=env, timeout=60,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding='utf-8')
            self.assertIn(done.returncode, (0, 1), done.stderr)
            return json.loads(done.stdout), read_records(record, FORMATS[dtype])

    def recount(self, plugin, kernel, dtype, *args):
        if '/' not in plugin:
            plugin = os.path.join(PLUGINS, plugin + '.so')
        report, batches = self.sweep(plugin, kernel, dtype, *args)
        results = {r['region']: r for r in report['results']}
        total = results['all']
        op, f = total['op'], FORMATS[dtype]
        # The sweep's calls come first; those behind are of special values and of probes.
        points, left = [], total['inputs']['points']
        for batch in batches:
            if left <= 0:
                break
            points.append(batch)
            left -= len(batch[1])
        self.assertEqual(left, 0)
        counts, curve = collections.defaultdict(Count), collections.defaultdict(Count)
        for _, zs, ys, gots in points:
            for z, y, got in zip(zs, ys, gots):
                t, region, at = self.truth(op, dtype, z, y)
                s = score(op, f, t, Number(f, got))
                pair = None if s.error is None else quanta(s.error, f.tolerance)
                for count in (counts['all'], counts[region], curve[at]):
                    count.add(s, pair)
        self.assertEqual({r for r in results}, set(counts), 'regions')
        for region, r in results.items():
            with self.subTest(kernel=kernel, dtype=dtype, region=region, args=args):
                self.compare(r, counts[region])
                self.derived(r)
        with self.subTest(kernel=kernel, dtype=dtype, args=args):
            self.compare_curve(total, curve)
            self.plotted(f, total)
            self.weighted(f, total)
            self.witnesses(op, dtype, total)

    def between(self, value, low, high, what):
        self.assertTrue(low <= value <= high, '%s: %s, counted %s … %s' % (what, value, low, high))

    def sums(self, bounds, text, what):
        self.between(int(text), bounds.lo, bounds.hi, what)

    def squares(self, c, text, what):
        """Units of 2^-20 ulp², to which each square is rounded, of a double."""
        slack = c.measured + (c.squares.hi >> 20 + 52)
        self.between(int(text), (c.squares.lo >> 20) - slack, (c.squares.hi >> 20) + slack, what)

    def compare(self, r, c):
        raw = r['raw']
        self.assertEqual(r['points'], c.points)
        for name, value in (('points', c.points), ('measured', c.measured), ('correctly_rounded', c.correct),
                            ('faithful', c.faithful)):
            self.assertEqual(raw[name], value, name)
        self.between(raw['allclose_failures'], c.far[0], c.far[1], 'allclose')
        self.assertEqual({k: v['count'] for k, v in raw.get('categories', {}).items()}, dict(c.categories))
        self.assertEqual({x['category']: x['count'] for x in r['categories']}, dict(c.categories))
        self.assertEqual(raw.get('wrong_zero', {'count': 0})['count'], c.wrong_zero)
        self.sums(c.signed, raw['sum_signed'], 'sum_signed')
        self.sums(c.size, raw['sum_abs'], 'sum_abs')
        self.squares(c, raw['sum_squares'], 'sum_squares')
        if c.measured:
            self.between(raw['max_signed']['error'] * 2**20, *c.top, 'max_signed')
            self.between(-raw['min_signed']['error'] * 2**20, *c.bottom, 'min_signed')
            most = sorted((max(abs(c.top[i]), abs(c.bottom[i])) for i in (0, 1)))
            self.between(raw['max_abs']['error'] * 2**20, *most, 'max_abs')
        # Those of ambiguous size may be in either bin.
        reported = dict(raw['histogram'])
        seen = low = high = 0
        for b in range(CATEGORY_BIN + 1):
            seen += reported.get(b, 0)
            low += c.bins[1][b]
            high += c.bins[0][b]
            self.assertTrue(low <= seen <= high, 'bin %d: %d, counted %d … %d' % (b, seen, low, high))
        self.assertEqual(seen, c.points)

    def derived(self, r):
        """Statistics by their definitions, from the raw figures just counted."""
        raw, s = r['raw'], r['statistics']
        def close(name, value):
            self.assertTrue(math.isclose(s[name], value, rel_tol=1e-12, abs_tol=1e-300), (name, s[name], value))
        close('correctly_rounded', raw['correctly_rounded'] / raw['points'])
        close('faithful', raw['faithful'] / raw['points'])
        self.assertEqual(s['allclose_failures'], raw['allclose_failures'])
        if raw['measured']:
            close('mean', int(raw['sum_abs']) / 2**20 / raw['measured'])
            close('bias', int(raw['sum_signed']) / 2**20 / raw['measured'])
            close('rms', math.sqrt(int(raw['sum_squares']) / 2**20 / raw['measured']))
        ends, seen = [], []
        for b, n in raw['histogram']:
            ends.append(upper(b))
            seen.append(n + (seen[-1] if seen else 0))
        self.assertEqual([[x if isinstance(x, (int, float)) else math.inf, n] for x, n in r['histogram']],
                         [[e, n] for e, (_, n) in zip(ends, raw['histogram'])])
        for name, share in (('p50', 0.5), ('p90', 0.9), ('p99', 0.99), ('p999', 0.999)):
            want = ends[bisect.bisect_left(seen, math.ceil(share * r['points']))]
            got = s[name] if isinstance(s[name], (int, float)) else math.inf
            self.assertEqual(got, want, name)

    def raw_curve(self, total):
        rows = {}
        for first, bins, points in total['raw_curve']['exact_runs']:
            for b in range(first, first + bins):
                rows[b] = (points, points, 0, 0, '0', '0', 0)
        for row in total['raw_curve']['bins']:
            rows[row[0]] = tuple(row[1:8])
        return rows

    def compare_curve(self, total, curve):
        rows = self.raw_curve(total)
        self.assertEqual(set(rows), set(curve))
        for row in total['raw_curve']['bins']:
            if len(row) > 8:  # the signed sum, where bins have one
                self.sums(curve[row[0]].signed, row[8], 'signed sum of bin %d' % row[0])
        for b, c in curve.items():
            points, correct, high, low, size, squares, categories = rows[b]
            self.assertEqual((points, correct, categories),
                             (c.points, c.correct, sum(c.categories.values())), 'bin %d' % b)
            self.sums(c.size, size, 'bin %d' % b)
            self.squares(c, squares, 'squares of bin %d' % b)
            if c.measured:
                self.between(high * 2**20, max(0, c.top[0]), max(0, c.top[1]), 'top of bin %d' % b)
                self.between(low * 2**20, min(0, c.bottom[0]), min(0, c.bottom[1]), 'bottom of bin %d' % b)

    def plotted(self, f, total):
        rows = self.raw_curve(total)
        left = dict(rows)
        for row in total['curve']:
            first, last = (Number(f, int(x, 16)).ordinal for x in row[:2])
            inside = [b for b in left if first >> f.p - 4 <= b <= last >> f.p - 4]
            part = [left.pop(b) for b in inside]
            self.assertEqual(row[4], sum(p[0] for p in part))
            self.assertEqual(row[5:7], [max(p[2] for p in part), min(p[3] for p in part)])
            self.assertTrue(math.isclose(row[7], sum(int(p[4]) for p in part) / 2**20 / row[4], rel_tol=1e-12))
            self.assertEqual(row[8], sum(p[6] for p in part))
        self.assertEqual(left, {})

    def weighted(self, f, total):
        """By the mass of a normal distribution, standard deviation 4, in each bin."""
        mass = mean = squares = correct = 0
        mp.prec = 80
        for b, row in self.raw_curve(total).items():
            lo, hi = self.span(f, b)
            if lo is None or hi is None:
                continue
            lo, hi = (max(-500, min(500, x)) for x in (lo, hi))  # there is nothing beyond
            m = mpmath.ncdf(hi / 4) - mpmath.ncdf(lo / 4) if lo < 0 else mpmath.ncdf(-lo / 4) - mpmath.ncdf(-hi / 4)
            mass += m
            mean += m * int(row[4]) / 2**20 / row[0]
            squares += m * int(row[5]) / 2**20 / row[0]
            correct += m * row[1] / row[0]
        w = total['statistics'].get('typical_logits')
        if mass == 0:
            self.assertIsNone(w)
            return
        for name, value in (('mean', mean / mass), ('rms', mpmath.sqrt(squares / mass)),
                            ('correctly_rounded', correct / mass)):
            self.assertTrue(math.isclose(w[name], value, rel_tol=1e-9, abs_tol=1e-12), (name, w[name], value))

    def span(self, f, b):
        """The first and the last z of a bin of the curve."""
        first = b << f.p - 4
        top = 1 << f.width - 1
        def number(ordinal):
            return Number(f, ordinal ^ top if ordinal & top else f.mask ^ ordinal)
        fine = f.p - 4
        coarse = max(fine, f.width - 9)
        size_of = lambda e: f.emax + e << f.p - 1
        z = number(first)
        if size_of(-4) <= z.size < size_of(6):
            last = first + (1 << fine) - 1
        else:
            last = (first >> coarse << coarse) + (1 << coarse) - 1
            for sign in (0, 1):
                for edge in (size_of(-4), size_of(6) - 1):
                    o = Number(f, edge | sign << f.width - 1).ordinal
                    if first < o <= last:
                        last = o - 1
        ends = [number(first), number(last)]
        return [exact_mpf(n.value, f) if n.kind == 'number' else None for n in ends]

    def witnesses(self, op, dtype, total):
        """The exact errors of what the report names, to a relative 2^-40."""
        f = FORMATS[dtype]
        shown = [total[k] for k in ('max', 'max_signed', 'min_signed') if k in total]
        for w in shown + total['special_values']:
            z, y, got = (int(w[k]['bits'], 16) if k in w else 0 for k in ('z', 'y', 'got'))
            t = self.truth(op, dtype, z, y)[0]
            s = score(op, f, t, Number(f, got))
            if 'error_ulps' in w and s.error is not None:
                mp.prec = 200
                error = mpmath.ldexp(s.error, -BITS)
                self.assertLessEqual(abs(w['error_ulps'] - error), abs(error) * 2.0**-40 + 2.0**-44, w)
        if 'max' in total:
            self.assertEqual(total['statistics']['max_ulp'], abs(total['max']['error_ulps']))

    def test_f64_far_out(self):
        for area in ('-1e300:-1e299', '-800:-744', '740:1e300'):
            self.recount('exact', 'sigmoid', 'f64', '--points', '60', '--range=' + area)
        self.recount('naive', 'sigmoid', 'f64', '--points', '60', '--range=-1e300:-600')

    def test_f64_sampled(self):
        self.recount('simd', 'sigmoid', 'f64', '--points', '1500')
        self.recount('naive', 'sigmoid', 'f64', '--points', '1500')
        self.recount('exact', 'sigmoid_grad', 'f64', '--points', '800')

    def test_f64_labels(self):
        # Labels near 0 and 1: far out the gradient is -y + epsilon, both of the size of an ulp.
        self.recount('exact', 'bce_grad', 'f64', '--points', '60', '--label', '5e-324', '--label', '1', '--range=-1e9:1e9')
        self.recount('stable', 'bce', 'f64', '--points', '60', '--label', '1e-310', '--range=-1e9:1e9')

    def test_f32_sampled(self):
        self.recount('naive', 'bce_prob', 'f32', '--points', '800', '--label', '0', '--label', '0.25')
        self.recount('stable', 'sigmoid', 'f32', '--points', '2000')

    def test_f16_exhaustive(self):
        self.recount('naive', 'sigmoid_grad', 'f16', '--exhaustive')

    def test_bf16_exhaustive(self):
        rows = os.path.join(os.path.dirname(RECORDER), 'row_plugin.so')
        self.recount(rows, 'wild', 'bf16', '--exhaustive', '--label', '0.5')
        self.recount(rows, 'wild_gradient', 'bf16', '--exhaustive', '--label', '0', '--range=-100:-0.001')


if __name__ == '__main__':
    unittest.main(verbosity=2)
