"""Where output cannot go: a reader that went away, a full disk, a limit of size, devices, links."""
import json, os, signal, stat, subprocess, tempfile
from support import CommandTest, FINE, FINDING, ULPAUDIT, USAGE, main, run

SMALL = ('--op', 'sigmoid', '--dtype', 'f32', '--impl', 'stable/*', '--range', '1:1.00001',
         '--points', '100')


def made_report(folder):
    """report.json of a small sweep."""
    done = run('sweep', *SMALL, '--json')
    assert done.returncode == FINE, done.stderr
    path = os.path.join(folder, 'made.json')
    with open(path, 'w') as f:
        f.write(done.stdout)
    return path


class Stdout(CommandTest):
    def commands(self, folder):
        report = made_report(folder)
        return (['list'], ['list', '--json'], ['sweep', *SMALL], ['sweep', *SMALL, '--json'],
                ['check', *SMALL, '--case', 'z=0x3f800000'], ['check', '--rules'],
                ['eval', '--op', 'sigmoid', '--impl', 'stable/*', '1'],
                ['eval', '--op', 'sigmoid', '--impl', 'stable/*', '--json', '1'],
                ['diff', 'stable/sigmoid', 'stable/sigmoid', *SMALL[2:4], *SMALL[6:]],
                ['report', report], ['report', report, '--format', 'html'],
                ['gate', report], ['merge', report],
                ['contract', report], ['manual'], ['--help'], ['sweep', '--help'], ['--version'])

    def test_full_disk_is_said(self):
        with tempfile.TemporaryDirectory() as folder, open('/dev/full', 'w') as full:
            for command in self.commands(folder):
                done = subprocess.run([ULPAUDIT, *command], stdout=full, stderr=subprocess.PIPE,
                                      encoding='utf-8', timeout=60)
                self.assertEqual(done.returncode, USAGE, (command, done.stderr))
                self.assertIn('cannot write to stdout', done.stderr, command)
                self.assertIn('No space left', done.stderr, command)

    def test_full_disk_of_both(self):
        with open('/dev/full', 'w') as full:
            for command in (['list'], ['nonsense'], ['report', '/nonexistent']):
                done = subprocess.run([ULPAUDIT, *command], stdout=full, stderr=full, timeout=60)
                self.assertEqual(done.returncode, USAGE, command)

    def test_closed_pipe_changes_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            for command in self.commands(folder):
                expected = run(*command)
                read, write = os.pipe()
                os.close(read)
                done = subprocess.run([ULPAUDIT, *command], stdout=write, stderr=subprocess.PIPE,
                                      encoding='utf-8', timeout=60,
                                      preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL))
                os.close(write)
                self.assertEqual(done.returncode, expected.returncode, (command, done.stderr))
                self.assertEqual(done.stderr, expected.stderr, command)

    def test_limit_of_size(self):
        with tempfile.TemporaryDirectory() as folder:
            report = made_report(folder)
            for command in (f'report {report} --format html > {folder}/page',
                            f'report {report} --format html -o {folder}/page',
                            f'gate {report} --baseline {folder}/b --update --reason x -o {folder}/g',
                            f'merge {report} -o {folder}/m'):
                done = subprocess.run(['bash', '-c', f'ulimit -f 1; exec {ULPAUDIT} {command}'],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      encoding='utf-8', timeout=60)
                self.assertEqual(done.returncode, USAGE, (command, done.stderr))
                self.assertIn('File too large', done.stderr, command)


if __name__ == '__main__':
    main()
