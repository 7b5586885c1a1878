"""check: rules, exit codes, replays, what a finding carries."""
# SPDX-License-Identifier: Apache-2.0
import json, os, re, shlex, tempfile
from support import CommandTest, FINDING, FINE, NOTHING, PLUGIN, fault, findings, main, run

STABLE = ('--impl', 'stable/sigmoid', '--dtype', 'f32')
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def corpus(name):
    """A plug-in of tests/faults."""
    return os.path.join(os.environ['ULPAUDIT_CORPUS'], name + '.so')


def faulty(name, *args):
    return ('--plugin', corpus(name), '--impl', name + '/*', *args)


class Check(CommandTest):
    def found(self, code, *args):
        return json.loads(self.check(code, 'check', '--json', *args).stdout)

    def test_a_good_kernel_passes(self):
        report = self.found(FINE, *STABLE)
        self.assertEqual([f for f in report['findings'] if f['severity'] == 'error'], [])
        self.assertEqual(report['context']['profile'], 'check')
        self.assertIn('pass', self.check(FINE, 'check', *STABLE).stdout)

    def test_a_finding_is_a_case_that_can_be_replayed(self):
        args = faulty('tail_differs', '--dtype', 'bf16')
        report = self.found(FINDING, *args)
        wrong = [f for f in report['findings'] if f['rule'] == 'batch.length']
        self.assertEqual(len(wrong), 1)
        f = wrong[0]
        self.assertEqual(f['phase'], 'check')
        self.assertGreater(f['count'], 1)
        self.assertLess(f['position'], f['witness_length'])
        self.assertIn('%d element' % f['witness_length'], f['setting'])
        self.assertEqual(f['witness']['z'].keys(), {'bits', 'hex', 'decimal'})
        replay = shlex.split(f['replay'])
        self.assertEqual(replay[:2], ['./run', 'check'])
        again = self.found(FINDING, *replay[2:])
        self.assertEqual([(x['rule'], x['setting']) for x in again['findings']],
                         [('batch.length', f['setting'])])
        # The same case is no fault of the correct twin.
        case = replay[replay.index('--case') + 1]
        self.found(FINE, *faulty('batch_twin', '--op', 'sigmoid', '--dtype', 'bf16'), '--case',
                   case)

    def test_a_value_is_shrunk_to_its_simplest_input(self):
        report = self.found(FINDING, *faulty('nan_on_the_right', '--dtype', 'f32'))
        f = [f for f in report['findings']
             if f['rule'] == 'value.new_nan' and f['phase'] == 'sweep'][0]
        self.assertEqual(f['witness_length'], 1)
        # As few mantissa bits as a float that overflows needs.
        bits = int(f['simplest']['z']['bits'], 16) & 0x7fffff
        self.assertLessEqual(bin(bits).count('1'), 1, f['simplest'])
        self.assertEqual(f['simplest']['got']['hex'].lstrip('-'), 'nan')

    def test_what_happens_while_loading_is_told(self):
        report = self.found(FINDING, *faulty('ftz_set_at_load', '--dtype', 'f32'))
        self.assertIn(('load', 'environment.ftz_daz'),
                      {(f['phase'], f['rule']) for f in report['findings']})

    def test_the_others_are_checked_beside_one_that_cannot_be_loaded(self):
        done = self.check(PLUGIN, 'check', *STABLE, '--plugin', fault('no_entry'), '--json')
        report = json.loads(done.stdout)
        self.assertEqual({f['rule'] for f in report['findings'] if f['severity'] == 'error'},
                         {'plugin.load'})
        self.assertIn('stable/sigmoid', {r['implementation'] for r in report['results']})

    def test_the_console_shows_a_block_with_the_command(self):
        out = self.check(FINDING, 'check', *faulty('reads_one_past', '--dtype', 'bf16')).stdout
        block = re.search(r'✗ batch.read_outside  reads_one_past/sigmoid bf16\n(?:    .*\n)+', out)
        self.assertTrue(block, out)
        self.assertIn('behind the end of z', block[0])
        self.assertIn("--case '", block[0])

    def test_an_expected_failure_of_a_property(self):
        report = self.found(FINE, '--impl', 'naive/sigmoid_grad', '--dtype', 'bf16')
        expected = [f for f in report['findings'] if f['rule'] == 'symmetry']
        self.assertTrue(expected and expected[0]['expected_failure'])

    def test_the_seed_decides(self):
        args = faulty('tail_differs', '--dtype', 'bf16', '--seed', '7')
        first, second = (self.found(FINDING, *args)['findings'] for _ in range(2))
        self.assertEqual(first, second)

    def test_a_sweep_looks_at_values_alone(self):
        report = self.report(FINE, *faulty('tail_differs', '--dtype', 'bf16'))
        self.assertNotIn('batch.length', findings(report, 'tail_differs/sigmoid'))


