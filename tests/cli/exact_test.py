# SPDX-License-Identifier: Apache-2.0
"""The plug-in `exact`: every result is the correctly rounded one, and a contract that says so is judged.

What takes minutes, every f32 and all pairs, is done by hand: see CONTRIBUTING.md.
"""
import tempfile
from support import CommandTest, FINDING, FINE, findings, main

KERNELS = {'exact/sigmoid', 'exact/sigmoid_grad', 'exact/bce', 'exact/bce_grad'}


class CorrectlyRounded(CommandTest):
    def totals(self, *args):
        """Of a sweep over `exact`, all of which must be right: the figures over all regions."""
        report = self.report(FINE, '--impl', 'exact/*', *args)
        self.assertEqual(report['findings'], [])
        self.assertEqual({v['status'] for v in report['verdicts']}, {'pass'})
        totals = [r for r in report['results'] if r['region'] == 'all']
        self.assertEqual({r['implementation'] for r in totals}, KERNELS)
        for r in totals:
            name = '%s %s' % (r['implementation'], r['dtype'])
            self.assertGreater(r['points'], 0, name)
            self.assertEqual(r['raw']['correctly_rounded'], r['points'], name)
            self.assertLessEqual(r['statistics']['max_ulp'], 0.5, name)
            self.assertEqual(r['categories'], [], name)
        return totals

    def test_every_16_bit_logit(self):
        totals = self.totals('--dtype', '*f16')
        self.assertEqual({r['dtype'] for r in totals}, {'f16', 'bf16'})
        self.assertEqual({r['evidence'] for r in totals}, {'exhaustive'})

    def test_every_16_bit_pair_beside_the_ties(self):
        # Far out the true value sits beside a number or a tie; near 0 and 1/2 too.
        for span in ('40:48', '-0x1p-9:0x1p-9'):
            report = self.report(FINE, '--impl', 'exact/bce*', '--dtype', 'bf16', '--label', 'all',
                                 '--range', span)
            for r in report['results']:
                self.assertGreater(r['points'], 0)
                self.assertEqual(r['raw']['correctly_rounded'], r['points'])

    def test_samples_of_f32_and_a_search_of_f64(self):
        totals = self.totals('--dtype', 'f32', '--points', '200000')
        self.assertEqual({r['dtype'] for r in totals}, {'f32'})
        self.totals('--dtype', 'f64', '--search', '--points', '50000')

    def test_properties_hold_with_other_seeds(self):
        for seed in (7, 8):
            self.check(FINE, 'check', '--impl', 'exact/*', '--dtype', 'f32', '--seed', seed)


class Judged(CommandTest):
    def test_a_kernel_that_is_not_correctly_rounded_breaks_such_a_contract(self):
        with tempfile.NamedTemporaryFile('w', suffix='.toml') as f:
            f.write('contract = 1\n[[kernel]]\nname = "sigmoid"\ncorrectly_rounded = ["f16"]\n')
            f.flush()
            report = self.report(FINDING, '--impl', 'stable/sigmoid', '--dtype', 'f16',
                                 '--contract', f.name)
        self.assertEqual(findings(report, 'stable/sigmoid'), {'accuracy.correctly_rounded'})


if __name__ == '__main__':
    main()
