"""Sweeps and audits: exit codes by contract, reproducibility, interruption."""
# SPDX-License-Identifier: Apache-2.0
import json, os, signal, subprocess, tempfile, time
from support import ULPAUDIT, CommandTest, FINDING, FINE, INTERRUPTED, PLUGIN, USAGE, fault, findings, main, run

F16 = ('--op', 'sigmoid', '--dtype', 'f16')


def without_volatile(text):
    j = json.loads(text)
    j.pop('volatile')
    return j


class Search(CommandTest):
    ARGS = ('--op', 'sigmoid', '--dtype', 'f64', '--impl', 'naive/sigmoid')

    def test_says_what_it_searched(self):
        report = self.report(FINE, *self.ARGS, '--search', '--points', '100000')
        total = report['results'][0]
        self.assertEqual(total['evidence'], 'sampled')
        search = total['search']
        self.assertEqual(search['binades'], len(total['raw_search']))
        self.assertEqual(search['binades'], 121)  # 2^-53 .. 2^9 below 0, 2^-52 .. 2^5 above
        self.assertGreaterEqual(search['least_points'], 64)
        self.assertEqual(search['worst'][0]['at'], total['max']['z'])
        self.assertEqual([b['max_ulp'] for b in search['worst']],
                         sorted((b['max_ulp'] for b in search['worst']), reverse=True))

    def test_finds_more_than_samples_do(self):
        found = [self.report(FINE, *self.ARGS, *how)['results'][0]['statistics']['max_ulp']
                 for how in (('--search', '--points', '200000'), ('--points', '200000'))]
        self.assertGreater(*found)

    def test_is_no_part_of_an_exhaustive_run(self):
        self.refuse('sweep', *self.ARGS, '--search', '--exhaustive', '--range', '1:1.001',
                    says=['--exhaustive excludes --search'])
        report = self.report(FINE, *F16, '--impl', 'stable/sigmoid', '--search')
        self.assertEqual(report['results'][0]['evidence'], 'exhaustive')
        self.assertNotIn('search', report['results'][0])

    def test_a_kernel_that_crashes_ends_no_search(self):
        # It crashes at 1, once among the edges and once in the search, which runs all of the range.
        report = self.report(PLUGIN, '--plugin', fault('crash'), '--impl', 'crash/*',
                             '--dtype', 'f32', '--search', '--range', '1:1.00001')
        self.assertEqual(report['results'][0]['lost_points'], 2)
        self.assertEqual(report['results'][0]['search']['binades'], 1)


