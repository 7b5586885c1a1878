"""ulpaudit eval: one input under the microscope, and many as lines of JSON."""
# SPDX-License-Identifier: Apache-2.0
import json, os, tempfile
from support import CommandTest, FINE, PLUGIN, USAGE, fault, main


class Microscope(CommandTest):
    def test_shows_truth_neighbours_and_rows(self):
        out = self.check(FINE, 'eval', '--op', 'sigmoid', '--dtype', 'f32', '--', '-88.5').stdout
        for words in ('3.672301681915042021204408140221412924171e-39', '0xc2b10000', 'number below',
                      'number above', 'correctly rounded', 'naive/sigmoid', 'stable/sigmoid',
                      'error (ulp)'):
            self.assertIn(words, out)

    def test_bits_hex_and_decimal_mean_the_same(self):
        answers = {self.check(FINE, 'eval', '--op', 'sigmoid', '--dtype', 'f32', '--', z).stdout
                   for z in ('-88.5', '-0x1.62p+6', '0xc2b10000', '-8.85e1')}
        self.assertEqual(len(answers), 1)

    def test_the_same_bits_are_another_number_in_another_dtype(self):
        z = {}
        for dtype in ('f16', 'bf16'):
            line = self.check(FINE, 'eval', '--json', '--op', 'sigmoid', '--dtype', dtype, '--',
                              '0x3c00').stdout
            z[dtype] = json.loads(line)['z']['hex']
        self.assertEqual(z['f16'], '0x1p+0')
        self.assertEqual(z['bf16'], '0x1p-7')

    def test_exact_points_say_so(self):
        out = self.check(FINE, 'eval', '--op', 'sigmoid', '--dtype', 'f32', '--', '0').stdout
        self.assertIn('exactly', out)
        self.assertNotIn('number below', out)

    def test_json(self):
        line = self.check(FINE, 'eval', '--json', '--op', 'bce_with_logits', '--dtype', 'f64', '--',
                          '-20', '0').stdout
        j = json.loads(line)
        self.assertEqual((j['op'], j['dtype'], j['exact']), ('bce_with_logits', 'f64', False))
        self.assertEqual(j['y']['bits'], '0x0000000000000000')
        self.assertTrue(j['true_value'].startswith('2.061153620314380703'))
        rows = {r['name']: r for r in j['implementations']}
        self.assertLess(abs(rows['stable/bce']['error_ulps']), 2.5)
        worst = max(abs(r.get('error_ulps') or 0) for r in rows.values())
        self.assertGreater(worst, 1e6, 'log(1+exp(z)) loses its digits here')

    def test_nan_is_a_category(self):
        line = self.check(FINE, 'eval', '--json', '--op', 'sigmoid', '--dtype', 'f32', '--',
                          '1000').stdout
        kinds = {r['category'] for r in json.loads(line)['implementations']
                 if 'unavailable' not in r}
        self.assertIn('new_nan', kinds, 'exp(z)/(1+exp(z)) is inf/inf')
        self.assertIn('none', kinds)

    def test_all_ops_of_that_arity_where_none_is_named(self):
        out = self.check(FINE, 'eval', '--json', '--dtype', 'f16', '--', '1').stdout
        self.assertEqual([json.loads(x)['op'] for x in out.splitlines()],
                         ['sigmoid', 'sigmoid_grad'])


class ManyInputs(CommandTest):
    LINES = ('# a comment\n\nsigmoid f32 -88.5\nsigmoid f16 0x3c00\n'
             'bce_with_logits bf16 0x1p1 0.5\n  sigmoid_grad f64 inf\n')

    def expect_answers(self, out):
        answers = [json.loads(x) for x in out.splitlines()]
        self.assertEqual([(a['op'], a['dtype']) for a in answers], [
            ('sigmoid', 'f32'), ('sigmoid', 'f16'), ('bce_with_logits', 'bf16'),
            ('sigmoid_grad', 'f64')])
        for a in answers:
            self.assertTrue(a['implementations'])
            for r in a['implementations']:
                self.assertTrue('unavailable' in r or 'bits' in r['got'])
        self.assertEqual(answers[3]['correctly_rounded']['bits'], '0x0000000000000000')

    def test_from_stdin(self):
        self.expect_answers(self.check(FINE, 'eval', '--input', '-', stdin=self.LINES).stdout)

    def test_from_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'inputs')
            with open(path, 'w', encoding='utf-8') as f:
                f.write(self.LINES)
            self.expect_answers(self.check(FINE, 'eval', '--input', path).stdout)

    def test_bad_lines_are_named(self):
        for bad, words in (('sigmoid f32', 'line 2'), ('softmax f32 1', 'line 2'),
                           ('sigmoid f8 1', 'line 2'), ('sigmoid f32 1 2 3', 'line 2'),
                           ('sigmoid f32 one', "'one'"), ('bce_with_logits f32 1', 'line 2'),
                           ('bce_with_logits f32 1 1.5', '[0, 1]')):
            self.refuse('eval', '--input', '-', stdin='sigmoid f32 1\n%s\n' % bad, says=[words])

    def test_missing_file(self):
        self.refuse('eval', '--input', '/no/such/file', says=['/no/such/file'])


class FailingKernels(CommandTest):
    def test_a_crash_is_a_row(self):
        done = self.check(PLUGIN, 'eval', '--plugin', fault('crash'), '--op', 'sigmoid', '--dtype',
                          'f32', '--', '1')
        self.assertIn('SIGSEGV', done.stdout)
        self.assertIn('stable/sigmoid', done.stdout)

    def test_a_status_is_a_row(self):
        line = self.check(PLUGIN, 'eval', '--json', '--plugin', fault('status'), '--impl', 'status/*',
                          '--op', 'sigmoid', '--dtype', 'f32', '--', '1').stdout
        self.assertIn('the logit is one', json.loads(line)['implementations'][0]['failure'])


if __name__ == '__main__':
    main()