class Search(CommandTest):
    """What is looked for, how far the search came, and what is said of it."""

    def report_of(self, code, name, *args):
        return json.loads(self.check(code, 'check', '--json', *faulty(name, *args)).stdout)

    def test_the_report_says_how_far_each_rule_was_checked(self):
        report = json.loads(self.check(FINE, 'check', '--json', *STABLE).stdout)
        rows = report['coverage']
        self.assertEqual([(r['implementation'], r['dtype']) for r in rows],
                         [('stable/sigmoid', 'f32')])
        self.assertGreater(rows[0]['checked']['batch.length'], 100)
        for row in rows[0]['not_checked']:
            self.assertEqual(row['status'], 'not_applicable')
            self.assertTrue(row['why'])

    def test_one_fault_does_not_hide_another(self):
        report = self.report_of(FINDING, 'reads_past_and_half_missed', '--dtype', 'f32')
        rules = {f['rule'] for f in report['findings'] if f['severity'] == 'error'}
        self.assertLessEqual({'batch.read_outside', 'value.exact'}, rules)

    def test_what_is_not_finished_is_no_pass(self):
        report = self.report_of(PLUGIN, 'hangs_when_long', '--dtype', 'f32')
        verdict = report['verdicts'][0]
        self.assertTrue(verdict['unfinished'])
        stopped = [r for r in report['coverage'][0]['not_checked'] if r['status'] == 'stopped']
        self.assertTrue(stopped and all(r['cases'] < r['of'] and r['why'] for r in stopped))
        self.assertIn('check.stopped', {f['rule'] for f in report['findings']})

    def test_a_time_bomb_is_a_number_of_calls(self):
        report = self.report_of(FINDING, 'time_bomb', '--dtype', 'f32')
        errors = [f for f in report['findings'] if f['severity'] == 'error']
        self.assertEqual([f['rule'] for f in errors], ['determinism.repeat'])
        self.assertIn('1 element, 1000 calls, first call of the process', errors[0]['setting'])

    def test_chance_is_blamed_alone(self):
        report = self.report_of(FINDING, 'stochastic_rounding', '--dtype', 'bf16')
        self.assertEqual({f['rule'] for f in report['findings'] if f['severity'] == 'error'},
                         {'determinism.repeat'})

    def test_replay_lines_were_run(self):
        report = self.report_of(FINDING, 'tail_differs', '--dtype', 'bf16')
        run = [f for f in report['findings'] if f['severity'] == 'error' and 'replayed' in f]
        self.assertTrue(run)
        for f in run:
            self.assertEqual(f['replayed'], {'shown': 3, 'runs': 3}, f)

    def test_lines_name_the_program_as_it_was_called(self):
        done = run('check', '--json', *faulty('half_missed', '--dtype', 'f32'),
                   env={'ULPAUDIT_CALLED_AS': 'my/ulpaudit'})
        errors = [f for f in json.loads(done.stdout)['findings'] if f['severity'] == 'error']
        self.assertTrue(errors and all(f['replay'].startswith('my/ulpaudit ') for f in errors))

    def test_a_lost_sign_is_one_cause(self):
        report = self.report_of(FINDING, 'sign_lost_in_all', '--dtype', 'f32')
        errors = [f for f in report['findings'] if f['severity'] == 'error']
        self.assertGreater(len(errors), 3)
        self.assertEqual(len({f.get('cause') for f in errors}), 1, errors)
        sizes = [abs(f['witness']['error_ulps'] or 0) for f in errors if 'witness' in f]
        self.assertEqual(sizes[0], max(sizes))
        out = self.check(FINDING, 'check', *faulty('sign_lost_in_all', '--dtype', 'f32')).stdout
        self.assertEqual(out.count('✗'), 1, out)

    def test_range_and_label_hold_for_rules_too(self):
        # NaN for z > 88.7 alone; the label -0 alone.
        self.report_of(FINE, 'nan_on_the_right', '--dtype', 'f32', '--range=-40:40')
        report = self.report_of(FINDING, 'nan_on_the_right', '--dtype', 'f32', '--range=80:100')
        for f in report['findings']:
            if 'witness' in f:
                self.assertTrue(80 <= float(f['witness']['z']['decimal']) <= 100, f)
        self.report_of(FINDING, 'label_minus_zero', '--dtype', 'f32')
        self.report_of(FINE, 'label_minus_zero', '--dtype', 'f32', '--label', '0.5')

    def test_eval_judges(self):
        at = lambda z: ('eval', *faulty('nan_on_the_right', '--op', 'sigmoid', '--dtype', 'f32'),
                        '--', z)
        self.assertIn('value.new_nan', self.check(FINDING, *at('0x42b40000')).stdout)  # 90
        self.check(FINE, *at('1'))

    def test_two_neighbours_out_of_order(self):
        report = self.report_of(FINDING, 'bf16_not_monotone', '--dtype', 'bf16')
        pair = [f for f in report['findings'] if f['rule'] == 'monotone'][0]
        self.assertIn('neighbour', pair)
        self.assertIn("%s,%s" % (pair['witness']['z']['bits'], pair['neighbour']['z']['bits']),
                      pair['replay'])


