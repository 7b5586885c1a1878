"""Plug-ins that crash, hang, lie or are none: exit code 4, a message, and the run goes on."""
# SPDX-License-Identifier: Apache-2.0
import json, os, shutil, tempfile
from support import FAULTS, CommandTest, FINDING, FINE, PLUGIN, fault, findings, main, run

F32 = ('--op', 'sigmoid', '--dtype', 'f32', '--points', '2000', '--range', '-4:4')


class Sweep(CommandTest):
    """A kernel that misbehaves at z = 1 only."""

    def sweep(self, name, *more):
        report = self.report(PLUGIN, *F32, '--plugin', fault(name), '--impl', name + '/*', '--impl',
                             'stable/sigmoid', *more)
        results = {r['implementation']: r for r in report['results'] if r['region'] == 'all'}
        self.assertIn('stable/sigmoid', results, 'the others are measured all the same')
        self.assertEqual(results['stable/sigmoid']['lost_points'], 0)
        self.assertGreater(results['stable/sigmoid']['points'], 1500)
        mine = [f for f in report['findings'] if f['implementation'] == name + '/copy'
                and f['rule'].startswith('plugin.')]
        self.assertTrue(mine, 'the loss is a finding')
        return mine, results[name + '/copy'], results['stable/sigmoid']

    def test_crash_is_narrowed_down_to_the_input(self):
        mine, result, other = self.sweep('crash')
        self.assertEqual(mine[0]['rule'], 'plugin.crash')
        self.assertIn('SIGSEGV', mine[0]['message'])
        self.assertEqual(mine[0]['witness']['z']['decimal'], '1')
        self.assertEqual([mine[0]['range'][end]['decimal'] for end in ('first', 'last')], ['1', '1'])
        self.assertIn('eval', mine[0]['replay'])
        # Only where z is 1 is nothing measured.
        self.assertLess(result['lost_points'], 5)
        self.assertEqual(result['points'] + result['lost_points'], other['points'])
        self.assertEqual(result['evidence'], 'sampled')

    def test_abort(self):
        mine, result, _ = self.sweep('abort')
        self.assertIn('SIGABRT', mine[0]['message'])
        self.assertIn('giving up: no luck', mine[0]['message'])
        self.assertLess(result['lost_points'], 5)

    def test_exit_is_no_success(self):
        mine, result, _ = self.sweep('exit')
        self.assertEqual(mine[0]['rule'], 'plugin.exit')
        self.assertIn('exited with code 0', mine[0]['message'])
        self.assertLess(result['lost_points'], 5)

    def test_hang(self):
        mine, _, _ = self.sweep('hang', '--deadline', '0.5')
        self.assertEqual(mine[0]['rule'], 'plugin.hang')
        self.assertIn('500 ms', mine[0]['message'])
        first, last = (float(mine[0]['range'][end]['decimal']) for end in ('first', 'last'))
        self.assertTrue(-4 <= first <= 1 <= last <= 4 and first <= last)

    def test_status(self):
        mine, _, _ = self.sweep('status')
        self.assertIn('the logit is one', mine[0]['message'])

    def test_memory_limit(self):
        if 'ASAN_OPTIONS' in os.environ:
            self.skipTest('the address sanitizer ends the worker where malloc would return NULL')
        mine, _, _ = self.sweep('greedy', '--memory-limit', '600')
        self.assertIn('out of memory', mine[0]['message'])

    def test_exception(self):
        mine, _, _ = self.sweep('throws')
        self.assertIn('loose cannon', mine[0]['message'])

    def test_printing_harms_nothing(self):
        # The kernel copies z, which is no sigmoid: findings, but none about the plug-in.
        report = self.report(FINDING, *F32, '--plugin', fault('prints'), '--impl', 'prints/*')
        self.assertFalse([r for r in findings(report, 'prints/copy') if r.startswith('plugin.')])


