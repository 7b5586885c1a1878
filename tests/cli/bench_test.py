"""bench: rows, ratios, globs, a kernel that cannot be timed."""
# SPDX-License-Identifier: Apache-2.0
import json, os, unittest
from support import CommandTest, FINE, PLUGIN, fault, main

SHORT = ('--repetitions', '3', '--min-time', '0.2', '--quiet')


class Bench(CommandTest):
    def rows(self, *args):
        return json.loads(self.check(FINE, 'bench', '--json', *SHORT, *args).stdout)['benchmarks']

    def test_rows(self):
        rows = self.rows('--impl', 'stable/sigmoid', '--dtype', 'f32', '--level', 'L1', '--inputs', 'typical')
        by_name = {r['implementation']: r for r in rows}
        self.assertEqual(set(by_name), {'stable/sigmoid', 'naive/sigmoid', 'memcpy'})  # naive: the reference
        mine = by_name['stable/sigmoid']
        self.assertEqual(len(mine['ns']), 3)
        self.assertAlmostEqual(mine['to_copy'], mine['median'] / by_name['memcpy']['median'])
        self.assertAlmostEqual(mine['to_naive'], mine['median'] / by_name['naive/sigmoid']['median'])
        self.assertAlmostEqual(mine['gigabytes_per_second'], 8 / mine['median'])

    def test_default_rows(self):
        rows = self.rows('--impl', 'simd/sigmoid', '--dtype', 'f32', '--level', 'L[12]')
        self.assertEqual({(r['level'], r['inputs']) for r in rows if r['op']},
                         {(l, i) for l in ('L1', 'L2') for i in ('typical', 'uniform', 'subnormal', 'bits')})

    def test_text(self):
        done = self.check(FINE, 'bench', *SHORT, '--impl', 'stable/sigmoid', '--dtype', 'f32', '--level', 'L1')
        for words in ('Speed', 'stable/sigmoid', 'memcpy', '× naive'):
            self.assertIn(words, done.stdout)

    def test_a_kernel_that_throws(self):
        done = self.check(PLUGIN, 'bench', '--json', *SHORT, '--plugin', fault('throws'),
                          '--impl', 'throws/*', '--level', 'L1', '--inputs', 'typical')
        report = json.loads(done.stdout)
        self.assertEqual({f['rule'] for f in report['findings']}, {'plugin.bench'})
        self.assertIn('loose cannon', report['findings'][0]['message'])
        self.assertIn('--plugin', report['findings'][0]['replay'])

    def test_a_device_has_its_own_clock_copy_and_level(self):
        options = ('--plugin', fault('device'), '--impl', 'device/*', '--inputs', 'typical')
        rows = [r for r in self.rows(*options, '--level', 'device', '--level', 'L1') if 'naive' not in
                r['implementation'] and r['level'] == 'device']
        self.assertEqual([(r['implementation'], r['median']) for r in rows], [('device/copy', 1), ('memcpy', 0.25)])
        self.assertEqual(rows[0]['to_copy'], 4)
        self.assertEqual(rows[0]['elements'], 2**27)
        # No time of the host's caches stands beside it.
        rows = self.rows(*options, '--level', 'L1')
        self.assertNotIn('device/copy', {r['implementation'] for r in rows})

    @unittest.skipIf('ASAN_OPTIONS' in os.environ, 'valgrind does not run what the address sanitizer built')
    def test_callgrind_counts_the_same_every_time(self):
        options = ('--impl', 'stable/sigmoid', '--dtype', 'f32', '--level', 'L1', '--inputs', 'typical', '--callgrind')
        counts = [{r['implementation']: (r['instructions'], r['counted_by']) for r in self.rows(*options) if r['op']}
                  for _ in range(2)]
        self.assertEqual(counts[0], counts[1])
        ours, by = counts[0]['stable/sigmoid']
        self.assertEqual(by, 'callgrind')
        self.assertTrue(10 < ours < 200, ours)
        self.assertIn('naive/sigmoid', counts[0])

    def test_callgrind_needs_valgrind(self):
        self.refuse('bench', '--impl', 'stable/sigmoid', '--callgrind', says=['valgrind'],
                    env=dict(os.environ, PATH='/nowhere'))

    def test_refused(self):
        self.refuse('bench', '--level', 'L9', says=['L9', 'L1', 'DRAM'])
        self.refuse('bench', '--inputs', 'nice', says=['nice', 'typical', 'bits'])
        self.refuse('bench', '--repetitions', '0', says=['repetitions'])
        self.check(5, 'bench', '--impl', 'nobody/*')
        self.check(5, 'bench', '--impl', 'stable/*', '--level', 'device', says=['--level'])


if __name__ == '__main__':
    main()
