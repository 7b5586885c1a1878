# SPDX-License-Identifier: Apache-2.0
"""Makes truth_table.csv: true values and correct roundings that the C++ judge is tested against (it shares no code with it).

Usage: /usr/bin/python3 make_truth_table.py [OUTPUT]     Needs Debian's python3-mpmath; gp (PARI), where present, cross-checks.
Rounding is decided in rational numbers, on both ends of an enclosure; the output depends on the fixed seed alone.
"""
import collections, csv, os, random, shutil, struct, subprocess, sys
from fractions import Fraction as F
from mpmath import mp, mpf

FORMATS = {'f16': (11, -14, 16), 'bf16': (8, -126, 16), 'f32': (24, -126, 32), 'f64': (53, -1022, 64)}  # p, emin, width
OPS = ('sigmoid', 'sigmoid_grad', 'bce_with_logits', 'bce_with_logits_grad')
LADDER = (192, 768, 2304, 4608)
NAN, INF, HALF = 'nan', 'inf', F(1, 2)
Result = collections.namedtuple('Result', 'bits side text group how t')

def pow2(k):
    return F(1 << k) if k >= 0 else F(1, 1 << -k)

class Dtype:
    def __init__(self, name):
        self.name, (self.p, self.emin, self.width) = name, FORMATS[name]
        self.sign, self.norm = 1 << (self.width - 1), 1 << (self.p - 1)  # norm: bits of the smallest normal number
        self.inf = (3 - 2 * self.emin) * self.norm  # all exponent bits set: the largest exponent is 1 - emin
        self.nan, self.top = self.inf | self.norm >> 1, self.inf - 1

    def decode(self, b):
        m = b & (self.sign - 1)
        if m >= self.inf:
            return NAN if m > self.inf else '-inf' if b & self.sign else INF
        e, f = divmod(m, self.norm)
        q = pow2(self.emin - self.p + 1) * (f if e == 0 else (f + self.norm) << (e - 1))
        return -q if b & self.sign else q

    def round(self, q):
        """(bits, sign of q - decoded bits, q is a midpoint), to nearest even, from an exact rational."""
        s, a = (self.sign if q < 0 else 0), abs(q)
        k = a.numerator.bit_length() - a.denominator.bit_length()
        k = max(k - (a < pow2(k)), self.emin) if a else self.emin
        n = a / pow2(k - self.p + 1)
        m = n.numerator // n.denominator
        rest = n - m
        up = rest > HALF or rest == HALF and m & 1
        # A carry out of the significand runs into the exponent field by itself, up to infinity.
        bits = min((k - self.emin) * self.norm + m + up, self.inf)
        side = 0 if rest == 0 else -1 if up or bits == self.inf else 1
        return s | bits, -side if s else side, rest == HALF

    def step(self, b, k):
        """k numbers further up the number line, kept finite; the two zeros are one number."""
        o = max(-self.top, min(self.top, (self.sign - b if b & self.sign else b) + k))
        return o if o >= 0 else self.sign - o

    def enc(self, q):
        return self.round(F(q))[0]

    def near(self, x, r=1):
        return [self.step(self.enc(to_frac(x) if isinstance(x, mpf) else x), k) for k in range(-r, r + 1)]

def to_mpf(q):
    return mpf(q.numerator) / q.denominator

def to_frac(t):
    sign, man, exp, _ = t._mpf_
    return F(-man if sign else man) * pow2(exp)

def terms(op, z, y):
    """t as a sum of terms, each within a few units of the working precision (relative)."""
    e = mp.exp(-to_mpf(abs(z)))
    small = e / (1 + e)  # sigma(-|z|)
    if op == 'sigmoid':
        return [1 / (1 + e) if z >= 0 else small]
    if op == 'sigmoid_grad':
        return [small / (1 + e)]
    if op == 'bce_with_logits':
        return [to_mpf(abs(z) * (y if z < 0 else 1 - y)), mp.log1p(e)]
    return [to_mpf(1 - y), -small] if z >= 0 else [to_mpf(-y), small]

