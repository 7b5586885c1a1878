"""--checkpoint and --resume: a run killed at any moment goes on with nothing lost or counted twice."""
# SPDX-License-Identifier: Apache-2.0
import json, os, random, shutil, signal, subprocess, tempfile, time
from support import CommandTest, FINE, INTERRUPTED, ULPAUDIT, main, run

# 38 chunks, a second or two, two plug-ins.
ARGS = ('--json', '--op', 'sigmoid', '--op', 'bce_with_logits', '--dtype', 'f32', '--exhaustive',
        '--range', '-1:-0.2', '--label', '0.25', '--impl', 'naive/sigmoid', '--impl', 'stable/*', '--checkpoint-every', '0.05')
SMALL = ('--op', 'sigmoid', '--dtype', 'f32', '--points', '500', '--impl', 'stable/*')


def without_volatile(text):
    return [line for line in text.splitlines() if not line.startswith('"volatile"')]


class CheckpointTest(CommandTest):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.file = os.path.join(self.folder, 'checkpoint')

    def start(self, *args):
        return subprocess.Popen([ULPAUDIT, 'sweep', *args], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, encoding='utf-8')


class Killed(CheckpointTest):
    def test_kill_9_at_random_moments_then_resume(self):
        begin = time.monotonic()
        whole = run('sweep', *ARGS)
        seconds = time.monotonic() - begin
        self.assertIn('"exhaustive"', whole.stdout, whole.stderr)
        moments, killed = random.Random(9), 0
        for k in range(5):
            p = self.start(*ARGS, '--checkpoint', self.file, '--resume', '--threads', str(1 + k % 2))
            time.sleep(seconds * moments.uniform(0.1, 0.8))
            p.kill()
            p.communicate()
            killed += p.returncode == -signal.SIGKILL
        self.assertGreater(killed, 0)
        done = run('sweep', *ARGS, '--checkpoint', self.file, '--resume')
        self.assertEqual(done.returncode, whole.returncode, done.stderr)
        self.assertEqual(without_volatile(done.stdout), without_volatile(whole.stdout))

    def test_a_time_limit_again_and_again(self):
        begin = time.monotonic()
        whole = run('sweep', *ARGS)
        limit = str((time.monotonic() - begin) / 5)
        for rounds in range(100):
            done = run('sweep', *ARGS, '--checkpoint', self.file, '--resume', '--time-limit', limit)
            report = json.loads(done.stdout)
            if not report['volatile']['ended_early']:
                break
        self.assertGreater(rounds, 0, 'the run is too short for this test')
        self.assertEqual(without_volatile(done.stdout), without_volatile(whole.stdout))

    def test_interrupt_keeps_the_checkpoint(self):
        p = self.start(*ARGS, '--checkpoint', self.file)
        while not os.path.exists(self.file) and p.poll() is None:
            time.sleep(0.01)
        p.send_signal(signal.SIGINT)
        _, err = p.communicate(timeout=90)
        self.assertEqual(p.returncode, INTERRUPTED, err)
        done = run('sweep', *ARGS, '--checkpoint', self.file, '--resume')
        self.assertEqual(without_volatile(done.stdout),
                         without_volatile(run('sweep', *ARGS).stdout))

    def test_a_finished_run_gives_its_report_again(self):
        first = self.check(FINE, 'sweep', '--json', *SMALL, '--checkpoint', self.file)
        again = self.check(FINE, 'sweep', '--json', *SMALL, '--checkpoint', self.file, '--resume')
        self.assertEqual(without_volatile(first.stdout), without_volatile(again.stdout))


class Refused(CheckpointTest):
    def resume(self, *args, says):
        self.refuse('sweep', *args, '--checkpoint', self.file, '--resume',
                    says=[self.file, *says])

    def setUp(self):
        super().setUp()
        self.check(FINE, 'sweep', *SMALL, '--checkpoint', self.file)
        with open(self.file, 'rb') as f:
            self.content = f.read()

    def test_an_existing_file_is_not_overwritten(self):
        self.refuse('sweep', *SMALL, '--checkpoint', self.file,
                    says=[self.file, 'exists already', '--resume'])
        with open(self.file, 'rb') as f:
            self.assertEqual(f.read(), self.content)

    def test_another_run(self):
        for more, says in ((['--seed', '2'], ["seed '1' there, '2' here"]),
                           (['--range', '0:1'], ['inputs of sigmoid f32']),
                           (['--shard', '0/2'], ["shard '0/1' there, '0/2' here"]),
                           (['--dtype', 'f16'], ['inputs of sigmoid']),
                           (['--impl', 'naive/*'], ['implementation'])):
            self.resume(*SMALL, *more, says=['is of another run', *says])

    def test_damage(self):
        n = len(self.content)
        for content in (b'', self.content[:10], self.content[:n // 2], self.content[:-1],
                        self.content + b'x', b'#!/bin/sh\n',
                        self.content[:n // 2] + bytes([self.content[n // 2] ^ 1]) +
                        self.content[n // 2 + 1:]):
            with open(self.file, 'wb') as f:
                f.write(content)
            self.resume(*SMALL, says=['checkpoint'])
            with open(self.file, 'rb') as f:
                self.assertEqual(f.read(), content)

    def test_usage(self):
        self.refuse('sweep', *SMALL, '--resume', says=['--checkpoint'])
        self.refuse('sweep', *SMALL, '--checkpoint', '/proc/nowhere/x', says=['/proc/nowhere/x'])
        self.refuse('sweep', *SMALL, '--checkpoint', self.folder, '--resume', says=[self.folder])

    def test_a_first_resume_says_that_it_starts(self):
        self.check(FINE, 'sweep', *SMALL, '--checkpoint', self.file + '2', '--resume',
                   says=['starts from its beginning'])


if __name__ == '__main__':
    main()
