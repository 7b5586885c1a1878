"""Bad usage: one clear line, exit code 2 (or 5), nothing half-written. And --help."""
# SPDX-License-Identifier: Apache-2.0
import json, os, tempfile
from support import CommandTest, FINE, NOTHING, USAGE, main, run

COMMANDS = ('list', 'sweep', 'train', 'audit', 'eval', 'report', 'merge')


class Help(CommandTest):
    def test_every_command_has_an_example(self):
        for command in COMMANDS:
            done = self.check(FINE, command, '--help')
            self.assertIn('Example: ulpaudit %s' % command, done.stdout)
            self.assertEqual(done.stderr, '')

    def test_program_lists_commands_and_exit_codes(self):
        done = self.check(FINE, '--help')
        for words in COMMANDS + ('Exit codes', 'Example: ulpaudit'):
            self.assertIn(words, done.stdout)

    def test_version_names_compiler_and_flags(self):
        done = self.check(FINE, '--version')
        self.assertIn('-ffp-contract=off', done.stdout)


class BadUsage(CommandTest):
    def test_no_command(self):
        self.refuse()

    def test_unknown_command(self):
        self.refuse('dance', says=["unknown command 'dance'", 'list, sweep, check, bench, train, audit, eval, diff, contract, gate, report, merge'])

    def test_unknown_option(self):
        for command in COMMANDS:
            self.refuse(command, '--sparkle', 'x', says=['--sparkle'])

    def test_unknown_op_names_the_known_ones(self):
        for command in ('list', 'sweep', 'audit'):
            self.refuse(command, '--op', 'softmax', says=[
                "unknown op 'softmax'", 'sigmoid, sigmoid_grad, bce_with_logits'])
        self.refuse('eval', '--op', 'softmax', '--', '1', says=["unknown op 'softmax'"])

    def test_unknown_dtype_names_the_known_ones(self):
        for command in ('list', 'sweep', 'audit'):
            self.refuse(command, '--dtype', 'f8', says=["unknown dtype 'f8'", 'f16, bf16, f32, f64'])
        self.refuse('eval', '--dtype', 'f8', '--', '1', says=["unknown dtype 'f8'"])

    def test_one_good_glob_does_not_excuse_a_bad_one(self):
        self.refuse('sweep', '--op', 'sigmoid', '--op', 'softmax', says=["unknown op 'softmax'"])

    def test_malformed_numbers_are_shown(self):
        for bad in ('abc', '1.5.2', '', '0x', '1e', '0x123456789'):
            self.refuse('eval', '--op', 'sigmoid', '--', bad, says=["'%s'" % bad, 'accepted'])
        self.refuse('sweep', '--range', '1:x', says=["'x'"])
        for option in ('--points', '--threads', '--seed', '--time-limit', '--deadline'):
            self.refuse('sweep', option, 'many', says=[option])
        self.refuse('sweep', '--threads', '0', says=['--threads'])
        self.refuse('sweep', '--points', '0', says=['--points'])

    NUMBERS = {'--seed': ('-1', '18446744073709551616', '1.5', '1e3', 'nan', ''),
               '--deadline': ('nan', 'inf', '-1', '0', '1e300', '5s'),
               '--memory-limit': ('-1', 'nan', '18446744073709551616', '1.5'),
               '--time-limit': ('nan', 'inf', '0', '-1', '1e300'),
               '--points': ('0', '-1', 'abc', 'nan', '1e300', '2.5'),
               '--threads': ('0', '-1', '1025', 'nan', '99999999999'),
               '--checkpoint-every': ('nan', 'inf', '-1')}

    def refuse_numbers(self, command, numbers):
        for option, bad in numbers.items():
            for text in bad:
                for words in ([option, text], ['%s=%s' % (option, text)]):
                    if text == '' and len(words) == 1:
                        continue  # an option without its value
                    self.refuse(*command, *words, says=["%s '%s'; accepted: a" % (option, text),
                                                        ' from '])

    def test_numbers_say_what_is_accepted(self):
        self.refuse_numbers(['sweep'], self.NUMBERS)
        for command in ('check', 'audit'):
            self.refuse_numbers([command], {k: v[:2] for k, v in self.NUMBERS.items()})
        self.refuse_numbers(['eval'], {k: self.NUMBERS[k] for k in ('--deadline', '--memory-limit')})
        self.refuse_numbers(['bench'], {'--seed': ['-1'], '--repetitions': ['0', 'nan', '1e9'],
                                        '--min-time': ['nan', 'inf', '0']})
        self.refuse_numbers(['train'], {'--seed': ['-1'], '--steps': ['0', 'nan'],
                                        '--learning-rate': ['nan', 'inf', '0', '-1'],
                                        '--depth': ['65', 'x'], '--batch': ['0'],
                                        '--threads': ['0'], '--label-columns': ['-1']})
        self.refuse_numbers(['gate', 'x'], {'--slower': ['nan', 'inf', '-1', 'x']})

    def test_the_ends_of_bounds_are_accepted(self):
        self.check(NOTHING, 'sweep', '--seed', '18446744073709551615', '--memory-limit', '0',
                   '--deadline', '0.5', '--checkpoint-every', '0', '--threads', '1024',
                   '--time-limit', '1e9', '--points', '1', '--impl', 'nobody/*')

    def test_ranges(self):
        self.refuse('sweep', '--range', '5', says=["'5'", 'LO:HI'])
        self.refuse('sweep', '--range', '2:1', says=["'2:1'", 'empty'])
        self.refuse('sweep', '--range', 'nan:1', says=['NaN'])

    def test_labels(self):
        for bad in ('1.5', '-0.1', 'nan', 'inf'):
            self.refuse('sweep', '--op', 'bce_with_logits', '--label', bad,
                        says=['--label %s' % bad, '[0, 1]'])
        self.refuse('sweep', '--op', 'bce_with_logits', '--dtype', 'f32', '--label', 'all',
                    says=['--label all', 'f16 and bf16'])
        self.refuse('eval', '--op', 'bce_with_logits', '--', '1', '2', says=['[0, 1]'])

    def test_shards(self):
        for bad in ('1', '2/2', 'a/b', '1/', '-1/2'):
            self.refuse('sweep', '--shard', bad, says=["'%s'" % bad, 'I/N'])

    def test_exhaustive_f64_needs_a_range(self):
        self.refuse('sweep', '--dtype', 'f64', '--op', 'sigmoid', '--exhaustive', says=['--range'])

    def test_words_from_lists(self):
        self.refuse('audit', '--profile', 'deep', says=['--profile', 'quick'])
        self.refuse('sweep', '--color', 'pink', says=['--color', 'never'])
        self.refuse('sweep', '--isolate', 'maybe', says=['--isolate'])

    def test_eval_wants_the_right_number_of_values(self):
        self.refuse('eval', says=['eval takes z'])
        self.refuse('eval', '--', '1', '0', '2', says=['eval takes z'])
        self.refuse('eval', '--op', 'sigmoid', '--', '1', '0', says=['sigmoid takes one value: z'])
        self.refuse('eval', '--op', 'bce_with_logits', '--', '1', says=['two values: z y'])


