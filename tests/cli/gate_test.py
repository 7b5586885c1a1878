"""gate: what it catches, with which exit code and words, and what it lets pass."""
# SPDX-License-Identifier: Apache-2.0
import json, os, re, shutil, tempfile
from junit_test import complaints
from support import CommandTest, FINE, FINDING, main, run

GATED = os.environ['ULPAUDIT_GATED']
AUDIT = ('--impl', 'gated/*', '--points', '3000', '--quiet')


def plugin(name):
    return os.path.join(GATED, name, 'gated.so')


class GateTest(CommandTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.baseline = os.path.join(cls.folder, 'baseline.json')
        cls.report_of('base')
        done = run('gate', cls.report('base'), '--baseline', cls.baseline, '--update', '--reason', 'the first')
        assert done.returncode == FINE, done.stderr

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def report(cls, name):
        return os.path.join(cls.folder, name, 'report.json')

    @classmethod
    def report_of(cls, name, *more):
        """Audits a build of the plug-in once; the report's path."""
        if not os.path.exists(cls.report(name)):
            done = run('audit', '--plugin', plugin(name), *AUDIT, *more, '-o', os.path.dirname(cls.report(name)))
            assert os.path.exists(cls.report(name)), done.stderr
        return cls.report(name)

    def gate(self, code, report, *args):
        done = self.check(code, 'gate', report, '--baseline', self.baseline, '--format', 'json', *args)
        return json.loads(done.stdout)

    def kinds(self, gate):
        return {c['kind'] for c in gate['changes'] if c['fails']}


class Catches(GateTest):
    def test_nothing_where_nothing_changed(self):
        gate = self.gate(FINE, self.report_of('base'))
        self.assertTrue(gate['passed'] and gate['accuracy_compared'])
        self.assertEqual(gate['changes'], [])

    def test_a_coefficient_changed_in_its_last_bit(self):
        gate = self.gate(FINDING, self.report_of('last_bit'))
        self.assertIn('digest', self.kinds(gate))
        digest = [c for c in gate['changes'] if c['kind'] == 'digest'][0]
        self.assertEqual((digest['implementation'], digest['dtype']), ('gated/sigmoid', 'f64'))
        self.assertNotEqual(digest['before'], digest['after'])
        self.assertIn('./run sweep', digest['replay'])

    def test_a_nan_at_one_input(self):
        gate = self.gate(FINDING, self.report_of('nan'))
        self.assertLessEqual({'category', 'contract', 'digest'}, self.kinds(gate))
        nan = [c for c in gate['changes'] if c['kind'] == 'category' and c['dtype'] == 'f16'][0]
        self.assertEqual(nan['witness']['z']['decimal'], '1')
        self.assertEqual((nan['before'], nan['after']), ('0', '1'))
        self.assertIn('./run eval', nan['replay'])

    def test_a_removed_dtype(self):
        gate = self.gate(FINDING, self.report_of('no_f64'))
        gone = [c for c in gate['changes'] if c['kind'] == 'vanished']
        self.assertEqual([(c['implementation'], c['dtype']) for c in gone], [('gated/sigmoid', 'f64')])
        self.assertIn('no longer offers', gone[0]['message'])
        self.gate(FINDING, self.report_of('no_f64'), '--allow-missing')  # f64 is not missing, but taken away

    def test_an_expected_failure_that_passes(self):
        improved = self.report_of('improved', '--exhaustive', '--dtype', 'f16')
        gate = self.gate(FINDING, improved, '--allow-missing')
        self.assertIn('expected_failure_passed', self.kinds(gate))
        # Better figures are other bits too: never "the same".
        self.assertIn('digest', self.kinds(gate))

    def test_weaker_evidence(self):
        fewer = self.report_of('base')
        with open(fewer, encoding='utf-8') as f:
            text = f.read()
        weaker = os.path.join(self.folder, 'weaker.json')
        done = self.check(FINE, 'sweep', '--json', '--plugin', plugin('base'), '--impl', 'gated/*', '--points', '500')
        with open(weaker, 'w', encoding='utf-8') as f:
            f.write(done.stdout)
        gate = self.gate(FINDING, weaker)
        self.assertIn('evidence', self.kinds(gate))
        self.assertNotEqual(text, done.stdout)

    def test_a_slower_kernel(self):
        folder = os.path.join(self.folder, 'bench')
        bench = os.path.join(folder, 'report.json')
        self.check(FINE, 'bench', '--plugin', plugin('base'), '--impl', 'gated/*', '--dtype', 'f32', '--level', 'L1',
                   '--inputs', 'typical', '--min-time', '0.5', '-o', folder)
        baseline = os.path.join(self.folder, 'times.json')
        with open(bench, encoding='utf-8') as f:
            report = json.load(f)
        for b in report['benchmarks']:  # hardly a spread: this machine may be busy
            b['ns'] = [b['median'] + (x - b['median']) / 100 for x in b['ns']]
        with open(bench, 'w', encoding='utf-8') as f:
            json.dump(report, f)
        self.check(FINE, 'gate', bench, '--baseline', baseline, '--update', '--reason', 'times')
        self.check(FINE, 'gate', bench, '--baseline', baseline)
        for b in report['benchmarks']:  # a fifth slower, whatever this machine is doing
            if b['implementation'] == 'gated/sigmoid':
                b['ns'] = [1.2 * x for x in b['ns']]
                b['median'] *= 1.2
        slower = os.path.join(self.folder, 'slower.json')
        with open(slower, 'w', encoding='utf-8') as f:
            json.dump(report, f)
        done = self.check(FINDING, 'gate', slower, '--baseline', baseline)
        self.assertIn('slower by 20 %', done.stdout)
        self.assertIn('./run bench', done.stdout)


class Baselines(GateTest):
    def damaged(self, change):
        with open(self.baseline, encoding='utf-8') as f:
            text = f.read()
        path = os.path.join(self.folder, 'damaged.json')
        with open(path, 'w', encoding='utf-8') as f:
            f.write(change(text))
        return path

    def refused(self, path, *says):
        self.refuse('gate', self.report_of('base'), '--baseline', path, says=[path, *says])

    def test_tampered(self):
        self.refused(self.damaged(lambda t: re.sub(r'"points":(\d+)', r'"points":1\1', t, count=1)), 'checksum')

    def test_truncated(self):
        for part in (0, 0.1, 0.5, 0.99):
            self.refused(self.damaged(lambda t: t[:int(part * len(t))]), 'not a baseline')

    def test_another_version_another_file(self):
        self.refused(self.damaged(lambda t: t.replace('"baseline_version": 1', '"baseline_version": 2')), 'reads 1')
        self.refused(self.report_of('base'), 'baseline_version')
        self.refuse('gate', self.report_of('base'), '--baseline', '/nowhere/x.json', says=['/nowhere/x.json', '--update'])
        self.refuse('gate', self.baseline, says=['not a report'])

    def test_update_keeps_the_reason_and_the_witnesses(self):
        path = os.path.join(self.folder, 'updated.json')
        shutil.copy(self.baseline, path)
        report = self.report_of('nan')
        self.refuse('gate', report, '--baseline', path, '--update', says=['--reason'])
        self.check(FINE, 'gate', report, '--baseline', path, '--update', '--reason', 'NaN is fine at 1',
                   says=['stays so', 'contract'])
        with open(path, encoding='utf-8') as f:
            updates = json.load(f)['updates']
        self.assertEqual([u['reason'] for u in updates], ['NaN is fine at 1', 'the first'])
        self.assertTrue(any('new_nan' in c and '0x3c00' in c for c in updates[0]['changes']), updates[0])
        # The baseline has it now; the contract does not.
        gate = json.loads(self.check(FINDING, 'gate', report, '--baseline', path, '--format', 'json').stdout)
        self.assertEqual(self.kinds(gate), {'contract'})

    def test_a_folder_holds_one_for_each_class(self):
        folder = os.path.join(self.folder, 'classes') + '/'
        report = self.report_of('base')
        done = self.check(FINE, 'gate', report, '--baseline', folder)
        self.assertIn('contracts alone', done.stdout)
        done = self.check(FINE, 'gate', report, '--baseline', folder, '--update', '--reason', 'first')
        self.assertNotIn('stays so', done.stderr)
        self.assertEqual(len(os.listdir(folder)), 1)
        self.assertNotIn('contracts alone', self.check(FINE, 'gate', report, '--baseline', folder).stdout)

    def test_another_class_is_judged_by_contracts(self):
        other = self.report_of('last_bit')
        with open(other, encoding='utf-8') as f:
            text = f.read().replace('"libm":"glibc', '"libm":"musl')
        path = os.path.join(self.folder, 'other.json')
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        done = self.check(FINE, 'gate', path, '--baseline', self.baseline)
        self.assertIn('contracts alone', done.stdout)


class Formats(GateTest):
    def test_console(self):
        text = self.check(FINDING, 'gate', self.report_of('nan'), '--baseline', self.baseline).stdout
        for words in ('✗ category', 'gated/sigmoid f16', 'was 0', 'z = 1', './run eval', 'Gate failed'):
            self.assertIn(words, text)

    def test_github(self):
        text = self.check(FINDING, 'gate', self.report_of('nan'), '--baseline', self.baseline, '--format',
                          'github').stdout
        lines = text.splitlines()
        self.assertTrue(all(re.match(r'::(error|notice|warning) title=[^:]*::', x) for x in lines[:-1]), text)
        self.assertIn('%0A', lines[0])

    def test_junit(self):
        path = os.path.join(self.folder, 'junit.xml')
        for name, code in (('nan', FINDING), ('base', FINE)):
            self.check(code, 'gate', self.report_of(name), '--baseline', self.baseline, '--format', 'junit', '-o', path)
            self.assertEqual(complaints(path), '')
            with open(path, encoding='utf-8') as f:
                self.assertEqual('<failure type="category"' in f.read(), name == 'nan')

    def test_markdown(self):
        text = self.check(FINDING, 'gate', self.report_of('nan'), '--baseline', self.baseline, '--format', 'md').stdout
        self.assertTrue(text.startswith('# ulpaudit gate: failed'), text)
        self.assertIn('| ❌ | category |', text)


if __name__ == '__main__':
    main()
