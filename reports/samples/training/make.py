# SPDX-License-Identifier: Apache-2.0
"""Makes build/samples/training/README.md: networks trained with kernels that have one known fault each.

Usage: ./run samples training        (./run samples keep copies it to reports/samples/training)
       make.py ULPAUDIT"""
import json, os, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join('build', 'samples', 'training')
SEEDS = (1, 2, 3)
NOISE = 'stable'  # no fault: at most 2.6 ulp off. What it changes, any correct kernel may change
FAULTS = {  # plug-in: what is wrong with it
    'off_8950': 'σ is 8950 ulp too large about z = 2, and right elsewhere',
    'flushes': 'σ, σ′, the loss and its gradient give 0 for subnormals',
    'nan_far': 'σ gives NaN from \\|z\\| = 4·10²⁶ on',
    'grad_zero': 'σ′ is s(1−s) of the rounded s: exactly 0 from z = 16.64 on',
    'confident': 'the loss is max(z,0) − zy + log(1+e^−\\|z\\|), its gradient σ(z) − y: no digit is left for '
                 'confident predictions',
    'bf16_steps': 'bf16, and every operation inside of σ, σ′ and the gradient is rounded to it',
}
LIMIT = 0.01  # docs/training.md: as much as the final loss may differ


def call(program, *args):
    done = subprocess.run([program, *args], stdout=subprocess.PIPE, encoding='utf-8')
    if done.returncode not in (0, 1):
        sys.exit('samples: %s ended with exit code %d' % (' '.join(args), done.returncode))
    return json.loads(done.stdout)


def plugins(program):
    build = os.path.dirname(os.path.dirname(os.path.abspath(program)))
    subprocess.run(['cmake', '--build', build, '--target', 'training_faults'], check=True, stdout=subprocess.DEVNULL)
    return {name: os.path.join(build, 'training_faults', name + '.so') for name in FAULTS}


def figure(v):
    return '∞' if v == 'inf' else '%.3g' % v if v < 1e4 else '{:,}'.format(round(v)) if v < 1e9 else '%.1e' % v


def ulps(program, files):
    """Largest finite error of each plug-in's kernels, and what else is wrong with them."""
    out = {}
    for name, file in files.items():
        report = call(program, 'sweep', '--json', '--quiet', '--plugin', file, '--impl', name + '/*', '--points', '200000')
        totals = [r for r in report['results'] if r['region'] == 'all' and r['dtype'] == ('bf16' if name == 'bf16_steps' else 'f32')]
        worst = max((r['statistics']['max_ulp'] or 0 for r in totals), key=float)
        besides = {c['category'] for r in totals for c in r['categories']}
        out[name] = ' ulp; '.join([figure(float(worst)), ', '.join(sorted(besides))]) if besides else figure(float(worst)) + ' ulp'
    return out


def train(program, files, *more):
    """seed -> {(network, data, path, dtype): {implementation: row}}"""
    chosen = [a for name, file in files.items() for a in ('--plugin', file, '--impl', name + '/*')]
    out = {}
    for seed in SEEDS:
        rows = call(program, 'train', '--json', '--quiet', '--seed', str(seed), '--impl', NOISE + '/*', *chosen, *more)['training']
        for r in rows:
            lesson = (r['network'], r['data'], r['path'], r['dtype'])
            out.setdefault(seed, {}).setdefault(lesson, {})[r['implementation']] = r
    return out


def breaks(row):
    return row['outcome'] in ('nan', 'stalls', 'failed')


def off(row, exact):
    """How far the final loss is from that of exact kernels, as a part of the reference's."""
    return abs(row['drift'] - exact['drift']) if 'drift' in row and 'drift' in exact else None


def judge(runs, lesson, name):
    """(gravity, words): 0 the same bits, 1 no more than a correct kernel, 2 more, 3 NaN or a stall."""
    pairs = [(runs[s][lesson][name], runs[s][lesson]['exact kernels'], runs[s][lesson].get(NOISE)) for s in SEEDS]
    broken = [r for r, e, _ in pairs if breaks(r) and not breaks(e)]
    if broken:
        return 3, '**%s**' % broken[0]['verdict'].split(';')[0]
    if any(breaks(e) for _, e, _ in pairs):
        return 1, 'as exact kernels: ' + next(e for _, e, _ in pairs if breaks(e))['verdict'].split(',')[0]
    if all(r.get('weights_distance') == e.get('weights_distance') and r['curve'] == e['curve'] for r, e, _ in pairs):
        return 0, 'the same bits'
    worst = max(off(r, e) for r, e, _ in pairs)
    noise = max((off(n, e) or 0 for _, e, n in pairs if n), default=0)
    if worst <= LIMIT:
        return 1, 'within %.2g %%' % (100 * worst)
    if min(off(r, e) for r, e, _ in pairs) <= max(LIMIT, noise):
        return 1, 'within %.2g %%; a correct kernel %.2g %%' % (100 * worst, 100 * noise)
    drifts = [100 * r['drift'] for r, _, _ in pairs]
    return 2, '**%+.2g to %+.2g %%**' % (min(drifts), max(drifts))