class MinusValues(CommandTest):
    """Values that begin with '-' are values."""

    def asked(self, *words):
        line = self.check(FINE, 'eval', '--json', '--impl', 'exact/*', *words).stdout
        j = json.loads(line)
        return j['z']['decimal'], j.get('y', {}).get('decimal')

    def test_positionals(self):
        for text, decimal in (('-inf', '-inf'), ('-nan', '-nan'), ('-.5', '-0.5'), ('-0', '-0'),
                              ('-infinity', '-inf'), ('-NaN', '-nan'), ('-0x1p-1', '-0.5'),
                              ('-5e-1', '-0.5'), ('+.5', '0.5'), ('-1', '-1'), ('.5', '0.5')):
            for words in (['--op', 'sigmoid', '--', text], ['--op', 'sigmoid', text],
                          [text, '--op', 'sigmoid']):
                self.assertEqual(self.asked(*words), (decimal, None), words)

    def test_two_positionals_keep_their_order(self):
        for words in (['--', '-inf', '-0'], ['-inf', '-0'], ['-inf', '--', '-0']):
            self.assertEqual(self.asked('--op', 'bce_with_logits', *words), ('-inf', '-0'), words)
        self.assertEqual(self.asked('-.5', '0.25', '--op', 'bce_with_logits'), ('-0.5', '0.25'))

    def test_what_is_no_number_is_shown(self):
        self.refuse('eval', '--op', 'sigmoid', '--', '-x', says=["'-x' is not a", 'accepted'])
        self.refuse('eval', '--op', 'sigmoid', '--', '--json', says=["'--json' is not a"])
        self.refuse('report', '--', '-x.json', says=["cannot read '-x.json'"])

    def test_options(self):
        ends = set()
        for words in (['--range', '-inf:-1'], ['--range=-inf:-1'], ['--range', '-inf:-.1e1']):
            report = self.report(FINE, '--op', 'sigmoid', '--dtype', 'bf16', '--impl', 'exact/*', *words)
            ends.add(json.dumps(report['results'][0]['points']))
        self.assertEqual(len(ends), 1)
        for words in (['--label', '-0'], ['--label=-0']):
            report = self.report(FINE, '--op', 'bce_with_logits', '--dtype', 'bf16', '--impl',
                                 'exact/*', '--range', '1:2', *words)
            self.assertEqual(report['results'][0]['labels'][0]['decimal'], '-0')