class Contracts(CommandTest):
    def contract(self, text):
        f = tempfile.NamedTemporaryFile('w', suffix='.toml', encoding='utf-8')
        f.write('contract = 1\n' + text)
        f.flush()
        self.addCleanup(f.close)
        return f.name

    def test_the_kernels_of_the_house_keep_theirs(self):
        report = self.report(FINE, *F16)
        # A kernel for an ISA that this machine lacks is unavailable, no failure.
        self.assertEqual({v['status'] for v in report['verdicts']} - {'unavailable'}, {'pass'})

    def test_expected_failures_keep_their_reason(self):
        report = self.report(FINE, *F16, '--impl', 'naive/*')
        expected = [f for f in report['findings'] if f.get('expected_failure')]
        self.assertTrue(expected, 'naive has many')
        for f in expected:
            self.assertEqual(f['severity'], 'error')
            self.assertGreater(len(f['expected_failure']), 10)

    def test_a_budget_that_is_too_small(self):
        path = self.contract('[[kernel]]\nname = "sigmoid"\nmax_ulp = { f16 = 0.4 }\n')
        report = self.report(FINDING, *F16, '--impl', 'stable/sigmoid', '--contract', path)
        broken = [f for f in report['findings'] if f['rule'] == 'accuracy.max_ulp']
        self.assertEqual(len(broken), 1)
        self.assertIn('promised at most 0.4', broken[0]['message'])
        self.assertIn('--dtype f16', broken[0]['replay'])
        self.assertEqual(report['verdicts'][0]['status'], 'fail')

    def test_the_same_budget_as_an_expected_failure(self):
        path = self.contract('[[kernel]]\nname = "sigmoid"\nmax_ulp = { f16 = 0.4 }\n'
                             '[[kernel.expected_failure]]\nrule = "accuracy.max_ulp"\n'
                             'reason = "no rounding is that good"\n')
        report = self.report(FINE, *F16, '--impl', 'stable/sigmoid', '--contract', path)
        self.assertEqual([f['expected_failure'] for f in report['findings']
                          if f['rule'] == 'accuracy.max_ulp'], ['no rounding is that good'])

    def test_an_expected_failure_that_passes_is_noticed(self):
        path = self.contract('[[kernel]]\nname = "sigmoid"\n[[kernel.expected_failure]]\n'
                             'rule = "value.new_nan"\ndtypes = ["f16"]\nreason = "once upon a time"\n')
        report = self.report(FINE, *F16, '--impl', 'stable/sigmoid', '--contract', path)
        self.assertIn('contract.expected_failure_passed', findings(report, 'stable/sigmoid'))

    def test_a_promise_of_correct_rounding_is_counted(self):
        path = self.contract('[[kernel]]\nname = "sigmoid"\ncorrectly_rounded = ["f32"]\n')
        report = self.report(FINDING, '--op', 'sigmoid', '--dtype', 'f32', '--points', '2000',
                             '--impl', 'stable/sigmoid', '--contract', path)
        self.assertIn('accuracy.correctly_rounded', findings(report, 'stable/sigmoid'))

    def test_without_a_contract_the_universal_rules_hold(self):
        path = self.contract('')
        report = self.report(FINDING, *F16, '--impl', 'naive/*', '--contract', path)
        rules = {f['rule'] for f in report['findings'] if f['severity'] == 'error'}
        self.assertTrue(any(r.startswith('value.') for r in rules), rules)

    def test_bad_contracts(self):
        self.refuse('sweep', '--impl', 'stable/*', '--contract', '/no/such.toml',
                    says=['/no/such.toml'])
        path = self.contract('[[kernel]]\nname = "sigmoid"\nbudget = 3\n')
        self.refuse('sweep', '--impl', 'stable/*', '--contract', path,
                    says=['%s:4' % path, "unknown key 'budget'", 'max_ulp'])
        self.refuse('sweep', '--contract', self.contract(''), says=['--contract goes with one plug-in'])


class Reproducible(CommandTest):
    ARGS = ('sweep', '--json', '--op', 'sigmoid', '--op', 'bce_with_logits', '--points', '3000',
            '--label', '0.25', '--label', '1', '--impl', 'stable/*')

    def test_same_seed_same_report_whatever_the_threads(self):
        one, again, two = (run(*self.ARGS, '--threads', t) for t in (1, 1, 2))
        self.assertEqual((one.returncode, again.returncode, two.returncode), (0, 0, 0), one.stderr)
        self.assertEqual(without_volatile(one.stdout), without_volatile(again.stdout))
        self.assertEqual(without_volatile(one.stdout), without_volatile(two.stdout))

    def test_another_seed_other_samples(self):
        one, other = (json.loads(run(*self.ARGS, '--seed', s).stdout) for s in (1, 2))
        digests = [{(r['implementation'], r['dtype']): r['digest'] for r in j['results']
                    if r['region'] == 'all'} for j in (one, other)]
        for key, digest in digests[0].items():
            same = digest == digests[1][key]
            self.assertEqual(same, key[1] in ('f16', 'bf16'), '16 bits are exhaustive: %s' % (key,))


