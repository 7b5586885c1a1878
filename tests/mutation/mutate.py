# SPDX-License-Identifier: Apache-2.0
"""Mutation testing of the harness: changes one operator, constant or comparison of the judging code
at a time, builds what depends on it, and runs the tests of that layer until one fails. Works in a
scratch copy of the tree; README.md beside this file says how to run it and what it found.
"""
import argparse, collections, hashlib, json, os, random, re, resource, shlex, shutil, signal
import subprocess, sys, time, tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# What is mutated, and the layer whose tests must notice.
FILES = {
    'truth': ['harness/truth/%s' % f for f in (
        'double_double-inl.h', 'fast_judge-inl.h', 'fast_judge.cpp', 'fast_judge_f64.cpp',
        'final_judge.cpp', 'load_double-inl.h', 'score.cpp', 'score.hpp', 'truth.hpp')],
    'score': ['harness/score/%s' % f for f in (
        'accumulator.cpp', 'accumulator.hpp', 'batch_truth.cpp', 'error_sums-inl.h', 'label_rows.cpp',
        'place-inl.h', 'scan_block.cpp', 'score_block.cpp', 'score_block.hpp', 'trend_spans.hpp')],
    'record': ['harness/record/%s' % f for f in ('statistics.cpp', 'tally.cpp', 'tally.hpp')],
    'verdict': ['harness/verdict/%s' % f for f in (
        'accuracy_rules.cpp', 'causes.cpp', 'draft.cpp', 'occurs.cpp', 'unfinished.cpp',
        'verdict.cpp')],
    'gate': ['harness/gate/%s' % f for f in ('baseline.cpp', 'compare.cpp')],
    'properties': ['harness/properties/%s' % f for f in (
        'applicable.cpp', 'breach.cpp', 'check.cpp', 'coverage.cpp', 'fixed_cases.cpp',
        'generators.cpp', 'generators.hpp', 'manners.cpp', 'subject.cpp', 'subject.hpp',
        'symmetric_by_sweep.cpp', 'trial.cpp', 'value_rules.cpp')],
}
LAYER_OF = {file: layer for layer, files in FILES.items() for file in files}

# The tests of a layer, the cheapest first: GoogleTest programs, then commands and the corpus.
PROGRAMS = {
    'truth': ['truth', 'measure'],
    'score': ['measure', 'record', 'device'],
    'record': ['record', 'measure', 'gate'],
    'verdict': ['gate'],
    'verdict': ['gate'],
    'gate': ['gate'],
    'properties': ['properties'],
}
SWEEP = 'cli/sweep_test.py Search Contracts Reproducible Figures'
SCRIPTS = {
    'truth': ['measure/recount_test.py'],
    'score': ['measure/recount_test.py', SWEEP, 'cli/diff_test.py'],
    'record': ['measure/recount_test.py', SWEEP, 'cli/diff_test.py'],
    'verdict': [SWEEP, 'cli/gate_test.py ' + ' '.join('Catches.test_' + t for t in (
        'nothing_where_nothing_changed', 'a_coefficient_changed_in_its_last_bit',
        'a_nan_at_one_input', 'weaker_evidence', 'an_expected_failure_that_passes'))],
    'gate': ['cli/gate_test.py'],
    'properties': ['cli/check_test.py Check Contracts'],
}
# Faults of the corpus by the file that finds them; DEFAULT_FAULTS for the others.
DEFAULT_FAULTS = ['half_missed', 'stale_tail', 'output_read', 'reads_vector_past']
FAULTS = {
    'applicable.cpp': [],
    'breach.cpp': ['half_missed', 'writes_one_past', 'bf16_not_monotone', 'output_read',
                   'determinism_twin'],
    'check.cpp': ['half_missed', 'bf16_not_monotone', 'sigmoid_asymmetric', 'output_read',
                  'reads_vector_past', 'determinism_twin'],
    'coverage.cpp': [],
    'fixed_cases.cpp': ['lane_constant_wrong', 'stale_tail', 'reads_vector_past', 'writes_one_past',
                        'output_read', 'determinism_twin'],
    'generators.cpp': ['half_missed', 'lane_constant_wrong', 'coarse_exp', 'nan_payload_unknown'],
    'generators.hpp': ['half_missed', 'lane_constant_wrong'],
    'manners.cpp': ['lane_constant_wrong', 'stale_tail', 'writes_one_past', 'output_read',
                    'determinism_twin'],
    'subject.cpp': ['half_missed', 'stale_tail', 'reads_vector_past', 'sigmoid_asymmetric'],
    'subject.hpp': ['half_missed', 'stale_tail', 'reads_vector_past'],
    'symmetric_by_sweep.cpp': ['sigmoid_asymmetric'],
    'trial.cpp': ['lane_constant_wrong', 'output_read'],
    'value_rules.cpp': ['nan_payload_unknown', 'half_missed', 'threshold_late', 'sigmoid_asymmetric',
                        'coarse_exp', 'half_logit', 'sign_lost_in_all'],
}
MORE_SCRIPTS = {'applicable.cpp': ['cli/exec_test.py Program']}
OPTIONS = {'ULPAUDIT_CUDA': 'OFF', 'ULPAUDIT_LIBTORCH': 'OFF', 'ULPAUDIT_MPI': 'OFF',
           'ULPAUDIT_WERROR': 'OFF', 'ULPAUDIT_TESTS': 'ON',
           'CMAKE_GTEST_DISCOVER_TESTS_DISCOVERY_MODE': 'PRE_TEST'}

