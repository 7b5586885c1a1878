"""What is installed: the manual page, the completion, and a user's project built from it alone."""
# SPDX-License-Identifier: Apache-2.0
import os, subprocess, tempfile, unittest

import support

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.dirname(os.path.dirname(os.path.abspath(support.ULPAUDIT)))
COMMANDS = ['list', 'sweep', 'check', 'bench', 'train', 'audit', 'eval', 'diff', 'contract', 'gate', 'report', 'merge']


def done(*command, **more):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding='utf-8', timeout=600, **more)


class Manual(support.CommandTest):
    def test_the_page_has_every_command_and_option(self):
        page = self.check(support.FINE, 'manual').stdout
        self.assertTrue(page.startswith('.TH ULPAUDIT 1'), page[:80])
        for name in COMMANDS:
            self.assertIn('.SH "ULPAUDIT %s"' % name, page)
        for option in ('\\-\\-exhaustive', '\\-\\-version', '\\-\\-against', '\\-\\-huge'):
            self.assertIn(option, page)
        self.assertNotIn('ULPAUDIT manual', page)

    def complete(self, *words):
        script = self.check(support.FINE, 'manual', '--bash-completion').stdout
        line = ' '.join("'%s'" % w for w in words)
        shell = done('bash', '-c', script + '\nCOMP_WORDS=(%s); COMP_CWORD=%d; _ulpaudit; '
                     'echo "${COMPREPLY[@]}"' % (line, len(words) - 1))
        self.assertEqual(shell.returncode, 0, shell.stdout)
        return shell.stdout.split()

    def test_the_completion(self):
        self.assertEqual(self.complete('ulpaudit', 'sw'), ['sweep'])
        self.assertEqual(self.complete('ulpaudit', 'sweep', '--exh'), ['--exhaustive'])
        self.assertEqual(self.complete('ulpaudit', 'sweep', '--dtype', 'b'), ['bf16'])
        self.assertEqual(self.complete('ulpaudit', 'sweep', '--isolate', 'o'), ['on', 'off'])
        self.assertIn('junit', self.complete('ulpaudit', 'report', '--format', ''))


class Installed(unittest.TestCase):
    def test_a_project_of_a_user(self):
        with tempfile.TemporaryDirectory() as folder:
            prefix, build = os.path.join(folder, 'usr'), os.path.join(folder, 'build')
            for command in (
                    ('cmake', '--install', BUILD, '--prefix', prefix),
                    ('cmake', '-S', os.path.join(HERE, 'consumer'), '-B', build, '-G', 'Ninja',
                     '-DCMAKE_PREFIX_PATH=' + prefix, '-DCMAKE_BUILD_TYPE=Release'),
                    ('cmake', '--build', build),
                    ('ctest', '--test-dir', build, '--output-on-failure')):
                step = done(*command)
                self.assertEqual(step.returncode, 0, '%s\n%s' % (' '.join(command), step.stdout))
            made = [os.path.join(f, n) for f, _, names in os.walk(build) for n in names
                    if n == 'mine.so']
            self.assertEqual(len(made), 1, made)
            sweep = done(os.path.join(prefix, 'bin', 'ulpaudit'), 'sweep', '--plugin', made[0],
                         '--impl', 'mine/*', '--dtype', 'f64', '--quiet')
            self.assertEqual(sweep.returncode, 0, sweep.stdout)
            for page in ('share/man/man1/ulpaudit.1', 'share/bash-completion/completions/ulpaudit',
                         'share/doc/ulpaudit/NOTICE'):
                self.assertTrue(os.path.exists(os.path.join(prefix, page)), page)


if __name__ == '__main__':
    support.main()
