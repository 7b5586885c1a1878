"""ulpaudit-mpi: the report of several ranks is that of one process."""
# SPDX-License-Identifier: Apache-2.0
import os, subprocess, tempfile
from support import CommandTest, FINE, PLUGIN, ULPAUDIT, USAGE, fault, main, run

ARGS = ('--op', 'sigmoid', '--op', 'bce_with_logits', '--dtype', 'f32', '--exhaustive', '--range',
        '-1:-0.2', '--label', '0.25', '--impl', 'naive/sigmoid', '--impl', 'stable/*')


def mpi(n, *args):
    environment = dict(os.environ, OMPI_MCA_rmaps_base_oversubscribe='1')
    return subprocess.run(
        ['mpirun', '--allow-run-as-root', '--oversubscribe', '--quiet', '-n', str(n),
         ULPAUDIT + '-mpi', *args], env=environment, timeout=120, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, encoding='utf-8')


def without_volatile(text):
    return [line for line in text.splitlines() if not line.startswith('"volatile"')]


class Mpi(CommandTest):
    def same(self, command, *args, ranks=(2, 3)):
        with tempfile.TemporaryDirectory() as folder:
            args = (command, '--json', *args, '-o', folder)
            one = run(*args)
            for n in ranks:
                done = mpi(n, *args)
                self.assertEqual(done.returncode, one.returncode, done.stderr)
                self.assertEqual(without_volatile(done.stdout), without_volatile(one.stdout))
        return one.returncode

    def test_two_and_three_ranks(self):
        self.assertEqual(self.same('sweep', *ARGS), FINE)

    def test_two_threads_in_each_rank(self):
        self.same('sweep', *ARGS, '--threads', '2', ranks=(2,))

    def test_more_ranks_than_chunks(self):
        self.same('sweep', '--op', 'sigmoid', '--dtype', 'f16', '--impl', 'stable/*', ranks=(3,))

    def test_audit(self):
        self.same('audit', '--op', 'sigmoid', '--dtype', 'f16', '--impl', 'stable/*', ranks=(2,))

    def test_crashes(self):
        self.assertEqual(PLUGIN, self.same(
            'sweep', '--op', 'sigmoid', '--dtype', 'f32', '--points', '2000', '--plugin',
            fault('crash'), '--impl', 'crash/*', ranks=(2,)))

    def test_checkpoint(self):
        with tempfile.TemporaryDirectory() as folder:
            more = ('--checkpoint', os.path.join(folder, 'c'), '--resume', '--checkpoint-every',
                    '0.1')
            cut = mpi(2, 'sweep', '--json', *ARGS, *more, '--time-limit', '0.5')
            self.assertIn('"ended_early":true', cut.stdout, cut.stderr)
            done = mpi(3, 'sweep', '--json', *ARGS, *more)
            self.assertEqual(without_volatile(done.stdout),
                             without_volatile(run('sweep', '--json', *ARGS).stdout))
            refused = mpi(2, 'sweep', *ARGS, '--checkpoint', more[1])
            self.assertEqual(refused.returncode, USAGE, refused.stderr)
            self.assertEqual(refused.stderr.count('exists already'), 1, refused.stderr)

    def test_bad_usage_is_said_once(self):
        for args, words in ((['sweep', '--op', 'softmax'], "unknown op 'softmax'"),
                            (['sweep', '--sparkle'], '--sparkle'),
                            (['dance'], "unknown command 'dance'")):
            done = mpi(3, *args)
            self.assertEqual(done.returncode, USAGE, done.stderr)
            self.assertEqual(done.stderr.count(words), 1, done.stderr)
            self.assertEqual(done.stdout, '')


if __name__ == '__main__':
    main()
