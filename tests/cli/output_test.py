"""Where output cannot go: a reader that went away, a full disk, a limit of size, devices, links."""
# SPDX-License-Identifier: Apache-2.0
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

class Targets(CommandTest):
    def test_what_cannot_be_written_is_found_before_the_work(self):
        """The work itself would fail in another way, or take hours."""
        with tempfile.TemporaryDirectory() as folder:
            report = made_report(folder)
            long_run = ('--impl', 'naive/*', '--dtype', 'f32', '--exhaustive', '--op', 'bce_with_logits')
            bad = '/proc/nowhere'
            for command in (['sweep', *long_run, '-o', bad], ['audit', *long_run, '-o', bad],
                            ['check', *long_run, '-o', bad], ['sweep', *long_run, '--checkpoint', bad],
                            ['audit', *long_run, '--checkpoint', bad + '/x'],
                            ['train', '--profile', 'full', '--impl', 'naive/*', '-o', bad],
                            ['train', '--profile', 'full', '--impl', 'naive/*', '--checkpoint', bad],
                            ['bench', '--repetitions', '10000', '--impl', 'naive/*', '-o', bad],
                            ['merge', '/nonexistent', '-o', bad],
                            ['report', '/nonexistent', '-o', bad],
                            ['contract', '/nonexistent', '-o', bad],
                            ['gate', report, '-o', bad],
                            ['gate', report, '--baseline', bad + '/', '--update', '--reason', 'x'],
                            ['report', '/nonexistent', '-o', folder]):
                self.refuse(*command, says=[command[command.index('-o') + 1] if '-o' in command else bad])

    def test_nothing_is_left_by_the_look(self):
        with tempfile.TemporaryDirectory() as folder:
            self.refuse('report', '/nonexistent', '-o', os.path.join(folder, 'page'),
                        says=['/nonexistent'])
            self.assertEqual(os.listdir(folder), [])

    def test_devices_stay_devices(self):
        with tempfile.TemporaryDirectory() as folder:
            report = made_report(folder)
            device = os.path.join(folder, 'null')
            try:
                os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
                open(device, 'w').close()
            except PermissionError:
                device = '/dev/null'
            for command in (['report', report], ['gate', report], ['contract', report]):
                self.check(FINE, *command, '-o', device)
                self.assertTrue(stat.S_ISCHR(os.stat(device).st_mode), command)
            self.refuse('sweep', *SMALL, '--checkpoint', device, says=['exists already'])
            self.assertTrue(stat.S_ISCHR(os.stat(device).st_mode))
            self.assertFalse([f for f in os.listdir(folder) if f.endswith('.tmp')])

    def test_full_device(self):
        with tempfile.TemporaryDirectory() as folder:
            report = made_report(folder)
            for command in (['report', report], ['gate', report], ['contract', report]):
                self.refuse(*command, '-o', '/dev/full', says=['/dev/full', 'No space left'])

    def test_names_of_stdout(self):
        with tempfile.TemporaryDirectory() as folder:
            report = made_report(folder)
            expected = run('report', report, '--format', 'csv').stdout
            before = os.readlink('/dev/stdout')
            for name in ('/dev/stdout', '/dev/fd/1', '/proc/self/fd/1'):
                self.assertEqual(self.check(FINE, 'report', report, '--format', 'csv', '-o', name).stdout,
                                 expected, name)
                path = os.path.join(folder, 'appended')
                with open(path, 'w') as f:
                    f.write('before\n')
                with open(path, 'a') as f:
                    subprocess.run([ULPAUDIT, 'report', report, '--format', 'csv', '-o', name],
                                   stdout=f, check=True, timeout=60)
                with open(path) as f:
                    self.assertEqual(f.read(), 'before\n' + expected, name)
            self.assertEqual(os.readlink('/dev/stdout'), before)

    def test_fifo(self):
        with tempfile.TemporaryDirectory() as folder:
            report, fifo = made_report(folder), os.path.join(folder, 'fifo')
            os.mkfifo(fifo)
            with subprocess.Popen([ULPAUDIT, 'report', report, '--format', 'csv', '-o', fifo]) as writer:
                with open(fifo) as f:
                    text = f.read()
                self.assertEqual(writer.wait(60), FINE)
            self.assertEqual(text, run('report', report, '--format', 'csv').stdout)
            self.assertTrue(stat.S_ISFIFO(os.stat(fifo).st_mode))

    def test_links_are_written_through(self):
        with tempfile.TemporaryDirectory() as folder:
            report = made_report(folder)
            os.mkdir(os.path.join(folder, 'there'))
            target = os.path.join(folder, 'there', 'page')
            for link, to in (('absolute', target), ('relative', 'there/page'), ('twice', 'relative')):
                os.symlink(to, os.path.join(folder, link))
                self.check(FINE, 'report', report, '-o', os.path.join(folder, link))
                self.assertTrue(os.path.islink(os.path.join(folder, link)), link)
                self.assertGreater(os.path.getsize(target), 0)
                os.remove(target)
            os.symlink('round', os.path.join(folder, 'round'))
            self.refuse('report', report, '-o', os.path.join(folder, 'round'), says=['symbolic links'])


if __name__ == '__main__':
    main()