class Loading(CommandTest):
    CASES = {'wrong_size': 'struct_size', 'wrong_abi': 'version 77', 'null_plugin': 'refuses',
             'no_name': 'no name', 'no_kernels': 'kernel_count', 'kernel_size': 'struct_size',
             'kernel_no_name': 'no name', 'kernel_no_run': 'no run function',
             'kernel_dtypes': 'dtypes', 'constructor_crash': 'SIGSEGV',
             'constructor_exit': 'exited with code 3', 'no_entry': 'ulpaudit_plugin_entry',
             'bad_contract': "unknown key 'budget'"}

    def test_each_is_named_and_the_rest_is_listed(self):
        args = [a for name in self.CASES for a in ('--plugin', fault(name))]
        done = self.check(PLUGIN, 'list', '--json', *args)
        facts = json.loads(done.stdout)
        self.assertIn('stable/sigmoid', [i['name'] for i in facts['implementations']])
        reasons = {os.path.basename(x['path'])[:-3]: x['reason'] for x in facts['not_loaded']}
        self.assertEqual(set(reasons), set(self.CASES))
        for name, words in self.CASES.items():
            self.assertIn(words, reasons[name])
            self.assertIn(name, reasons[name], 'the reason names the plug-in')
            self.assertIn(reasons[name].splitlines()[0], done.stderr)

    def test_hanging_constructor(self):
        done = self.check(PLUGIN, 'list', '--deadline', '0.5', '--plugin',
                          fault('constructor_hang'), '--impl', 'stable/*', says=['2000 ms', 'constructor_hang'])
        self.assertIn('stable/sigmoid', done.stdout)

    def test_missing_and_foreign_files(self):
        with tempfile.TemporaryDirectory() as folder:
            text = os.path.join(folder, 'text.so')
            with open(text, 'w', encoding='ascii') as f:
                f.write('no library\n')
            for path in ('/no/such/plugin.so', text, folder):
                done = self.check(PLUGIN, 'list', '--plugin', path, says=[path])
                self.assertIn('stable/sigmoid', done.stdout)

    def test_a_sweep_goes_on_and_says_so(self):
        report = self.report(PLUGIN, *F32, '--impl', 'stable/sigmoid', '--plugin',
                             fault('constructor_crash'))
        self.assertIn('plugin.load', findings(report, 'constructor_crash.so'))
        self.assertTrue([r for r in report['results'] if r['implementation'] == 'stable/sigmoid'])

    def test_nothing_left_is_a_plugin_failure_too(self):
        self.check(PLUGIN, 'sweep', '--impl', 'crash/*', '--plugin', fault('wrong_abi'),
                   says=['version 77'])

    def test_the_same_name_twice(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = os.path.join(folder, 'copy.so')
            shutil.copy(fault('fine'), copy)
            self.check(PLUGIN, 'list', '--plugin', fault('fine'), '--plugin', copy,
                       says=["'fine'", 'already loaded'])

    def test_what_cannot_run_here_is_shown_and_left_out(self):
        facts = json.loads(self.check(FINE, 'list', '--json', '--plugin', fault('unavailable'),
                                      '--plugin', fault('unknown_op')).stdout)
        why = {i['name']: i['unavailable'] for i in facts['implementations']}
        self.assertIn('AVX9', why['unavailable/zero'])
        self.assertIn("'softmax'", why['unknown_op/zero'])
        self.check(5, 'sweep', '--plugin', fault('unavailable'), '--impl', 'unavailable/*')

    def test_search_path(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(fault('fine'), folder)
            out = self.check(FINE, 'list', env={'ULPAUDIT_PLUGIN_PATH': '/none:' + folder}).stdout
            self.assertIn('fine/copy', out)
        self.assertNotIn('fine/copy', run('list').stdout)

    def test_bare_file_name(self):
        here = os.getcwd()
        try:
            os.chdir(FAULTS)
            program = os.path.join(here, os.environ['ULPAUDIT'])
            os.environ['ULPAUDIT'] = program
            self.assertIn('fine/copy', self.check(FINE, 'list', '--plugin', 'fine.so').stdout)
        finally:
            os.chdir(here)

    def test_isolation_can_be_turned_off(self):
        # Of the others two may not bear each other: LibTorch 1.13 and 2 end the process.
        done = self.check(FINE, 'list', '--isolate', 'off', '--plugin', fault('fine'), '--impl', 'fine/*')
        self.assertIn('fine/copy', done.stdout)


if __name__ == '__main__':
    main()
