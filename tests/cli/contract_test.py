"""contract: drafts, names that are not there, domains; and what the universal rules catch without a contract."""
# SPDX-License-Identifier: Apache-2.0
import json, os, tempfile

from support import CommandTest, FINDING, FINE, NOTHING, PLUGIN, USAGE, findings, main, run

JUDGED = os.path.join(os.environ.get('ULPAUDIT_JUDGED', 'build/release/tests/judged'), 'judged.so')
MISNAMED = os.path.join(os.path.dirname(JUDGED), 'misnamed.so')
SMALL = ('--points', '2000', '--quiet')


class ContractTest(CommandTest):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name, text=None):
        path = os.path.join(self.folder.name, name)
        if text is not None:
            with open(path, 'w', encoding='utf-8') as f:
                f.write(text)
        return path

    def saved(self, report):
        return self.path('report.json', json.dumps(report))

    def errors(self, report, kernel):
        return {(f['rule'], f['region']) for f in report['findings'] if f['severity'] == 'error'
                and f['implementation'] == kernel and not f.get('expected_failure')}


class WithoutAContract(ContractTest):
    def judged(self, kernel, code, *more):
        report = self.report(code, '--plugin', JUDGED, '--impl', 'judged/' + kernel, *SMALL, *more)
        return report, report['verdicts'][0]

    def test_clean_kernels_are_measured_only(self):
        for kernel in 'clean', 'clean_grad':
            report, verdict = self.judged(kernel, FINE)
            self.assertEqual(verdict['status'], 'no contract', report['findings'])
            self.assertIn('./run check', verdict['scope'])
        shown = self.check(FINE, 'sweep', '--plugin', JUDGED, '--impl', 'judged/clean', *SMALL).stdout
        self.assertIn('ulpaudit contract report.json drafts one', shown)
        self.assertIn('accuracy only; ./run check', shown)

    def test_half_of_the_digits(self):
        report, verdict = self.judged('half_logit', FINDING)
        self.assertEqual(verdict['status'], 'fail')
        for dtype in 'f16', 'f32':
            lost = [f for f in report['findings'] if f['rule'] == 'accuracy.half_lost' and f['dtype'] == dtype]
            self.assertTrue(lost, dtype)
            self.assertIn('./run eval', lost[0]['replay'])
        self.assertNotIn('monotone.reversed', findings(report, 'judged/half_logit'))

    def test_the_wrong_direction(self):
        report, _ = self.judged('mirrored', FINDING)
        regions = {r for rule, r in self.errors(report, 'judged/mirrored') if rule == 'monotone.reversed'}
        self.assertLessEqual({'core', 'left_tail', 'right_tail'}, regions)
        wrong = [f for f in report['findings'] if f['rule'] == 'monotone.reversed'][0]
        self.assertIn('falls where the op rises', wrong['message'])
        self.assertIn('neighbour', wrong)

    def test_a_lost_sign(self):
        report, _ = self.judged('lost_sign', FINDING)
        self.assertIn('monotone.reversed', {rule for rule, _ in self.errors(report, 'judged/lost_sign')})

    def test_a_kernel_without_the_dtypes_asked_for_is_not_asked_for(self):
        report = self.report(FINE, '--plugin', JUDGED, '--impl', 'judged/clean*', '--dtype', 'f16', *SMALL)
        self.assertEqual([v['implementation'] for v in report['verdicts']], ['judged/clean'])

    def test_nothing_measured_is_incomplete(self):
        done = run('sweep', '--json', '--plugin', JUDGED, '--impl', 'judged/clean', '--time-limit', '0.000001')
        self.assertEqual(done.returncode, PLUGIN, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report['verdicts'][0]['status'], 'incomplete')
        self.assertIn('time limit', report['verdicts'][0]['unfinished'][0])
        self.assertEqual(report['volatile']['ended_by'], 'time limit')
        self.refuse('gate', self.saved(report), says=['was ended by its time limit', 'whole runs'])


class Names(ContractTest):
    def test_an_embedded_contract_that_names_no_kernel_is_a_load_error(self):
        done = self.check(PLUGIN, 'sweep', '--plugin', MISNAMED, '--impl', 'judged/*', *SMALL)
        self.assertIn("judged (contract):3:8: the plug-in has no kernel 'claen'; did you mean 'clean'?", done.stderr)

    def test_a_file_that_names_what_is_not_there_is_refused(self):
        for kernel, promise, place, says in (
                ('claen', '', '3:8', "no kernel 'claen'; did you mean 'clean'?"),
                ('clean', 'max_ulp = { f64 = 1 }', '4:13', "kernel 'clean' has no dtype 'f64'"),
                ('clean', 'max_ulp = { f32 = { crossing = 1 } }', '4:21', "sigmoid has no region 'crossing'"),
                ('clean', 'outside_labels = "nan"', '4:18', "rule 'value.outside_labels' is for"),
                ('clean', 'zero_sing = true', '4:1', "did you mean 'zero_sign'?")):
            path = self.path('c.toml', 'contract = 1\n[[kernel]]\nname = "%s"\n%s\n' % (kernel, promise))
            self.refuse('sweep', '--plugin', JUDGED, '--impl', 'judged/clean', *SMALL, '--contract', path,
                        says=['%s:%s: ' % (path, place), says])