class Contracts(CommandTest):
    """What a contract says of the caller's environment is checked; what it does not say is not."""

    def contract(self, line):
        f = tempfile.NamedTemporaryFile('w', suffix='.toml', encoding='utf-8')
        f.write('contract = 1\n[[kernel]]\nname = "sigmoid"\n' + line + '\n')
        f.flush()
        self.addCleanup(f.close)
        return f.name

    def rules(self, code, line, *args):
        done = self.check(code, 'check', '--json', *STABLE, '--contract', self.contract(line),
                          *args)
        return {f['rule'] for f in json.loads(done.stdout)['findings']
                if f['severity'] == 'error'}

    def test_rounding_modes(self):
        self.assertEqual(self.rules(FINDING, 'same_under_any_rounding = true'),
                         {'environment.under_rounding'})
        self.assertEqual(self.rules(FINE, ''), set())

    def test_ftz(self):
        # Results below 2^-126 are flushed by the processor.
        self.assertEqual(self.rules(FINDING, 'same_under_ftz = true'), {'environment.under_ftz'})

    def test_every_input_and_its_mirror_image(self):
        # 2.4 ulp at most: a budget that is too small for the sum of both sides shows.
        found = self.rules(FINDING, 'max_ulp = { f32 = 0.0001 }', '--range', '1:1.01',
                           '--exhaustive')
        self.assertEqual(found, {'accuracy.max_ulp', 'symmetry'})


class Usage(CommandTest):
    def test_nothing_matches(self):
        self.refuse('check', '--impl', 'nobody/*', code=NOTHING)
        self.refuse('check', '--impl', 'nobody/*', '--case', 'z=0x0', code=NOTHING)

    def test_cases_that_cannot_be(self):
        for case, says in (('z=1,what', 'what'), ('z=0x3f800000 hop', "unknown 'hop'"),
                           ('z=0x3f800000*999999999', 'no number up to'),
                           ('z=0x3f800000 y=0', 'takes no labels'),
                           ('z=1 rounding=odd', "unknown 'rounding=odd'"),
                           ('z=1 z_offset=5000', 'no number up to 4095')):
            self.refuse('check', *STABLE, '--case', case, says=[says])

    def test_the_rules(self):
        out = self.check(FINE, 'check', '--rules').stdout
        listed = re.findall(r'^\| `([a-z0-9_.]+)` \|', out, re.M)
        self.assertGreater(len(listed), 40)
        # docs/properties.md tells of each, in the same words.
        with open(os.path.join(ROOT, 'docs', 'properties.md'), encoding='utf-8') as f:
            page = f.read()
        for line in out.splitlines()[2:]:
            rule, statement = [c.strip(' `') for c in line.split('|')[1:3]]
            self.assertIn('### %s' % rule, page)
            self.assertIn(statement, page)


if __name__ == '__main__':
    main()
