# SPDX-License-Identifier: Apache-2.0
"""The plug-ins `cuda` and `cuda-host`: with or without nvcc and a device, a run does not fail for them.

Where a device is, the plain forms must be near the truth; where none is, the reason is told.
"""
import json, unittest
from support import CommandTest, FINE, NOTHING, main

OPS = {'sigmoid': 'sigmoid', 'sigmoid_grad': 'sigmoid_grad', 'bce': 'bce_with_logits',
       'bce_grad': 'bce_with_logits_grad'}
FORMS = ('naive', 'stable', 'vector', 'fast', 'fast_math')
DTYPES = ('f16', 'bf16', 'f32', 'f64')


class Cuda(CommandTest):
    def setUp(self):
        listed = json.loads(self.check(FINE, 'list', '--json', '--impl', 'cuda/*').stdout)
        self.listed = {i['name'].split('/')[1]: i for i in listed['implementations']}
        self.why = {i['unavailable'] for i in self.listed.values()}

    def test_every_kernel_or_a_reason(self):
        self.assertEqual(len(self.why), 1, 'all kernels share what they need: %s' % self.why)
        why, = self.why
        if why.startswith('not built: '):
            self.assertEqual(set(self.listed), set(OPS))
            return
        self.assertEqual(set(self.listed), {'%s_%s' % (o, f) for o in OPS for f in FORMS})
        for name, facts in self.listed.items():
            self.assertEqual(tuple(facts['dtypes']), DTYPES[:3] if '_fast' in name else DTYPES)
        if why:
            self.assertTrue(why.startswith('no CUDA device'), why)

    def test_a_run_without_a_device_says_so_and_is_no_failure(self):
        if '' in self.why:
            self.skipTest('there is a CUDA device')
        done = self.check(NOTHING, 'sweep', '--impl', 'cuda/*', '--dtype', 'f16', '--quiet')
        self.assertIn('nothing', done.stderr)
        report = self.report(FINE, '--impl', 'cuda/sigmoid*', '--impl', 'stable/sigmoid', '--op',
                             'sigmoid', '--dtype', 'f16')
        self.assertEqual({v['status'] for v in report['verdicts'] if 'cuda/' in v['implementation']},
                         {'unavailable'})

    def test_on_a_device_the_plain_forms_are_near(self):
        if '' not in self.why:
            self.skipTest(', '.join(self.why))
        for form in ('stable', 'vector'):
            report = self.report(FINE, '--impl', 'cuda/sigmoid_' + form, '--points', '100000')
            for r in report['results']:
                if r['region'] == 'all':
                    self.assertLess(r['statistics']['max_ulp'], 4, r['dtype'])


class CudaHost(CommandTest):
    def test_the_arithmetic_keeps_its_contract(self):
        report = self.report(FINE, '--impl', 'cuda-host/*', '--points', '20000')
        self.assertEqual({v['status'] for v in report['verdicts']}, {'pass'})
        names = {i['name'].split('/')[1] for i in report['implementations']}
        self.assertEqual(names, {'%s_%s' % (o, f) for o in OPS for f in FORMS[:3]})
        self.assertEqual({i['requires'] for i in report['implementations']}, {"the host's libm"})
        ran = {(r['implementation'], r['dtype']) for r in report['results']}
        vectors = [(name, dtype) for name, dtype in ran if name.endswith('_vector')]
        self.assertEqual(len(vectors), 2 * len(OPS) + 1, '16 bits, and the loss in f64')
        self.assertEqual(len(ran), 2 * len(OPS) * len(DTYPES) + len(vectors))


if __name__ == '__main__':
    main()
