"""diff: two builds of one plug-in, two kernels; counts, witnesses, exit codes."""
# SPDX-License-Identifier: Apache-2.0
import json, os
from support import CommandTest, FINE, FINDING, NOTHING, PLUGIN, fault, main

GATED = os.environ['ULPAUDIT_GATED']


def build(name):
    return os.path.join(GATED, name, 'gated.so')


class Diff(CommandTest):
    def diffs(self, *args, code=FINE):
        return json.loads(self.check(code, 'diff', '--json', *args).stdout)['diffs']

    def test_a_build_with_a_nan(self):
        diffs = {d['dtype']: d for d in self.diffs(build('base'), build('nan'))}
        self.assertEqual(set(diffs), {'f16', 'f32', 'f64'})
        half = diffs['f16']
        self.assertEqual((half['evidence'], half['points'], half['different'], half['nan_in_one']),
                         ('exhaustive', 65536, 1, 1))
        worst = half['worst'][0]
        self.assertEqual(worst['a']['z']['decimal'], '1')
        self.assertEqual(worst['nearer'], 'A')
        self.assertEqual(half['regions'][0]['region'], 'right_tail')

    def test_a_last_bit(self):
        double = [d for d in self.diffs(build('base'), build('last_bit')) if d['dtype'] == 'f64'][0]
        self.assertGreater(double['different'], 0)
        self.assertLess(double['different'], double['points'] // 2)
        self.assertEqual(sum(n for _, n in double['distances']), double['different'])
        self.assertLessEqual(double['distances'][-1][0], 4)

    def test_the_same_for_any_number_of_threads(self):
        one = self.diffs('stable/sigmoid', 'naive/sigmoid', '--dtype', '*16', '--threads', '1')
        two = self.diffs('stable/sigmoid', 'naive/sigmoid', '--dtype', '*16', '--threads', '2')
        self.assertEqual(one, two)
        self.assertGreater(one[0]['different'], 0)

    def test_two_arguments(self):
        d = self.diffs('stable/bce', 'naive/bce_max', '--dtype', 'f32', '--label', '0', '--points', '20000')[0]
        self.assertGreater(d['different'], 0)
        self.assertEqual(d['worst'][0]['a']['y']['decimal'], '0')

    def test_words_and_exit_codes(self):
        done = self.check(FINE, 'diff', build('base'), build('base'), '--dtype', 'f16', '--exit-code')
        self.assertIn('the same bits on 65,536 inputs, every one', done.stdout)
        done = self.check(FINDING, 'diff', build('base'), build('nan'), '--dtype', 'f16', '--exit-code')
        for words in ('1 of 65,536 inputs, every one, give other bits', 'NaN in one', 'nearer to the truth', ': A'):
            self.assertIn(words, done.stdout)
        self.check(NOTHING, 'diff', 'stable/sigmoid', 'stable/bce')
        self.check(PLUGIN, 'diff', fault('crash'), fault('fine'), says=['SIGSEGV'])
        self.check(PLUGIN, 'diff', fault('wrong_abi'), build('base'))
        self.refuse('diff', 'nobody/nothing', build('base'), says=['nobody/nothing', 'FILE.so:kernel'])


if __name__ == '__main__':
    main()
