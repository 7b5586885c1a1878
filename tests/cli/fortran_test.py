"""examples/fortran/worker.f90: built with gfortran, where it is, and audited as a program."""
# SPDX-License-Identifier: Apache-2.0
import json, os, shutil, subprocess, sys, tempfile
from support import CommandTest, FINE, findings, main

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'examples', 'fortran', 'worker.f90')


class Fortran(CommandTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.worker = os.path.join(cls.folder, 'worker')
        subprocess.run(['gfortran', '-O2', '-J', cls.folder, SOURCE, '-o', cls.worker], check=True)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def test_keeps_the_rules(self):
        report = json.loads(self.check(FINE, 'check', '--exec', self.worker, '--json', '--points', '3000').stdout)
        self.assertEqual(findings(report, 'fortran/sigmoid'), {'check.not_applicable', 'monotone'})
        totals = {r['dtype']: r for r in report['results'] if r['region'] == 'all'}
        self.assertEqual(set(totals), {'f32', 'f64'})
        for total in totals.values():
            self.assertLess(total['statistics']['max_ulp'], 3)
            self.assertEqual(total['lost_points'], 0)

    def test_is_timed(self):
        rows = json.loads(self.check(FINE, 'bench', '--exec', self.worker, '--impl', 'fortran/*', '--level', 'L2',
                                     '--inputs', 'typical', '--repetitions', '3', '--json').stdout)['benchmarks']
        self.assertTrue(any(b['implementation'] == 'fortran/sigmoid' and b['ns'] for b in rows))


if __name__ == '__main__':
    if shutil.which('gfortran') is None:
        print('skipped: there is no gfortran')
        sys.exit(77)
    main()
