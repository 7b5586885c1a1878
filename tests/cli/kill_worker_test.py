"""Workers that are killed at random moments: the run ends with a report, and only the plug-in whose
worker was killed shows it."""
# SPDX-License-Identifier: Apache-2.0
import json, os, random, signal, subprocess, tempfile, time
from support import ULPAUDIT, CommandTest, FINE, PLUGIN, main

SEED = int(os.environ.get('ULPAUDIT_KILL_SEED', '20261124'))
KILLS = int(os.environ.get('ULPAUDIT_KILLS', '100'))
ARGS = [ULPAUDIT, 'sweep', '--op', 'sigmoid', '--dtype', 'f32', '--impl', 'naive/sigmoid', '--impl',
        'stable/sigmoid', '--points', '1500000', '--json', '--quiet']


def figures(report, implementation):
    """What must not change: everything but who judged how often is the machine's."""
    return [{k: v for k, v in r.items()} for r in report['results']
            if r['implementation'] == implementation]


def workers(pid, plugin):
    """Living workers of a run that have loaded the plug-in."""
    found = []
    for task in os.listdir('/proc/%d/task' % pid):
        try:
            with open('/proc/%d/task/%s/children' % (pid, task), encoding='ascii') as f:
                children = f.read().split()
        except OSError:
            continue
        for child in children:
            try:
                with open('/proc/%s/cmdline' % child, 'rb') as f:
                    if ('/%s.so' % plugin).encode() in f.read():
                        found.append(int(child))
            except OSError:
                pass
    return found


class Killed(CommandTest):
    def test_at_random_moments(self):
        print('seed %d' % SEED)
        rng = random.Random(SEED)
        started = time.monotonic()
        whole = json.loads(subprocess.run(ARGS, stdout=subprocess.PIPE, check=True).stdout)
        length = time.monotonic() - started
        hit = told = 0
        for i in range(KILLS):
            # Files, not pipes: a full pipe would hold the run up while it is watched.
            out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
            run = subprocess.Popen(ARGS, stdout=out, stderr=err)
            time.sleep(rng.uniform(0, length))
            while run.poll() is None:
                victims = workers(run.pid, 'stable')
                if victims:
                    try:
                        os.kill(rng.choice(victims), signal.SIGKILL)
                        hit += 1
                    except ProcessLookupError:
                        continue
                    break
                time.sleep(0.002)
            run.wait(timeout=100)
            out.seek(0)
            err.seek(0)
            where = 'kill %d of seed %d: %s' % (i, SEED, err.read()[-300:])
            # Killed while it described itself, the plug-in cannot be listed; later, batches are lost
            # or run again.
            self.assertIn(run.returncode, (FINE, PLUGIN), where)
            report = json.load(out)
            out.close()
            err.close()
            self.assertEqual(figures(report, 'naive/sigmoid'), figures(whole, 'naive/sigmoid'),
                             where)
            told += run.returncode == PLUGIN
        print('%d workers were killed, %d runs say so' % (hit, told))
        self.assertGreater(hit, KILLS // 2, 'too few workers were met alive')
        self.assertGreater(told, hit // 3, 'killed workers went unnoticed')


if __name__ == '__main__':
    main()