def exact_of(op, z, y):
    """The true value where it is rational or not finite, else None (the rest is transcendental)."""
    if NAN in (z, y):
        return NAN
    up = z == INF
    if up or z == '-inf':
        by_op = [F(up), F(0), INF if y is not None and y != up else F(0), up - (y or F(0))]
    elif z == 0:
        by_op = [HALF, F(1, 4), None, HALF - (y or 0)]
    else:
        return None
    return by_op[OPS.index(op)]

def anchor(op, z, y):
    """(R, s, B) with t = R + eps, sign(eps) = s, 0 < |eps| < B, for z != 0. Proofs, with a = |z|, e = exp(-a), x = a/2:
    far: |eps| is one of e/(1+e), e/(1+e)^2, log1p(e), all in (0, e), and e < 2^-floor(36a/25), as log2(exp(1)) > 36/25;
      B may be larger, so the exponent is capped.
    near zero: x - x^3/3 < tanh(x) < x for x > 0. So sigma = 1/2 + tanh(z/2)/2 = 1/2 + z/4 + eps with |eps| < a^3/48,
      of the sign opposite to z; likewise grad. sigma' = (1 - tanh(x)^2)/4, and x^2 - 2x^4/3 < (x - x^3/3)^2 < tanh(x)^2
      < x^2 for x < 1, so sigma' = 1/4 - z^2/16 + eps with 0 < eps < z^4/96."""
    a, s, i = abs(z), 1 if z > 0 else -1, OPS.index(op)
    if a >= 1 or i == 2:
        R = (F(s > 0), F(0), a * (y if s < 0 else 1 - y) if i == 2 else None, (s > 0) - (y or 0))[i]
        return R, (-s, 1, 1, -s)[i], pow2(-min(int(a * 36 / 25), 6000))
    return (F(1, 4) - z * z / 16, 1, z ** 4 / 96) if i == 1 else (HALF - (y or 0) + z / 4, -s, a ** 3 / 48)

def round_beside(dt, R, s, B):
    """(bits, side) of R + eps if no number or midpoint lies strictly between R and R + s*B, else None.
    R and all numbers and midpoints are multiples of 2*g, so R + s*g lies in the open cell that begins at R."""
    g = pow2(-max(R.denominator.bit_length(), dt.p - dt.emin + 1) - 1)
    cell = dt.round(R + s * g)[:2]
    return cell if B <= g or dt.round(R + s * B)[:2] == cell else None

def round_interval(dt, t, delta):
    """(bits, side) if all of t +- delta lies in one open cell between a number and a midpoint, else None."""
    if not delta < abs(t) / 2:
        return None
    if mp.mag(t) < -4000:  # far below half of any smallest subnormal; its exponent may have 1,024 bits
        return (dt.sign, -1) if t < 0 else (0, 1)
    lo, hi = to_frac(t - delta), to_frac(t + delta)
    a, b = dt.round(lo)[:2], dt.round(hi)[:2]
    if a != b or a[1] == 0:
        return None
    if dt.name == 'f64':  # Python's int / int rounds correctly as well
        assert float(lo) == float(hi) == float(dt.decode(a[0]))
    return a

