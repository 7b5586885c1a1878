"""What README.md says about one's own kernel, as it is written there: the lines build it, and it is audited."""
# SPDX-License-Identifier: Apache-2.0
import os, re, subprocess, tempfile

import support

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.dirname(os.path.dirname(os.path.abspath(support.ULPAUDIT)))


def chapter():
    with open(os.path.join(ROOT, 'README.md'), encoding='utf-8') as f:
        return f.read().split('\n## Audit your own kernel')[1].split('\n## ')[0]


def lines_with(compiler):
    """Compiler lines, in blocks and between backticks."""
    return re.findall(r'(?m)(?:^|`)(%s -[^`\n]*)' % re.escape(compiler), chapter())


class OwnKernel(support.CommandTest):
    def shell(self, folder, line):
        done = subprocess.run(['bash', '-c', line], cwd=folder, stdin=subprocess.DEVNULL, timeout=300,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding='utf-8')
        self.assertEqual(done.returncode, 0, '%s\n%s' % (line, done.stdout))

    def workplace(self):
        """A folder that looks like the repository, where a user's files may be made."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.makedirs(os.path.join(folder.name, 'build'))
        os.symlink(BUILD, os.path.join(folder.name, 'build', 'release'))
        os.symlink(os.path.join(ROOT, 'impls'), os.path.join(folder.name, 'impls'))
        return folder.name

    def measured(self, folder, name, *more):
        report = self.report(support.FINDING, '--plugin', os.path.join(folder, name + '.so'),
                             '--impl', name + '/*', '--dtype', 'f32', '--points', '200', *more)
        self.assertTrue(report['results'], report)
        return report

    def test_templates_build_with_the_line_that_is_given(self):
        for compiler, source in (('c++', 'my_kernel.cpp'), ('cc', 'my_kernel.c')):
            given = [l for l in lines_with(compiler) if source in l.split("/")[-1].split()]
            self.assertEqual(len(given), 1, (compiler, given))
            folder = self.workplace()
            self.shell(folder, given[0])
            self.measured(folder, 'my_kernel')

    def test_the_sweep_that_is_given(self):
        given = re.findall(r'(?m)^\./run (sweep --plugin my_kernel\.so .*)$', chapter())
        self.assertEqual(len(given), 1, given)
        folder = self.workplace()
        self.shell(folder, next(l for l in lines_with('c++') if 'my_kernel.cpp' in l))
        done = subprocess.run(['bash', '-c', '%s %s --points 100 --json' % (os.path.abspath(support.ULPAUDIT), given[0])],
                              cwd=folder, stdout=subprocess.PIPE, timeout=120, encoding='utf-8')
        self.assertIn('"my_kernel/sigmoid"', done.stdout)

    def test_the_smallest_kernel(self):
        code = re.findall(r'(?s)```cpp\n(.*?)```', chapter())[0]
        self.assertIn('ULPAUDIT_PLUGIN', code)
        folder = self.workplace()
        with open(os.path.join(folder, 'mine.cpp'), 'w', encoding='utf-8') as f:
            f.write(code)
        self.shell(folder, next(l for l in lines_with('c++') if 'mine.cpp' in l))
        self.measured(folder, 'mine')

    def test_the_contract_of_the_template_goes_with_it(self):
        folder = self.workplace()
        self.shell(folder, next(l for l in lines_with('c++') if 'my_kernel.cpp' in l))
        for command in ('sweep', 'check'):
            self.check(support.FINE, command, '--quiet', '--plugin', os.path.join(folder, 'my_kernel.so'),
                       '--impl', 'my_kernel/*', '--contract',
                       os.path.join(ROOT, 'impls', 'template', 'contract.toml'))


if __name__ == '__main__':
    support.main()