class Drafts(ContractTest):
    def draft(self, *choice):
        report = json.loads(run('sweep', '--json', *choice, *SMALL).stdout)
        path = self.path('draft.toml')
        self.check(FINE, 'contract', self.saved(report), '-o', path)
        with open(path, encoding='utf-8') as f:
            return path, f.read()

    def test_passes_its_own_report_once_the_reasons_are_there(self):
        for choice in (('--plugin', JUDGED, '--impl', 'judged/*'), ('--impl', 'naive/*'), ('--impl', 'stable/*')):
            path, text = self.draft(*choice)
            self.assertIn('contract = 1', text)
            if 'reason = ""' in text:
                self.refuse('sweep', *choice, *SMALL, '--contract', path, says=['reason is empty: say why'])
            self.path('draft.toml', text.replace('reason = ""', 'reason = "measured"'))
            report = self.report(FINE, *choice, *SMALL, '--contract', path)
            self.assertEqual({v['status'] for v in report['verdicts']}, {'pass'}, text)

    def test_promises_what_every_input_shows(self):
        _, text = self.draft('--impl', 'exact/sigmoid', '--dtype', '*f16')
        self.assertIn('\nmonotone = true', text)
        self.assertIn('\nzero_sign = true', text)
        self.assertIn('correctly_rounded = ["bf16", "f16"]', text)
        _, text = self.draft('--impl', 'exact/sigmoid', '--dtype', 'f32')
        self.assertNotIn('\nmonotone = true', text)
        self.assertIn('# monotone = true  (so at', text)
        self.assertNotIn('correctly_rounded', text)

    def test_one_file_is_one_plug_in(self):
        report = self.saved(json.loads(run('sweep', '--json', '--op', 'sigmoid', '--dtype', 'f16', '--impl', 'naive/*',
                                           '--impl', 'stable/*').stdout))
        self.refuse('contract', report, '-o', self.path('x.toml'), says=["--impl 'PLUGIN/*'"])
        shown = self.check(FINE, 'contract', report).stdout
        self.assertIn('# ---- naive ----', shown)
        self.check(FINE, 'contract', report, '--impl', 'naive/*', '-o', self.path('x.toml'))
        self.check(NOTHING, 'contract', report, '--impl', 'none/*')
        self.check(USAGE, 'contract', self.path('none.json'))


class Bias(ContractTest):
    def test_the_curve_keeps_signed_sums(self):
        for dtype in 'f16', 'f32', 'f64':
            report = self.report(FINE, '--impl', 'naive/sigmoid', '--dtype', dtype, *SMALL)
            total = report['results'][0]
            bins = total['raw_curve']['bins']
            self.assertEqual(sum(int(b[8]) for b in bins), int(total['raw']['sum_signed']), dtype)
            self.assertEqual(sum(int(b[5]) for b in bins), int(total['raw']['sum_abs']), dtype)
            weighted = total['statistics']['typical_logits']
            self.assertLessEqual(abs(weighted['bias']), weighted['mean'])

    def test_a_budget_over_typical_logits(self):
        # bf16 of a correctly rounded sigmoid is hardly biased, and that of one that is not, neither: ask for 0.
        text = 'contract = 1\n[[kernel]]\nname = "sigmoid"\nbias = { bf16 = { typical = %s } }\n'
        choice = ('--impl', 'stable/sigmoid', '--dtype', 'bf16', *SMALL)
        report = self.report(FINDING, *choice, '--contract', self.path('c.toml', text % '0'))
        broken = [f for f in report['findings'] if f['rule'] == 'accuracy.bias']
        self.assertEqual([f['region'] for f in broken], ['typical'])
        self.assertIn('over typical logits', broken[0]['message'])
        self.report(FINE, *choice, '--contract', self.path('c.toml', text % '0.5'))


class Domain(ContractTest):
    def test_nothing_is_judged_outside(self):
        # sigma(z/2) is right at 0 alone; in ±2^-10 it loses no half of its digits.
        promise = 'contract = 1\n[[kernel]]\nname = "half_logit"\ndomain = { f16 = [-0.0009765625, 0.0009765625] }\n' \
                  'max_ulp = { f16 = 1 }\n'
        choice = ('--plugin', JUDGED, '--impl', 'judged/half_logit', '--dtype', 'f16', *SMALL)
        report = self.report(FINE, *choice, '--contract', self.path('c.toml', promise))
        result = report['results'][0]
        self.assertEqual((result['range'], result['evidence']), ('-0.000977:0.000977', 'exhaustive'))
        self.assertEqual(report['verdicts'][0]['status'], 'pass')
        # --range narrows it further; without a common input nothing is measured, and nothing passes.
        report = self.report(FINE, *choice, '--contract', self.path('c.toml', promise), '--range', '0:1')
        self.assertEqual(report['results'][0]['range'], '0:0.000977')
        self.check(NOTHING, 'sweep', *choice, '--contract', self.path('c.toml', promise), '--range', '1:2')


if __name__ == '__main__':
    main()