def decimal(t):
    """45 significant digits, trailing zeros dropped."""
    if t == 0:
        return '0'
    mp.prec = 1400  # log10(t) has up to 1,024 bits before the point, and 45 digits are 150
    L = mp.log10(abs(to_mpf(t) if isinstance(t, F) else t))
    k = int(mp.floor(L))
    m = int(mp.nint(mp.power(10, L - k + 44)))
    m, k = (m // 10, k + 1) if m == 10 ** 45 else (m, k)
    s = str(m).rstrip('0')
    return '%s%s%se%d' % ('-' if t < 0 else '', s[0], '.' + s[1:] if len(s) > 1 else '', k)

def truth(op, dt, zb, yb=None):
    z, y = dt.decode(zb), None if yb is None else dt.decode(yb)
    x = exact_of(op, z, y)
    if x in (NAN, INF):
        return Result(dt.nan if x == NAN else dt.inf, 0, x, 'special', 'exact', None)
    if x is not None:
        b, side, tie = dt.round(x)
        return Result(b, side, decimal(x), 'exact_tie' if tie else 'exact' if z == 0 else 'special', 'exact', None)
    for mp.prec in LADDER:
        ts = terms(op, z, y)
        t = mp.fsum(ts)
        # At most 6 roundings, each of 1 unit of a term or of the sum: below 2^4 units; 2^16 are allowed.
        delta = sum(map(abs, ts)) * mp.ldexp(1, 16 - mp.prec)
        inside = round_interval(dt, t, delta)
        digits = delta < abs(t) * mp.ldexp(1, -160)
        if inside and digits:
            break
    R, s, B = anchor(op, z, y)
    beside, (_, off, midpoint) = round_beside(dt, R, s, B), dt.round(R)
    assert digits and (inside or beside) and inside in (None, beside or inside), (op, dt.name, hex(zb), yb, inside, beside)
    tie = beside and (midpoint or y == HALF and abs(z) < 1 and off == 0) and ('near_zero_tie' if abs(z) < 1 else 'far_tie')
    return Result(*(inside or beside), decimal(t), tie or group_of(op, dt, z, y, t), 'interval' if inside else 'anchor', t)

def group_of(op, dt, z, y, t):
    if op == OPS[3] and abs(t) < to_mpf(min(y, 1 - y)) / 4:
        return 'crossing'
    if mp.ldexp(1, dt.emin - dt.p - 4) < abs(t) < mp.ldexp(1, dt.emin + 2):
        return 'subnormal_border'
    if y is not None and (0 < y <= pow2(dt.emin + 2) or 0 < 1 - y <= pow2(1 - dt.p)):
        return 'label_near_one'  # and near 0
    far = (dt.p - dt.emin) * F(7, 5)  # twice the |z| at which exp(-|z|) is below half the smallest subnormal
    return 'huge' if abs(z) > far else 'tiny' if abs(z) < pow2(-dt.p) else 'ordinary'

class Inputs:
    """What the points of every op in one dtype are made of."""

    def __init__(self, dt, rng):
        self.dt, self.rng = dt, rng
        p, one = dt.p, dt.enc(1)
        self.one, self.a0 = one, 2 * (p - dt.emin)
        self.ends = self.both([0, 1, 2, 3, dt.top, dt.top - 1, dt.norm, dt.norm - 1])
        self.units = self.both(dt.near(F(1)))
        odd = lambda k: [dt.enc(n * pow2(-k)) for n in [1, 3, 2 ** p - 1] + [2 * rng.randrange(dt.norm) + 1 for _ in range(4)]]
        self.mids, self.half_mids = odd(p + 1), odd(p + 2)  # labels for which 1-y, or 1/2-y, is a midpoint
        self.edges = [1, 2, 3, dt.norm - 1, dt.norm, one - 1, one - 2]
        self.plain = [0, one] + [dt.enc(F(q)) for q in '1/2 1/4 3/4 1/10 9/10 1/3'.split()]

    def both(self, bs):  # with both signs
        return [b ^ s for b in bs for s in (0, self.dt.sign)]

    def signed(self, n, lo, hi):
        return [self.rng.randrange(lo, hi) | self.rng.choice((0, self.dt.sign)) for _ in range(n)]

    def spread(self, n):  # every binade alike, then typical logits
        return self.signed(n, 0, self.dt.inf) + [self.dt.enc(self.rng.gauss(0, 4)) for _ in range(n)]

    def far(self, n):
        return self.signed(n, self.dt.enc(self.a0), self.dt.enc(64 * self.a0))

    def label(self):
        r = self.rng
        return r.choice([self.dt.enc(r.random()), r.randrange(self.one + 1), r.choice(self.plain), r.choice(self.edges)])

    def borders(self, op, y, sign, limits):
        """Around the last |z| whose result is on zero's side of each limit (0 against not, subnormal, saturated)."""
        out = []
        for limit in limits:
            inner = lambda o: (truth(op, self.dt, o | sign, y).bits % self.dt.sign >= limit) == (limit < self.one)
            a, b = 0, self.dt.top
            assert inner(a) and not inner(b)
            while b - a > 1:
                m = (a + b) // 2
                a, b = (m, b) if inner(m) else (a, m)
            out += [(self.dt.step(a | sign, k), y) for k in range(-2, 3)]
        mp.prec = 400
        return out

def unary_points(op, dt, x):
    p, S = dt.p, dt.sign
    out = x.borders(op, None, S, (1, dt.norm)) + x.borders(op, None, 0, (x.one,) if op == 'sigmoid' else (1, dt.norm))
    # nearest to where sigma(-z) = 2^-k, or sigma' = sech(z/2)^2/4 = 2^-k
    inverse = {'sigmoid': lambda k: mp.log(2 ** k - 1), 'sigmoid_grad': lambda k: 2 * mp.acosh(mp.sqrt(2 ** k) / 2)}[op]
    zs = [z for k in (2, 3, 4, 5, 8, p - 1, p, p + 1) for z in dt.near(inverse(k))]
    # 1/2 + z/4 and 1/4 - z^2/16 at and beside midpoints
    zs += [dt.enc(k * pow2(-j)) for j in range(p - 2, p + 3) for k in (1, 3, 5)]
    zs += [z for k in (1, 3, 5) for z in dt.near(mp.sqrt(k * mp.ldexp(1, 1 - p)))]
    zs = x.ends + [dt.inf, dt.inf | S, dt.nan, dt.nan | S | 1] + x.units + x.both(zs) + x.spread(45)
    return out + [(z, None) for z in zs]

def pair_points(op, dt, x):
    p, S, one, half, rng, grad = dt.p, dt.sign, x.one, dt.enc(HALF), x.rng, op == OPS[3]
    out = x.borders(op, 0, S, (1, dt.norm)) + x.borders(op, one, 0, (1, dt.norm))
    out += [(z, y) for z in x.ends + x.units for y in (0, one, half, x.label())]
    out += [(z, y) for z in (dt.inf, dt.inf | S) for y in x.plain[:4] + x.edges + x.mids + x.half_mids[:2]]
    out += [(dt.nan, half), (dt.nan | S | 1, 0), (one, dt.nan), (dt.inf, dt.nan), (dt.nan, dt.nan), (one, S), (dt.inf | S, S)]
    labels = x.half_mids + x.mids + x.edges + x.plain
    out += [(z, y) for z in (0, S, 1, S | 1, dt.norm, dt.top, S | dt.top) for y in labels[::1 if grad else 4]]
    out += [(z, y) for y in x.edges for z in x.spread(2) + x.far(2)] + [(z, x.label()) for z in x.spread(50)]
    # products a*c that are midpoints far out, in the normal and then in the subnormal range
    tries = [(z, rng.choice(x.plain[3:] + x.mids + [dt.enc(F(rng.randrange(1, 64), 64))])) for z in x.far(4000)]
    out += [(z, y) for z, y in tries if dt.round(abs(dt.decode(z)) * (dt.decode(y) if z & S else 1 - dt.decode(y)))[2]][:12]
    out += [(z | S, k) for a in (x.a0, 2 * x.a0) for k in (1, 3) for z in dt.near(a + HALF)]
    # y = 1/2: z/4 exact, midpoint and neither, in and above the subnormal range of the result
    small = [*range(4, 17), *range(dt.norm, dt.norm + 5), 2 * dt.norm + 2, 2 * dt.norm + 3, 4 * dt.norm + 1]
    out += [(z, half) for z in x.both(small) + x.signed(12, 0, dt.inf)]
    if grad:
        out += [(z, y) for z in x.both(x.far(3)) for y in x.mids]
        ys = x.plain[2:] + x.edges + x.mids[:3] + x.half_mids[:2] + [x.label() for _ in range(16)]
        qs = [(y, to_mpf(dt.decode(y)), to_mpf(1 - dt.decode(y))) for y in ys if 0 < y < one]
        return out + [(z, y) for y, q, r in qs for z in dt.near(mp.log(q / r))]
    # nearest to where the loss passes 2^k: log1p(e^z) = 2^k at y = 0
    return out + [(z, 0) for k in (-12, -6, -2, -1, 0, 1, 2, 3) for z in dt.near(mp.log(mp.expm1(mp.ldexp(1, k))))]

def self_check(rows, rng):
    """Decoding against struct, identities to 330 digits, then PARI, from the textbook forms, at 1,200 digits so that what cancels leaves 100."""
    finite = [(op, dt.decode(z), F(0) if y is None else dt.decode(y), r) for op, dt, z, y, r in rows if r.t is not None]
    for _, dt, z, _, r in rows:
        for b in (z, r.bits):
            form = {16: '<H<e', 32: '<I<f', 64: '<Q<d'}[32 if dt.name == 'bf16' else dt.width]
            x = struct.unpack(form[2:], struct.pack(form[:2], b << 16 if dt.name == 'bf16' else b))[0]
            assert x == float(dt.decode(b)) or x != x and dt.decode(b) == NAN, (dt.name, hex(b))
    mp.prec = 1200
    eps, total = mp.ldexp(1, -1100), lambda *a: mp.fsum(terms(*a))
    for _, z, y, _ in rng.sample(finite, 400):
        assert abs(total(OPS[0], z, y) + total(OPS[0], -z, y) - 1) < eps
        for c in (y, F(1, 3)):
            loss = total(OPS[2], z, c)
            assert abs(loss - total(OPS[2], -z, 1 - c)) < loss * eps
            assert abs(total(OPS[3], z, c) + total(OPS[3], -z, 1 - c)) < eps
    gp = shutil.which('gp')
    if not gp:
        return 'SKIPPED, no gp on PATH'
    forms = dict(zip(OPS, ('s', 's*(1-s)', '-y*log(s)-(1-y)*log(1-s)', 's-y')))
    fit = [x for x in finite if 2 ** -800 < abs(x[1]) < 700 and mp.mag(x[3].t) > -1500]
    pick = [x for op in OPS for x in rng.sample([f for f in fit if f[0] == op], 30)]
    code = ['default(realprecision,1200);default(parisizemax,2^28);default(format,"e.110");']
    code += ['z=%s;y=%s;s=1/(1+exp(-z*1.));print(%s)' % (z, y, forms[op]) for op, z, y, _ in pick]
    done = subprocess.run([gp, '-q', '-f'], input='\n'.join(code) + '\n', capture_output=True, text=True, check=True)
    values = [line.replace(' E', 'e') for line in done.stdout.split('\n') if line.strip()]
    assert len(values) == len(pick), done.stderr
    mp.prec = 4608
    for v, (op, z, y, _) in zip(values, pick):
        t = total(op, z, y)
        assert abs(mpf(v) - t) < abs(t) * mpf(10) ** -100, (op, z, y)
    return '%d points agree to 100 digits' % len(pick)

def main():
    rng, rows = random.Random(20240607), []
    for op in OPS:
        for dt in map(Dtype, FORMATS):
            mp.prec = 400
            ps = (unary_points if op in OPS[:2] else pair_points)(op, dt, Inputs(dt, rng))
            rows += [(op, dt, z, y, truth(op, dt, z, y)) for z, y in dict.fromkeys(ps)]
    pari = self_check(rows, rng)
    default = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'truth_table.csv')
    with open(sys.argv[1] if len(sys.argv) > 1 else default, 'w', newline='') as f:
        w = csv.writer(f, lineterminator='\n')
        w.writerow('op,dtype,z_bits,y_bits,cr_bits,side,true_value,group'.split(','))
        for op, dt, z, y, r in rows:
            bits = ['' if b is None else '0x%0*x' % (dt.width // 4, b) for b in (z, y, r.bits)]
            w.writerow([op, dt.name, *bits, r.side, r.text, r.group])
    counts = collections.Counter((op, r.group, dt.name) for op, dt, _, _, r in rows)
    for op, group in sorted({k[:2] for k in counts}):
        print('%-21s%-17s' % (op, group), *('%s %-4d' % (d, counts[op, group, d]) for d in FORMATS))
    print(len(rows), 'points;', sum(r.how == 'anchor' for *_, r in rows), 'decided by R + eps alone; PARI:', pari)

if __name__ == '__main__':
    main()
