"""--exec: programs that speak the worker's protocol, and programs that break it (exit code 4)."""
# SPDX-License-Identifier: Apache-2.0
import json, os, shlex, sys
from support import CommandTest, FINDING, FINE, PLUGIN, findings, main

WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'programs', 'worker.py')
SMALL = ('--op', 'sigmoid', '--dtype', 'f32', '--points', '300', '--range', '0.5:1', '--threads', '1')


def command(mode='good', *more):
    return ' '.join(shlex.quote(w) for w in (sys.executable, '-S', WORKER, mode, *more))


class Program(CommandTest):
    def test_list_and_eval(self):
        listed = json.loads(self.check(FINE, 'list', '--json', '--exec', command(), '--impl',
                                       'program/*').stdout)
        mine = listed['implementations']
        self.assertEqual([i['name'] for i in mine], ['program/sigmoid'])
        self.assertEqual(mine[0]['path'], 'exec:' + command())
        done = self.check(FINE, 'eval', '--exec', command(), '--impl', 'program/*', '--op', 'sigmoid',
                          '--json', '--', '1')
        row = json.loads(done.stdout)['implementations'][0]
        self.assertEqual(row['got']['bits'], '0x3f3b26a8')
        self.assertTrue(row['correctly_rounded'])

    def test_sweep_measures_as_of_a_plugin(self):
        report = self.report(FINE, '--exec', command(), '--impl', 'program/*', *SMALL)
        result = [r for r in report['results'] if r['region'] == 'all'][0]
        self.assertGreater(result['points'], 100)
        self.assertLess(result['statistics']['max_ulp'], 0.51)

    def test_check_names_what_it_cannot_see(self):
        done = self.check(FINE, 'check', '--exec', command(), '--json', '--points', '300')
        found = json.loads(done.stdout)['findings']
        self.assertEqual([f['rule'] for f in found if f['severity'] == 'error'], [])
        notes = [f for f in found if f['rule'] == 'check.not_applicable']
        self.assertEqual(len(notes), 1)
        for rule in ('batch.read_outside', 'environment.ftz_daz', 'determinism.threads'):
            self.assertIn(rule, notes[0]['message'])
        self.assertNotIn('batch.alignment', notes[0]['message'])

    def test_check_finds_what_shows_in_the_data_file(self):
        for mode, rule in (('changes_input', 'batch.input_changed'),
                           ('writes_beside', 'batch.write_outside'),
                           ('last_element', 'batch.not_written'),
                           ('tail_differs', 'batch.position')):
            with self.subTest(mode):
                done = self.check(FINDING, 'check', '--exec', command(mode), '--json', '--points',
                                  '300', '--range', '-4:4')
                report = json.loads(done.stdout)
                self.assertIn(rule, findings(report, 'program/sigmoid'))
                replay = [f['replay'] for f in report['findings'] if f['rule'] == rule][0]
                words = shlex.split(replay)
                self.assertEqual(words[:2], ['./run', 'check'])
                again = json.loads(self.check(FINDING, *words[1:], '--json').stdout)
                self.assertIn(rule, findings(again, 'program/sigmoid'), replay)

    def test_bench_by_the_programs_own_clock(self):
        done = self.check(FINE, 'bench', '--exec', command(), '--impl', 'program/*', '--level', 'L1',
                          '--inputs', 'typical', '--repetitions', '3', '--min-time', '0.1', '--json')
        rows = json.loads(done.stdout)['benchmarks']
        mine = [b for b in rows if b['implementation'] == 'program/sigmoid']
        self.assertGreater(mine[0]['ns'][0], 1)

    def test_diff_of_two_versions(self):
        done = self.check(FINE, 'diff', 'exec:' + command(), 'exec:' + command('tail_differs'), '--op',
                          'sigmoid', '--dtype', 'f32', '--points', '300', '--json')
        self.assertGreater(json.loads(done.stdout)['diffs'][0]['different'], 0)

    def test_another_version_is_another_build(self):
        ids = set()
        for version in ('1.0', '1.1'):
            report = self.report(FINE, '--exec', command('good', version), '--impl', 'program/*', *SMALL)
            ids.add(report['implementations'][0]['build_id'])
        self.assertEqual(len(ids), 2)


class Hostile(CommandTest):
    """Each way to break the protocol is named, with the line that did it."""

    def test_not_loaded(self):
        for mode, words in (('wrong_version', 'speaks version 2 of the protocol; accepted: 1'),
                            ('garbage', 'Welcome to my kernels!'),
                            ('load_error', 'no licence for my library'),
                            ('long_description', 'longer than 4194304 bytes'),
                            ('dies_at_start', 'cannot find my library')):
            with self.subTest(mode):
                for name in ('check', 'list'):
                    done = self.check(PLUGIN, name, '--exec', command(mode), '--impl', 'program/*',
                                      says=[words, 'worker.py'])
                    self.assertNotIn('fault of ours', done.stderr)

    def test_no_such_program(self):
        self.check(PLUGIN, 'check', '--exec', '/nowhere/worker', says=['/nowhere/worker', 'No such file'])
        self.check(PLUGIN, 'check', '--exec', "'", says=["a ' is not closed"])
        self.check(PLUGIN, 'check', '--exec', ' ', says=['no command'])
        self.check(PLUGIN, 'list', '--isolate', 'off', '--exec', command(), '--impl', 'program/*',
                   says=['--isolate off'])

    def breaks(self, mode, rule, words, *more):
        done = self.check(PLUGIN, 'sweep', '--exec', command(mode), '--impl', 'program/*', '--json',
                          *SMALL, *more)
        mine = [f for f in json.loads(done.stdout)['findings'] if f['rule'].startswith('plugin.')]
        self.assertEqual({f['rule'] for f in mine}, {rule}, mine)
        self.assertIn(words, mine[0]['message'])
        self.assertIn('--exec', mine[0]['replay'])
        return mine[0]

    def test_in_the_middle(self):
        for mode, rule, words in (('prints', 'plugin.protocol', 'computing a batch'),
                                  ('long_reply', 'plugin.protocol', 'longer than 4194304 bytes'),
                                  ('other_batch', 'plugin.protocol', 'reply to batch'),
                                  ('writes_nothing', 'plugin.protocol', 'wrote no result'),
                                  ('closes', 'plugin.protocol', 'closed its reply stream'),
                                  ('refuses', 'plugin.status', 'the logit is one'),
                                  ('exits', 'plugin.exit', 'exited with code 3'),
                                  ('dies', 'plugin.crash', 'SIGSEGV')):
            with self.subTest(mode):
                self.breaks(mode, rule, words)

    def test_hang(self):
        self.breaks('hangs', 'plugin.hang', '500 ms', '--deadline', '0.5')

    def test_death_is_narrowed_down_to_the_input(self):
        self.assertEqual(self.breaks('dies', 'plugin.crash', 'SIGSEGV')['witness']['z']['decimal'], '1')

    def test_the_data_file_keeps_its_size(self):
        self.breaks('truncates', 'plugin.exit', 'exited with code 1')

    def test_a_second_answer_is_found_by_the_next_batch(self):
        done = self.check(PLUGIN, 'check', '--exec', command('answers_twice'), '--json', '--points', '300')
        found = [f for f in json.loads(done.stdout)['findings'] if f['rule'] == 'plugin.protocol']
        self.assertIn('reply to batch', found[0]['message'])


if __name__ == '__main__':
    main()
