"""LibTorch's plug-ins: listed with their version, or the reason why none is built; and what is known of them."""
# SPDX-License-Identifier: Apache-2.0
import json, os, tempfile, unittest
from support import CommandTest, FINE, main, run


def listed():
    done = run('list', '--json', '--impl', 'libtorch*/*')
    return json.loads(done.stdout)['implementations']


IMPLEMENTATIONS = listed()
BUILT = sorted({i['plugin'] for i in IMPLEMENTATIONS if i['plugin'] != 'libtorch'})
WHY = ', '.join({i['unavailable'] for i in IMPLEMENTATIONS if i['plugin'] == 'libtorch'})
KERNELS = {'sigmoid', 'sigmoid_grad', 'bce', 'bce_prob', 'bce_grad'}


class Listed(CommandTest):
    def test_each_by_version_or_the_reason(self):
        if not BUILT:
            self.assertTrue(WHY.startswith('not built: '), WHY)
            self.assertIn('LibTorch', WHY)
            return
        self.assertEqual(WHY, '', 'the stand-in is there beside %s' % BUILT)
        for i in IMPLEMENTATIONS:
            self.assertTrue(i['version'].startswith(i['plugin'].split('-')[1] + '.'), i)
        for plugin in BUILT:
            names = {i['name'].split('/')[1].split('@')[0] for i in IMPLEMENTATIONS
                     if i['plugin'] == plugin}
            self.assertEqual(names, KERNELS)

    def test_a_refused_dtype_is_told_in_its_words(self):
        for i in IMPLEMENTATIONS:
            if '@' in i['name']:
                self.assertIn('not implemented for', i['unavailable'])
                self.assertEqual(i['dtypes'], [i['name'].split('@')[1]])
            elif BUILT:
                self.assertEqual(i['unavailable'], '')
        for plugin in BUILT:
            f16 = {i['name'] for i in IMPLEMENTATIONS
                   if i['plugin'] == plugin and 'f16' in i['dtypes'] and not i['unavailable']}
            if plugin == 'libtorch-1.13':
                self.assertEqual(f16, set())

    def test_the_program_does_not_link_it(self):
        with open(os.environ.get('ULPAUDIT', 'build/release/bin/ulpaudit'), 'rb') as f:
            self.assertNotIn(b'libtorch_cpu.so', f.read())


@unittest.skipUnless(BUILT, WHY)
class Audited(CommandTest):
    def test_threads_must_be_a_number(self):
        done = self.check(FINE, 'list', '--json', '--impl', 'libtorch*/*',
                          env={'ULPAUDIT_TORCH_THREADS': 'many'})
        for i in json.loads(done.stdout)['implementations']:
            self.assertIn("ULPAUDIT_TORCH_THREADS='many'", i['unavailable'])

    def test_each_keeps_its_contract(self):
        report = self.report(FINE, '--impl', 'libtorch*/*', '--points', '20000')
        status = {v['implementation']: v['status'] for v in report['verdicts']}
        for i in IMPLEMENTATIONS:
            self.assertEqual(status[i['name']], 'unavailable' if '@' in i['name'] else 'pass')

    def test_its_known_losses_are_found(self):
        report = self.report(FINE, '--impl', 'libtorch*/*', '--dtype', 'f32', '--points', '20000')
        for plugin in BUILT:
            lost = {(f['implementation'].split('/')[1], f['rule']) for f in report['findings']
                    if f['implementation'].startswith(plugin + '/')}
            for known in (('sigmoid', 'value.flushed'), ('sigmoid_grad', 'value.vanished'),
                          ('bce', 'value.vanished'), ('bce_grad', 'value.vanished')):
                self.assertIn(known, lost, plugin)

    def test_textbook_claims_are_answered_with_it(self):
        with tempfile.TemporaryDirectory() as folder:
            done = self.check(FINE, 'audit', '--json', '--impl', 'libtorch*/*', '--dtype', 'f32', '--points',
                              '2000', '--quiet', '-o', folder)
        claims = {t['id'] for t in json.loads(done.stdout)['textbook']}
        self.assertLessEqual({'T8', 'T10', 'T11'}, claims)


if __name__ == '__main__':
    main()
