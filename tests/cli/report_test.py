"""ulpaudit report: every format, and files that are no reports."""
# SPDX-License-Identifier: Apache-2.0
import csv, io, json, os, tempfile
from support import CommandTest, FINE, USAGE, main, run


class Report(CommandTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = os.path.join(cls.folder.name, 'report.json')
        run('sweep', '--op', 'sigmoid', '--dtype', 'bf16', '--impl', 'stable/sigmoid', '-o',
            cls.folder.name)
        with open(cls.path, encoding='utf-8') as f:
            cls.text = f.read()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def other(self, content):
        path = os.path.join(self.folder.name, 'other.json')
        with open(path, 'w', encoding='utf-8') as f:
            f.write(content)
        return path

    def test_console_is_the_default(self):
        plain = self.check(FINE, 'report', self.path).stdout
        self.assertIn('stable/sigmoid', plain)
        self.assertNotIn('\x1b', plain)
        self.assertEqual(plain, self.check(FINE, 'report', self.path, '--format', 'console').stdout)
        self.assertIn('\x1b', self.check(FINE, 'report', self.path, '--color', 'always').stdout)

    def test_markdown(self):
        out = self.check(FINE, 'report', self.path, '--format', 'md').stdout
        self.assertTrue(out.startswith('# '), out[:80])
        self.assertIn('stable/sigmoid', out)

    def test_csv_is_a_table(self):
        out = self.check(FINE, 'report', self.path, '--format', 'csv').stdout
        rows = list(csv.reader(io.StringIO(out)))
        self.assertGreater(len(rows), 1)
        self.assertEqual({len(r) for r in rows}, {len(rows[0])})
        results = json.loads(self.text)['results']
        self.assertEqual(len(rows) - 1, len(results))

    def test_html_is_one_file(self):
        out = self.check(FINE, 'report', self.path, '--format', 'html').stdout
        self.assertTrue(out.startswith('<!DOCTYPE html>'), out[:80])
        self.assertTrue(out.endswith('</html>\n'), out[-80:])
        self.assertIn('stable/sigmoid', out)
        self.assertNotIn('id="changes"', out)

    def test_against_an_earlier_report(self):
        j = json.loads(self.text)
        j['results'][0]['digest'] = '0' * 16
        out = self.check(FINE, 'report', self.path, '--format', 'html', '--against', self.other(json.dumps(j))).stdout
        self.assertIn('0 results gave the same bits', out)
        self.refuse('report', self.path, '--against', self.path, says=['--format html'])
        self.refuse('report', self.path, '--format', 'html', '--against', '/no/such.json', says=['/no/such.json'])
        self.refuse('report', self.path, '--format', 'html', '--against', self.other('{}'), says=['is not a report'])

    def test_to_a_file(self):
        target = os.path.join(self.folder.name, 'out.csv')
        done = self.check(FINE, 'report', self.path, '--format', 'csv', '-o', target)
        self.assertEqual(done.stdout, '')
        with open(target, encoding='utf-8', newline='') as f:
            self.assertEqual(f.read(),
                             run('report', self.path, '--format', 'csv').stdout)
        self.refuse('report', self.path, '-o', '/no/such/folder/x', says=['/no/such/folder/x'])

    def test_unknown_format_names_the_known_ones(self):
        self.refuse('report', self.path, '--format', 'pdf', says=['pdf', 'console', 'md', 'csv'])

    def test_missing_file(self):
        self.refuse('report', '/no/such/report.json', says=['/no/such/report.json'])
        self.refuse('report', says=['file'])

    def test_a_folder_is_no_report(self):
        self.check(USAGE, 'report', self.folder.name, says=[self.folder.name])

    def test_truncated(self):
        for share in (0.1, 0.5, 0.999):
            cut = self.text[:int(len(self.text) * share)]
            self.check(USAGE, 'report', self.other(cut), says=['is not a report'])
        self.check(USAGE, 'report', self.other(''), says=['is not a report'])

    def test_foreign_json(self):
        for foreign in ('{}', '[]', '3', '{"a": [1, 2]}', 'null'):
            self.refuse('report', self.other(foreign), says=['schema_version'])

    def test_unknown_major_version(self):
        j = json.loads(self.text)
        j['schema_version'] = '2.0'
        self.refuse('report', self.other(json.dumps(j)), says=['2.0', '1.x'])

    def test_wrong_types_are_located(self):
        j = json.loads(self.text)
        j['results'][0]['points'] = 'many'
        self.refuse('report', self.other(json.dumps(j)), says=['points'])
        j = json.loads(self.text)
        del j['results'][0]['statistics']['faithful']
        self.refuse('report', self.other(json.dumps(j)), says=['faithful'])

    def test_a_later_minor_version_is_read(self):
        j = json.loads(self.text)
        j['schema_version'] = '1.99'
        j['something_new'] = {'x': 1}
        j['results'][0]['something_new'] = 1
        self.check(FINE, 'report', self.other(json.dumps(j)))


if __name__ == '__main__':
    main()
