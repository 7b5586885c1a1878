# SPDX-License-Identifier: Apache-2.0
"""junit.xml: follows the schema, and says of each case what the report says.

Needs xmllint (Debian's libxml2-utils): a validator that is not ours."""
import json, os, subprocess, tempfile
import xml.etree.ElementTree as ElementTree
from support import CommandTest, fault, main, run

HERE = os.path.dirname(os.path.abspath(__file__))
SCHEMA = os.path.join(HERE, '..', 'data', 'junit.xsd')


def complaints(path):
    """What xmllint says against a file; empty where the schema accepts it."""
    done = subprocess.run(['xmllint', '--noout', '--nonet', '--schema', SCHEMA, path],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding='utf-8')
    if done.returncode not in (0, 3):  # 3: not valid
        raise RuntimeError('xmllint: ' + done.stdout)
    return '' if done.returncode == 0 else done.stdout


class Junit(CommandTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        # Passes, expected failures, a broken kernel, and implementations that are not for this machine.
        run('sweep', '--op', 'sigmoid', '--dtype', 'f16', '--dtype', 'f32', '--points', '2000',
            '--plugin', fault('crash'), '-o', cls.folder.name)
        cls.path = os.path.join(cls.folder.name, 'junit.xml')
        cls.root = ElementTree.parse(cls.path).getroot()
        with open(os.path.join(cls.folder.name, 'report.json'), encoding='utf-8') as f:
            cls.report = json.load(f)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_follows_the_schema(self):
        self.assertEqual(complaints(self.path), '')

    def test_the_schema_refuses_what_is_wrong(self):
        with open(self.path, encoding='utf-8') as f:
            good = f.read()
        for old, new in ((' classname="', ' klass="'), ('<failure ', '<fail '), (' tests="', ' tests="x'),
                         ('<system-out>', '<system-out a="b">'), (' type="expected failure"', ''),
                         ('<testsuites>', '<testsuites name="x">'), ('</testsuites>', '')):
            self.assertIn(old, good)
            path = os.path.join(self.folder.name, 'wrong.xml')
            with open(path, 'w', encoding='utf-8') as f:
                f.write(good.replace(old, new, 1).replace('</failure>', '</fail>', new == '<fail '))
            try:
                refused = complaints(path) != ''
            except RuntimeError:  # not even XML
                refused = True
            self.assertTrue(refused, '%s for %s was accepted' % (new, old))

    def cases(self):
        """name → (outcome, its element)"""
        out = {}
        for case in self.root.iter('testcase'):
            self.assertNotIn(case.get('name'), out, 'one case each')
            children = list(case)
            out[case.get('name')] = (children[0].tag, children[0]) if children else ('passed', None)
        return out

    def test_a_case_for_each_result(self):
        cases = self.cases()
        for r in self.report['results']:
            if r['region'] == 'all':
                self.assertIn('%s %s' % (r['implementation'], r['dtype']), cases)

    def test_outcomes_are_those_of_the_findings(self):
        cases = self.cases()
        broken, expected = {}, {}
        for f in self.report['findings']:
            name = ('%s %s' % (f['implementation'], f['dtype'])).strip()
            if f['severity'] == 'error':
                (expected if f.get('expected_failure') else broken).setdefault(name, []).append(f)
        unavailable = {i['name']: i['unavailable'] for i in self.report['implementations'] if i['unavailable']}
        self.assertTrue(broken and expected and unavailable, 'the run has one of each')
        for name, (outcome, element) in cases.items():
            implementation = name.split(' ')[0]
            if name in broken:
                self.assertEqual(outcome, 'failure', name)
                for f in broken[name]:
                    self.assertIn(f['replay'], element.text)
                    self.assertIn(f['message'], element.text)
            elif name in expected:
                self.assertEqual((outcome, element.get('type')), ('skipped', 'expected failure'), name)
                self.assertIn(expected[name][0]['expected_failure'], element.get('message'))
            elif implementation in unavailable:
                self.assertEqual((outcome, element.get('type')), ('skipped', 'unavailable'), name)
                self.assertEqual(element.get('message'), unavailable[implementation])
            else:
                self.assertEqual(outcome, 'passed', name)
        self.assertEqual([n for n in {**broken, **expected} if n not in cases], [])

    def test_suites_count_their_cases(self):
        for suite in self.root:
            count = lambda tag: str(sum(1 for c in suite.iter('testcase') if c.find(tag) is not None))
            self.assertEqual(suite.get('tests'), str(len(suite.findall('testcase'))))
            self.assertEqual(suite.get('failures'), count('failure'))
            self.assertEqual(suite.get('skipped'), count('skipped'))


if __name__ == '__main__':
    main()
