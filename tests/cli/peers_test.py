"""The plug-ins over libraries (impls/peers): each is listed or says why not, and what is known of it is found."""
# SPDX-License-Identifier: Apache-2.0
import json, unittest
from support import CommandTest, FINDING, FINE, main, run

PLUGINS = ('sleef', 'libmvec', 'highway', 'eigen', 'xnnpack', 'onednn', 'naive-fast-math', 'stable-fast-math',
           'naive-fast-math-linked')


def listed():
    names = [a for p in PLUGINS for a in ('--impl', p + '/*')]
    return json.loads(run('list', '--json', *names).stdout)['implementations']


IMPLEMENTATIONS = listed()
HERE = {i['name'] for i in IMPLEMENTATIONS if not i['unavailable']}


def needs(name):
    return unittest.skipUnless(name in HERE, '%s does not run here' % name)


class Listed(CommandTest):
    def test_each_or_the_package_that_is_missing(self):
        self.assertEqual({i['plugin'] for i in IMPLEMENTATIONS}, set(PLUGINS))
        for i in IMPLEMENTATIONS:
            why = i['unavailable']
            if why.startswith('not built: '):
                self.assertRegex(why, r'lib[a-z0-9]+-dev', i)
            elif why:
                # An instruction set, or the library's own words.
                self.assertTrue(why.startswith('needs AVX') or i['plugin'] in ('onednn', 'xnnpack'), i)
            else:
                self.assertNotEqual(i['version'], '', i)

    def test_at_least_our_own_formulas_run_here(self):
        # They need no library, so a test where everything was skipped fails.
        self.assertIn('naive-fast-math/sigmoid', HERE)


class Audited(CommandTest):
    def faults(self, name, dtype, *args):
        """Rules that the implementation breaks."""
        report = self.report(FINDING, '--impl', name, '--dtype', dtype, *(args or ('--points', '20000')))
        return {f['rule'] for f in report['findings'] if f['severity'] == 'error'}

    def test_fast_math_makes_nan_of_large_negative_logits(self):
        self.assertIn('value.new_nan', self.faults('naive-fast-math/sigmoid', 'f32', '--range', '-90:-88.73'))

    def test_fast_math_in_the_link_switches_subnormals_off(self):
        done = self.check(FINDING, 'check', '--json', '--impl', 'naive-fast-math-linked/sigmoid', '--dtype', 'f32')
        rules = {f['rule'] for f in json.loads(done.stdout)['findings']}
        self.assertIn('environment.ftz_daz', rules)

    @needs('sleef/sigmoid@avx2')
    def test_stable_forms_over_sleef_and_libmvec_break_no_rule(self):
        for plugin in ('sleef', 'libmvec'):
            if plugin + '/sigmoid@avx2' in HERE:
                report = self.report(FINE, '--impl', plugin + '/sigmoid@avx2', '--impl', plugin + '/sigmoid_grad@avx2',
                                     '--points', '20000')
                for r in report['results']:
                    if r['region'] == 'all':
                        self.assertLess(r['statistics']['max_ulp'], 6, r)

    @needs('highway/sigmoid@avx2')
    def test_highway_makes_a_number_of_nan(self):
        self.assertIn('value.lost_nan', self.faults('highway/sigmoid@avx2', 'f32'))

    @needs('eigen/sigmoid@avx2')
    def test_eigen_loses_13_bits_in_the_left_tail_and_misses_0(self):
        report = self.report(FINE, '--impl', 'eigen/sigmoid@avx2', '--dtype', 'f32', '--range', '-8.5:-8.4')
        self.assertGreater(max(r['statistics']['max_ulp'] for r in report['results'] if r['region'] == 'all'), 4000)
        self.assertIn('value.nonzero_for_zero', self.faults('eigen/sigmoid@avx2', 'f32'))

    @needs('xnnpack/sigmoid')
    def test_xnnpack_loses_subnormal_results(self):
        self.assertTrue({'value.flushed', 'value.new_nan'} & self.faults('xnnpack/sigmoid', 'f32'))

    @needs('onednn/sigmoid')
    def test_onednn_loses_normal_results(self):
        self.assertIn('value.vanished', self.faults('onednn/sigmoid', 'f32', '--range', '-87.33:-86'))


if __name__ == '__main__':
    main()