def table(head, rows):
    return '\n'.join('| %s |' % ' | '.join(r) for r in [head, ['---'] * len(head), *rows]) + '\n'


def words(lesson):
    network, data, path, dtype = lesson
    return '%s on %s, %s, %s' % (network, data, path, dtype)


def fault_rows(runs, errors):
    """A row for each fault, and the names by the gravest that happens to them."""
    rows, grave = [], {}
    for name, what in FAULTS.items():
        cells = [(judge(runs, lesson, name), lesson) for lesson in runs[SEEDS[0]] if name in runs[SEEDS[0]][lesson]]
        worst = max(g for (g, _), _ in cells)
        grave.setdefault(worst, []).append(name)
        same = sum(g == 0 for (g, _), _ in cells)
        said = ['%s: %s' % (words(lesson), text) for (g, text), lesson in cells if g == worst and g > 1]
        if not said:
            drifts = [text for (g, text), _ in cells if g == 1 and text.startswith('within')]
            said = [max(drifts, key=lambda t: float(t.split()[1].rstrip('%')), default='')] if drifts else []
        rows.append(['`%s`' % name, what, errors[name], '%d of %d' % (same, len(cells)), '; '.join(said) or '–'])
    return rows, grave


def path_rows(runs):
    """What exact kernels do along each path: the fault of the path, or of the dtype."""
    rows = []
    for lesson in runs[SEEDS[0]]:
        rs = [runs[s][lesson]['exact kernels'] for s in SEEDS]
        lost = max(rs, key=lambda r: r['gradients']['digits'] + r['derivatives']['digits'])
        points = lost['gradients']['results'] + lost['derivatives']['results']
        first = min((lost[k][f] for k in ('gradients', 'derivatives') for f in ('digits_from',) if f in lost[k]), default=None)
        share = (lost['gradients']['digits'] + lost['derivatives']['digits']) / points
        verdicts = sorted({r['verdict'].split(',')[0] if breaks(r) else '%+.2g %%' % (100 * r['drift']) for r in rs})
        rows.append([words(lesson), ', '.join(verdicts),
                     '–' if first is None else '%.2g %% of gradients, from \\|z\\| = %.3g on' % (100 * share, first)])
    return rows


def listed(names):
    return ', '.join('`%s`' % n for n in names)


def main():
    program = sys.argv[1]
    os.chdir(os.path.join(HERE, '..', '..', '..'))
    files = plugins(program)
    runs = train(program, files)
    rows, grave = fault_rows(runs, ulps(program, files))
    nothing, little = grave.get(0, []), grave.get(1, [])
    lines = []
    if nothing:
        lines.append('- **Change nothing**: %s. Every loss and every weight of every network has the same bits as with exact kernels.' % listed(nothing))
    if little:
        lines.append('- **Change nothing that holds for every seed**: %s. For at least one seed the final loss lies within 1 %% of that '
                     'with exact kernels, or no further off than with `stable`, whose errors are below 3 ulp.' % listed(little))
    if grave.get(2):
        lines.append('- **Change the model**: %s, in every seed and by more than a correct kernel.' % listed(grave[2]))
    if grave.get(3):
        lines.append('- **Break the training**: %s.' % listed(grave[3]))
    with open(os.path.join(HERE, 'template.md'), encoding='utf-8') as f:
        page = f.read()
    page = page.replace('{{verdicts}}', '\n'.join(lines))
    page = page.replace('{{faults}}', table(['kernel', 'fault', 'largest error', 'same bits in', 'where it shows most'], rows))
    page = page.replace('{{paths}}', table(['network, path, dtype', 'final loss against the reference', 'over half of the digits lost'],
                                           path_rows(runs)))
    os.makedirs(OUT, exist_ok=True)
    with open(os.path.join(OUT, 'README.md'), 'w', encoding='utf-8') as f:
        f.write(page)
    print(os.path.join(OUT, 'README.md'))


if __name__ == '__main__':
    main()