class Nothing(CommandTest):
    """5: the globs are fine and match nothing, so nothing was checked."""

    def test_impl_glob(self):
        for args in (['sweep'], ['audit', '-o', '/nonexistent/x']):
            self.check(NOTHING, *args, '--impl', 'nobody/*', says=['nothing matches', 'list'])

    def test_list_and_eval(self):
        self.check(NOTHING, 'list', '--impl', 'nobody/*')
        self.check(NOTHING, 'eval', '--op', 'sigmoid', '--impl', 'nobody/*', '--', '1')


class Output(CommandTest):
    SMALL = ('--op', 'sigmoid', '--dtype', 'f32', '--impl', 'stable/*', '--range', '1:1.00001',
             '--points', '100')

    def test_unwritable_folder(self):
        for command in ('sweep', 'audit'):
            done = self.check(USAGE, command, *self.SMALL, '-o', '/proc/nowhere',
                              says=['/proc/nowhere'])
            self.assertEqual(done.stdout, '')

    def test_a_file_in_the_way_stays_as_it_is(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, 'report.json'))
            self.check(USAGE, 'sweep', *self.SMALL, '-o', folder, says=['report.json'])
            self.assertEqual(sorted(os.listdir(folder)), ['report.json'])

    def test_full_disk_leaves_nothing(self):
        if not os.path.exists('/dev/full'):
            self.skipTest('no /dev/full here')
        self.refuse('report', '/dev/full/x', says=['/dev/full/x'])

    def test_report_folder_is_made(self):
        with tempfile.TemporaryDirectory() as folder:
            deep = os.path.join(folder, 'a', 'b')
            self.check(FINE, 'sweep', *self.SMALL, '-o', deep)
            self.assertEqual(sorted(os.listdir(deep)), ['junit.xml', 'report.html', 'report.json', 'report.md'])


class List(CommandTest):
    def test_table(self):
        done = self.check(FINE, 'list')
        for words in ('sigmoid_grad', 'bf16', 'stable/sigmoid', 'naive/sigmoid', '1/(1+exp(-z))'):
            self.assertIn(words, done.stdout)

    def test_json_has_the_same_facts(self):
        facts = json.loads(self.check(FINE, 'list', '--json').stdout)
        self.assertEqual([d['name'] for d in facts['dtypes']], ['f16', 'bf16', 'f32', 'f64'])
        self.assertEqual([o['name'] for o in facts['ops']], [
            'sigmoid', 'sigmoid_grad', 'bce_with_logits', 'bce_with_logits_grad'])
        names = [i['name'] for i in facts['implementations']]
        self.assertIn('stable/sigmoid', names)
        self.assertEqual(len(set(names)), len(names))
        self.assertEqual(facts['not_loaded'], [])

    def test_globs_choose(self):
        facts = json.loads(self.check(FINE, 'list', '--json', '--impl', 'stable/s*').stdout)
        names = {i['name'] for i in facts['implementations']}
        self.assertTrue(names and all(n.startswith('stable/s') for n in names), names)
        facts = json.loads(self.check(FINE, 'list', '--json', '--op', '*grad').stdout)
        self.assertTrue(all(i['op'].endswith('grad') for i in facts['implementations']))


if __name__ == '__main__':
    main()