SLOW_CASE = 1.0       # seconds from which a GoogleTest case runs behind the others
LIMIT_FACTOR = 4      # of the time that the tests take without a change
LIMIT_LEAST = 15      # seconds
MEMORY = 12 << 30     # bytes of address space of a test
BUILD_LIMIT = 400     # seconds

# ---------------------------------------------------------------------------------------------
# Candidates.

BINARY = {
    '<': ['<=', '>='], '<=': ['<', '>'], '>': ['>=', '<='], '>=': ['>', '<'], '==': ['!='],
    '!=': ['=='], '+': ['-'], '-': ['+'], '*': ['/'], '/': ['*'], '&&': ['||'], '||': ['&&'],
    '+=': ['-='], '-=': ['+='], '<<': ['>>'], '>>': ['<<'], '%': ['+'],
}
BINARY_AT = re.compile(r'(?<=[\s])(<=|>=|==|!=|\+=|-=|&&|\|\||<<|>>|<|>|\+|-|\*|/|%)(?=\s)')
NOT_AT = re.compile(r'(?<![\w!=])!(?=[\w(*])')
NUMBER_AT = re.compile(
    r"(?<![\w.'])(?:0[xX][0-9a-fA-F.']+[pP][+-]?\d+|0[xX][0-9a-fA-F']+[uUlL]*"
    r"|\d[\d']*\.\d*(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d[\d']*[uUlL]*)(?![\w.'])")
WORD_AT = re.compile(r'\b(true|false|continue)\b')
RETURN_AT = re.compile(r'\breturn\s+([^;{}?]+);')