class Figures(CommandTest):
    def test_regions_add_up(self):
        report = self.report(FINE, '--op', 'sigmoid', '--dtype', 'f16', '--impl', 'stable/sigmoid')
        rows = {r['region']: r for r in report['results']}
        total = rows.pop('all')
        self.assertEqual(total['points'], 65536)
        self.assertEqual(total['evidence'], 'exhaustive')
        self.assertEqual(sum(r['points'] for r in rows.values()), 65536)
        self.assertEqual(max(r['statistics']['max_ulp'] or 0 for r in rows.values()),
                         total['statistics']['max_ulp'])
        judged = total['judged']
        self.assertEqual(judged['fast'] + judged['final'], 65536)
        self.assertEqual(judged['disagreements'], 0)

    def test_a_range_is_kept(self):
        report = self.report(FINE, *F16, '--impl', 'stable/sigmoid', '--range', '1:2')
        total = [r for r in report['results'] if r['region'] == 'all'][0]
        self.assertEqual(total['points'], 1025, 'both ends included')
        self.assertEqual(total['range'], '1:2')

    def test_labels_are_rounded_and_unique(self):
        report = self.report(FINE, '--op', 'bce_with_logits', '--dtype', 'bf16', '--impl',
                             'stable/bce', '--label', '0.5', '--label', '0x3f00', '--label', '-0',
                             '--range', '1:2')
        total = [r for r in report['results'] if r['region'] == 'all'][0]
        self.assertEqual([y['bits'] for y in total['labels']], ['0x8000', '0x3f00'])

    def test_shards_part_the_chunks(self):
        whole, *parts = (self.report(FINE, '--op', 'bce_with_logits', '--dtype', 'f16', '--impl',
                                     'stable/bce', *more)
                         for more in ([], ['--shard', '0/2'], ['--shard', '1/2']))
        points = [sum(r['points'] for r in j['results'] if r['region'] == 'all')
                  for j in (whole, *parts)]
        self.assertEqual(points[0], points[1] + points[2])
        self.assertEqual({r['evidence'] for r in parts[0]['results']}, {'sampled'})

    def test_a_kernel_that_copies_is_found_out(self):
        report = self.report(FINDING, '--op', 'sigmoid', '--dtype', 'f32', '--points', '2000',
                             '--plugin', fault('fine'), '--impl', 'fine/*')
        self.assertTrue({'value.out_of_range', 'value.wrong_infinity'} <=
                        findings(report, 'fine/copy'))


class Endings(CommandTest):
    LONG = ('--op', 'sigmoid', '--dtype', 'f32', '--impl', 'stable/sigmoid', '--exhaustive')

    def test_interrupt(self):
        with tempfile.TemporaryDirectory() as folder:
            p = subprocess.Popen([ULPAUDIT, 'sweep', *self.LONG, '-o', folder],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding='utf-8')
            time.sleep(1.5)
            p.send_signal(signal.SIGINT)
            _, err = p.communicate(timeout=90)
            self.assertEqual(p.returncode, INTERRUPTED, err)

    def test_interrupt_of_a_check_begins_no_kernel_more(self):
        p = subprocess.Popen([ULPAUDIT, 'check', '--impl', 'naive/*', '--impl', 'stable/*', '--threads', '1', '--json'],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding='utf-8')
        time.sleep(2)
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=90)
        self.assertEqual(p.returncode, INTERRUPTED, err)
        report = json.loads(out)
        self.assertEqual(report['volatile']['ended_by'], 'signal')
        self.assertEqual({v['status'] for v in report['verdicts']}, {'incomplete'})
        kernels = sum(len(i['dtypes']) for i in report['implementations'] if not i.get('unavailable'))
        self.assertLess(len(report['coverage']), kernels, 'all was checked to its end')

    def test_time_limit_marks_the_report(self):
        report = json.loads(run('sweep', '--json', *self.LONG, '--time-limit', '1').stdout)
        self.assertTrue(report['volatile']['ended_early'])
        self.assertEqual({r['evidence'] for r in report['results']}, {'sampled'},
                         'an exhaustive run that was cut short proves no bound')


class Audit(CommandTest):
    def test_writes_a_folder_and_ends_with_its_path(self):
        with tempfile.TemporaryDirectory() as folder:
            done = self.check(FINE, 'audit', *F16, '-o', folder)
            self.assertIn('%s/report.html' % folder, done.stdout.splitlines()[-1])
            self.assertEqual(sorted(os.listdir(folder)), ['junit.xml', 'report.html', 'report.json', 'report.md'])
            with open(os.path.join(folder, 'report.json'), encoding='utf-8') as f:
                self.assertEqual(json.load(f)['context']['profile'], 'quick')

    def test_progress_stays_off_where_there_is_no_terminal(self):
        self.assertEqual(self.check(FINE, 'sweep', *F16, '--impl', 'stable/*').stderr, '')


if __name__ == '__main__':
    main()