def blanked(text):
    """The text with spaces for comments, literals, preprocessor lines and static_asserts."""
    out = list(text)

    def blank(start, end):
        for i in range(start, end):
            if out[i] != '\n':
                out[i] = ' '

    literal = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
                         r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.S)
    for m in literal.finditer(text):
        blank(m.start(), m.end())
    for pattern in (re.compile(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', re.M),
                    re.compile(r'\bstatic_assert\s*\(.*?;', re.S)):
        for m in pattern.finditer(''.join(out)):
            blank(m.start(), m.end())
    return ''.join(out)


def in_template(code, start, end):
    """Is the token an argument of a template?"""
    before, after = code[:start].rstrip(' '), code[end:].lstrip(' ')
    if before.endswith('<') and not code[:start].endswith(' '):
        return True
    return after.startswith('>') and not code[end:].startswith(' ')


def numbers_for(token):
    """What a number is changed to."""
    plain = token.replace("'", '')
    if re.match(r'0[xX]', plain) and re.search('[pP]', plain):
        mantissa, exponent = re.split('[pP]', plain)
        e = int(exponent)
        return ['%sp%d' % (mantissa, x) for x in (e + 1, e - 1, 2 * e) if x != e]
    if re.search(r'[.]|[eE](?![xX])', plain) and not plain.lower().startswith('0x'):
        v = float(plain)
        return ['1.0'] if v == 0 else [repr(2 * v), repr(v / 2)]
    digits = re.match(r'0[xX][0-9a-fA-F]+|\d+', plain).group(0)
    suffix = plain[len(digits):]
    v = int(digits, 0) if not re.fullmatch(r'0\d+', digits) else int(digits, 8)
    shown = (lambda n: hex(n) + suffix) if digits.lower().startswith('0x') else (
        lambda n: str(n) + suffix)
    return [shown(1)] if v == 0 else [shown(v + 1), shown(v - 1)]


def candidates(file, text):
    """Every change of one file: dicts with the place and both texts."""
    code = blanked(text)
    found = []

    def add(start, end, new, change):
        found.append({'file': file, 'start': start, 'end': end, 'new': new, 'change': change})

    for m in BINARY_AT.finditer(code):
        for new in BINARY[m.group(1)]:
            add(m.start(1), m.end(1), new, '%s → %s' % (m.group(1), new))
    for m in NOT_AT.finditer(code):
        add(m.start(), m.end(), '', '! dropped')
    for m in NUMBER_AT.finditer(code):
        if in_template(code, m.start(), m.end()):
            continue
        for new in numbers_for(m.group(0)):
            add(m.start(), m.end(), new, '%s → %s' % (m.group(0), new))
    for m in WORD_AT.finditer(code):
        if in_template(code, m.start(), m.end()):
            continue
        new = {'true': 'false', 'false': 'true', 'continue': 'break'}[m.group(1)]
        add(m.start(), m.end(), new, '%s → %s' % (m.group(1), new))
    for m in RETURN_AT.finditer(code):
        if re.search(r'==|!=|&&|\|\||[\s(]![\w(]| [<>]=? |^!', m.group(1)):
            add(m.start(1), m.end(1), '!(%s)' % text[m.start(1):m.end(1)], 'return negated')
    found.sort(key=lambda c: (c['start'], c['change']))
    counts = collections.Counter()
    lines = [line.strip() for line in text.split('\n')]
    for c in found:
        begin = text.rfind('\n', 0, c['start']) + 1
        end = text.find('\n', c['start'])
        c['line'] = text.count('\n', 0, c['start']) + 1
        c['column'] = c['start'] - begin + 1
        c['text'] = text[begin:end].strip()
        c['copy'] = lines[:c['line']].count(c['text'])
        key = (c['line'], c['change'])
        counts[key] += 1
        c['nth'] = counts[key]
    return found


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def all_candidates(root, only):
    out = {}
    for file in LAYER_OF:
        if only and not any(word in file for word in only):
            continue
        out[file] = candidates(file, read(os.path.join(root, file)))
    return out


def sample(by_file, count, seed, least=3):
    """`count` changes spread over the files as their candidates are, but at least a few of each; one
    at a place. Groups of one file follow each other in an order that any part of is a fair sample."""
    rng = random.Random(seed)
    total = sum(map(len, by_file.values()))
    groups = []
    for file in sorted(by_file):
        here = by_file[file]
        places = sorted({c['start'] for c in here})
        n = min(len(places), max(least, round(count * len(here) / max(total, 1))))
        chosen = [rng.choice([c for c in here if c['start'] == place])
                  for place in rng.sample(places, n)]
        groups += [chosen[i:i + 3] for i in range(0, len(chosen), 3)]
    rng.shuffle(groups)
    return [c for g in groups for c in g]


# ---------------------------------------------------------------------------------------------
# The scratch copy and its build.

class Failed(Exception):
    """What could not even be set up."""


def limits():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(command, limit, env=None, cwd=None, limited=True):
    """Exit code and output; None as code where it did not end in time. Ends all its children."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, env=env, cwd=cwd, encoding='utf-8',
                             errors='replace', start_new_session=True,
                             preexec_fn=limits if limited else None)
    try:
        out, _ = child.communicate(timeout=limit)
        return child.returncode, out
    except subprocess.TimeoutExpired:
        return None, 'no end after %d s' % limit
    finally:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        child.wait()


def copy_tree(to):
    """Makes `to` equal to the working tree, without touching files that are equal already."""
    listed = subprocess.run(['git', '-C', ROOT, 'ls-files', '-z', '--cached', '--others',
                             '--exclude-standard'], check=True, stdout=subprocess.PIPE)
    wanted = set()
    for name in listed.stdout.decode().split('\0'):
        source = os.path.join(ROOT, name)
        if not name or not os.path.isfile(source):
            continue
        wanted.add(name)
        target = os.path.join(to, name)
        if os.path.exists(target):
            with open(source, 'rb') as a, open(target, 'rb') as b:
                if a.read() == b.read():
                    continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(source, target)
    for folder, _, files in os.walk(to):
        for f in files:
            path = os.path.join(folder, f)
            if os.path.relpath(path, to) not in wanted:
                os.remove(path)


class Scratch:
    """A copy of the tree, its build folder, and the times of its tests."""

    def __init__(self, work, jobs, quick):
        self.quick = quick  # GoogleTest programs alone
        self.src, self.build = os.path.join(work, 'src'), os.path.join(work, 'build')
        self.jobs = jobs
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith('ULPAUDIT') and k != 'MAKEFLAGS'}
        tests = os.path.join(self.build, 'tests')
        self.env.update({
            'ULPAUDIT': os.path.join(self.build, 'bin', 'ulpaudit'),
            'ULPAUDIT_FAULTS': os.path.join(tests, 'faults'),
            'ULPAUDIT_CORPUS': os.path.join(tests, 'corpus'),
            'ULPAUDIT_GATED': os.path.join(tests, 'gated'),
            'ULPAUDIT_JUDGED': os.path.join(tests, 'judged'),
            'ULPAUDIT_RECORDER': os.path.join(tests, 'measure', 'recorder_plugin.so'),
            'PYTHONDONTWRITEBYTECODE': '1'})

    def set_up(self):
        os.makedirs(self.src, exist_ok=True)
        copy_tree(self.src)
        options = ['-D%s=%s' % o for o in OPTIONS.items()]
        options += ['-DCMAKE_BUILD_TYPE=Mutation', '-DCMAKE_CXX_FLAGS_MUTATION=-O1 -DNDEBUG',
                    '-DCMAKE_C_FLAGS_MUTATION=-O1 -DNDEBUG']
        linker = next((l for l in ('mold', 'lld', 'gold') if shutil.which('ld.' + l)), None)
        if linker:
            options.append('-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=' + linker)
        code, out = run(['cmake', '-S', self.src, '-B', self.build, '-G', 'Ninja', *options], 600,
                        limited=False)
        if code != 0:
            raise Failed('cmake failed:\n' + out[-3000:])
        code, out = self.ninja(self.targets(), 4 * 3600)
        if code != 0:
            raise Failed('the tree does not build without a change:\n' + out[-3000:])

    def targets(self):
        """The programs, and every plug-in that their tests load."""
        faults = {f for names in [DEFAULT_FAULTS, *FAULTS.values()] for f in names}
        scripts = {s.split()[0] for names in [*SCRIPTS.values(), *MORE_SCRIPTS.values()]
                   for s in names}
        words = {w for s in scripts for w in re.findall(
            r'\w+', read(os.path.join(self.src, 'tests', s)))}
        out = ['ulpaudit', 'ulpaudit-worker', 'naive', 'stable', 'simd', 'exact', 'recorder_plugin']
        out += sorted({p + '_test' for layer in PROGRAMS.values() for p in layer})
        _, listed = run(['ninja', '-C', self.build, '-t', 'targets', 'all'], 60, limited=False)
        out += sorted('corpus_' + f for f in set(re.findall(r'^corpus_(\w+): phony', listed, re.M))
                      if f in faults or f in words)
        return out + sorted(set(re.findall(r'^((?:fault|gated|judged)_\w+): phony', listed, re.M)))

    def ninja(self, targets, limit=BUILD_LIMIT):
        return run(['ninja', '-C', self.build, '-j%d' % self.jobs, *targets], limit, limited=False)

    # -- Tests.
    def steps(self, file):
        """What must be run for a file: (name, targets to build before, command)."""
        layer, base = LAYER_OF[file], os.path.basename(file)
        out = []
        slow = []
        for program in PROGRAMS[layer]:
            name = program + '_test'
            path = os.path.join(self.build, 'tests', name)
            late = self.slow_cases.get(name, [])
            out.append((name, [name], [path, '--gtest_fail_fast', '--gtest_brief=1',
                                       '--gtest_filter=-' + ':'.join(late)]))
            slow += [('%s %s' % (name, case), [name], [path, '--gtest_fail_fast', '--gtest_brief=1',
                                                       '--gtest_filter=' + case]) for case in late]
        out += sorted(slow, key=lambda s: self.times.get(s[0], 0))
        if self.quick:
            return out
        program = ['ulpaudit', 'ulpaudit-worker']
        if layer == 'properties':
            faults = os.path.join(self.src, 'tests', 'faults', 'faults_test.py')
            out += [('fault ' + f, program, ['/usr/bin/python3', '-B', faults, '--only', f])
                    for f in FAULTS.get(base, DEFAULT_FAULTS)]
        for s in MORE_SCRIPTS.get(base, []) + SCRIPTS[layer]:
            script, *cases = s.split()
            out.append((script, program, [
                '/usr/bin/python3', '-B', os.path.join(self.src, 'tests', script), '-f', *cases]))
        return out

    def digest(self, *folders):
        """Of the files in these folders of the copy."""
        out = hashlib.sha256()
        for folder in folders:
            for at, _, files in sorted(os.walk(os.path.join(self.src, folder))):
                for f in sorted(files):
                    if not at.endswith('mutation'):
                        with open(os.path.join(at, f), 'rb') as data:
                            out.update(f.encode() + data.read())
        return out.hexdigest()

    def measure(self, cache):
        """Runs every step without a change: all must pass, and their times give the limits. They are
        kept for the next run of the same files."""
        self.slow_cases, self.times = {}, {}
        keys = {'programs': self.digest('harness', 'tests'), 'scripts': self.digest(
            'harness', 'tests/cli', 'tests/faults', 'tests/gate', 'tests/plugin/faults')}
        try:
            with open(cache, encoding='utf-8') as f:
                kept = json.load(f)
        except (OSError, ValueError):
            kept = {}
        programs = [p + '_test' for p in sorted({p for all in PROGRAMS.values() for p in all})]
        if kept.get('keys', {}).get('programs') == keys['programs']:
            self.slow_cases = kept['slow']
            self.times.update((k, v) for k, v in kept['times'].items() if k.split()[0] in programs)
        else:
            for name in programs:
                self.measure_program(name)
        if kept.get('keys', {}).get('scripts') == keys['scripts']:
            self.times.update((k, v) for k, v in kept['times'].items()
                              if k.split()[0] not in programs)
        if not self.quick:
            self.measure_scripts()
        with open(cache, 'w', encoding='utf-8') as f:
            json.dump({'keys': keys, 'slow': self.slow_cases, 'times': self.times}, f)

    def measure_program(self, name):
        listing = os.path.join(self.build, name + '.json')
        code, out = run([os.path.join(self.build, 'tests', name), '--gtest_brief=1',
                         '--gtest_output=json:' + listing], 1200, self.env)
        if code != 0:
            raise Failed('%s fails without a change:\n%s' % (name, out[-3000:]))
        times = [(float(case['time'].rstrip('s')), '%s.%s' % (suite['name'], case['name']))
                 for suite in json.loads(read(listing))['testsuites']
                 for case in suite['testsuite']]
        late = sorted(t for t in times if t[0] >= SLOW_CASE)
        self.slow_cases[name] = [case for _, case in late]
        self.times.update(('%s %s' % (name, case), t) for t, case in late)
        self.times[name] = sum(t for t, _ in times if t < SLOW_CASE)

    def measure_scripts(self):
        for file in LAYER_OF:
            for name, _, command in self.steps(file):
                if name in self.times:
                    continue
                for _ in range(2):  # times of calls count: once more, on a busy machine
                    start = time.monotonic()
                    code, out = run(command, 1200, self.env, self.build)
                    if code == 0:
                        break
                else:
                    raise Failed('%s fails without a change:\n%s' % (name, out[-3000:]))
                self.times[name] = time.monotonic() - start

    def judge(self, mutant):
        """What came of one change: result and by what."""
        path = os.path.join(self.src, mutant['file'])
        original = read(path)
        if original[mutant['start']:mutant['end']] == mutant['new']:
            raise Failed('no change: %s' % mutant)
        try:
            with open(path, 'w', encoding='utf-8') as f:
                f.write(original[:mutant['start']] + mutant['new'] + original[mutant['end']:])
            built = set()
            for name, targets, command in self.steps(mutant['file']):
                missing = [t for t in targets if t not in built]
                if missing:
                    code, out = self.ninja(missing)
                    if code is None or 'error:' in out and code != 0:
                        return 'not compiled', re.search(r'[^\n]*error:[^\n]*|$', out).group(0)[-200:]
                    if code != 0:
                        # A generator of the build that was changed with it fails or never ends.
                        return 'killed', 'build'
                    built.update(missing)
                limit = max(LIMIT_LEAST, LIMIT_FACTOR * self.times[name])
                code, out = run(command, limit, self.env, self.build)
                if code is None:
                    return 'killed', name + ' (time-out)'
                if code != 0 and not targets[0].endswith('_test'):
                    # Checks measure times: a failure counts where it comes twice.
                    code, out = run(command, limit, self.env, self.build)
                if code != 0:
                    return 'killed', name + first_failure(out)
            return 'survived', ''
        finally:
            with open(path, 'w', encoding='utf-8') as f:
                f.write(original)


def first_failure(out):
    """The name of the case that failed first, where the output tells."""
    m = re.search(r'\[  FAILED  \] (\S+?)[, ]|^(?:FAIL|ERROR): (\w+)', out, re.M)
    return ': ' + (m.group(1) or m.group(2)) if m else ''


# ---------------------------------------------------------------------------------------------
# Results.

def identity(m):
    return m['file'], m['text'], m['change'], m.get('nth', 1), m.get('copy', 1)


def read_results(path):
    """By place and change; a later line replaces an earlier one."""
    out = {}
    try:
        with open(path, encoding='utf-8') as f:
            for line in f:
                r = json.loads(line)
                out[identity(r) + (r['line'],)] = r
    except FileNotFoundError:
        pass
    return out


def read_accepted(path):
    with open(path, 'rb') as f:
        rows = tomllib.load(f).get('accepted', [])
    for a in rows:
        if not a.get('reason'):
            raise Failed('accepted without a reason: %s' % a)
        text = read(os.path.join(ROOT, a['file']))
        if a['text'] not in [line.strip() for line in text.split('\n')]:
            print('accepted.toml: %s has no line %r any more' % (a['file'], a['text']),
                  file=sys.stderr)
    return {identity(a): a['reason'] for a in rows}


def summary(results, accepted, required):
    """Prints the table; was enough killed?"""
    per = collections.defaultdict(collections.Counter)
    by = collections.Counter()
    for r in results:
        kind = r['result']
        if kind == 'survived' and identity(r) in accepted:
            per[r['file']]['accepted'] += 1
        per[r['file']][kind] += 1
        if kind == 'killed':
            by['time-out' if 'time-out' in r['by'] else r['by'].split(':')[0].split(' ')[0]] += 1
    columns = ('killed', 'survived', 'accepted', 'not compiled')
    print('%-44s %8s %8s %8s %8s %12s' % ('file', 'mutants', *columns))
    total = collections.Counter()
    for file in sorted(per):
        c = per[file]
        total.update(c)
        print('%-44s %8d %8d %8d %8d %12d' % (file, c['killed'] + c['survived'],
                                              *(c[x] for x in columns)))
    mutants = total['killed'] + total['survived']
    print('%-44s %8d %8d %8d %8d %12d' % ('all', mutants, *(total[x] for x in columns)))
    print('killed by: ' + ', '.join('%s %d' % x for x in by.most_common()))
    for r in results:
        if r['result'] == 'survived':
            print('%s %s:%d:%d  %s  %s\n    %s' % (
                'accepted' if identity(r) in accepted else 'SURVIVED', r['file'], r['line'],
                r['column'], r['change'], r['text'], accepted.get(identity(r), '')))
    if not mutants:
        return False
    percent = 100 * total['killed'] / mutants
    print('%d mutants, %d killed (%.1f %%; %g are required), %d survived, %d of them accepted; '
          '%d more did not compile' % (mutants, total['killed'], percent, required, total['survived'],
                                       total['accepted'], total['not compiled']))
    return percent >= required


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--seed', type=int, default=1, help='of the sample')
    parser.add_argument('--count', type=int, default=240, help='changes, about')
    parser.add_argument('--only', action='append', default=[], metavar='WORD',
                        help='files whose path contains the word; may be given again')
    parser.add_argument('--skip', action='append', default=[], metavar='WORD',
                        help='leaves files of the sample out for now, such as headers that rebuild much')
    parser.add_argument('--all', action='store_true', help='every change of these files: hours')
    parser.add_argument('--work', default=os.path.join(os.path.dirname(ROOT), os.path.basename(
        ROOT) + '-scratch'), help='folder of the scratch copy, outside of the tree')
    parser.add_argument('--results', metavar='FILE', help='JSON lines (default: in --work)')
    parser.add_argument('--resume', metavar='FILE', help='the same, and what it holds is not repeated')
    parser.add_argument('--survivors', metavar='FILE',
                        help='only the changes that survived in this file and are not accepted, with '
                        'the tests of today')
    parser.add_argument('--quick', action='store_true', help='GoogleTest programs alone: what '
                        'survives here is for a second run with --survivors')
    parser.add_argument('--minutes', type=float, help='starts no further change after so long')
    parser.add_argument('--jobs', type=int, default=os.cpu_count(), help='of the builds')
    parser.add_argument('--require', type=float, default=90, help='percent that must be killed')
    parser.add_argument('--list', action='store_true', help='prints the sample and ends')
    parser.add_argument('--summary', action='append', default=[], metavar='FILE',
                        help='prints the table of a finished run and ends; later files replace rows')
    args = parser.parse_args()
    accepted = read_accepted(os.path.join(HERE, 'accepted.toml'))
    if args.summary:
        rows = {}
        for path in args.summary:
            rows.update(read_results(path))
        return 0 if summary(list(rows.values()), accepted, args.require) else 1

    work = os.path.abspath(args.work)
    if os.path.commonpath([work, ROOT]) == ROOT:
        sys.exit('--work %s lies inside the tree' % work)
    by_file = all_candidates(ROOT, args.only)
    if not by_file:
        sys.exit('no file is named so')
    if args.survivors:
        left = {identity(r) for r in read_results(args.survivors).values()
                if r['result'] == 'survived' and identity(r) not in accepted}
        chosen = [c for cs in by_file.values() for c in cs if identity(c) in left]
        gone = left - {identity(c) for c in chosen}
        if gone and not args.only:
            print('%d survivors stand on lines that are no more' % len(gone), file=sys.stderr)
    elif args.all:
        chosen = [c for cs in by_file.values() for c in cs]
    else:
        chosen = sample(by_file, args.count, args.seed)
    chosen = [c for c in chosen if not any(word in c['file'] for word in args.skip)]
    if args.list:
        for c in chosen:
            print('%s:%d:%d  %s  %s' % (c['file'], c['line'], c['column'], c['change'], c['text']))
        print('%d of %d candidates' % (len(chosen), sum(map(len, by_file.values()))))
        return 0

    results = args.resume or args.results or os.path.join(work, 'results.jsonl')
    known = read_results(results) if args.resume else {}
    scratch = Scratch(work, args.jobs, args.quick)
    scratch.set_up()
    scratch.measure(os.path.join(work, 'times.json'))
    # Either restores the file; in the background of a shell SIGINT is ignored unless it is set.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    start = time.monotonic()
    rows = []
    with open(results, 'a' if args.resume else 'w', encoding='utf-8') as out:
        for i, m in enumerate(chosen):
            key = identity(m) + (m['line'],)
            if key in known:
                rows.append(known[key])
                continue
            if args.minutes and time.monotonic() - start > 60 * args.minutes:
                print('%d of %d are left for --resume %s' % (len(chosen) - i, len(chosen), results))
                break
            began = time.monotonic()
            result, why = scratch.judge(m)
            row = {k: m[k] for k in (
                'file', 'line', 'column', 'text', 'change', 'nth', 'copy')}
            row.update(result=result, by=why, seconds=round(time.monotonic() - began, 1))
            rows.append(row)
            out.write(json.dumps(row, ensure_ascii=False) + '\n')
            out.flush()
            print('%d/%d %-12s %5.1f s  %s:%d  %s  %s' % (
                i + 1, len(chosen), result, row['seconds'], m['file'], m['line'], m['change'], why),
                flush=True)
    return 0 if summary(rows, accepted, args.require) else 1


if __name__ == '__main__':
    try:
        sys.exit(main())
    except Failed as e:
        sys.exit('mutate.py: %s' % e)
    except KeyboardInterrupt:
        sys.exit(130)
