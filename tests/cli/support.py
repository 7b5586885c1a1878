"""What the tests of the commands share: running the program and looking at what it says."""
# SPDX-License-Identifier: Apache-2.0
import json, os, subprocess, sys, unittest

ULPAUDIT = os.environ.get('ULPAUDIT', 'build/release/bin/ulpaudit')
FAULTS = os.environ.get('ULPAUDIT_FAULTS', '')

FINE, FINDING, USAGE, TRUTH, PLUGIN, NOTHING, INTERRUPTED, INTERNAL = 0, 1, 2, 3, 4, 5, 6, 70


def run(*args, stdin='', env=None):
    """The finished program: returncode, stdout, stderr."""
    environment = {k: v for k, v in os.environ.items() if k != 'ULPAUDIT_PLUGIN_PATH'}
    environment['ULPAUDIT_CALLED_AS'] = './run'
    environment.update(env or {})
    return subprocess.run([ULPAUDIT, *map(str, args)], input=stdin, env=environment, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding='utf-8')


def fault(name):
    """A plug-in of tests/plugin/faults."""
    return os.path.join(FAULTS, name + '.so')


class CommandTest(unittest.TestCase):
    def check(self, code, *args, says=(), **more):
        """Runs, expects the exit code, and each of `says` on stderr."""
        done = run(*args, **more)
        shown = '%s\nexit %d\nstdout: %s\nstderr: %s' % (
            ' '.join(map(str, args)), done.returncode, done.stdout[-1500:], done.stderr[-1500:])
        self.assertEqual(done.returncode, code, shown)
        for words in says:
            self.assertIn(words, done.stderr, shown)
        self.assertNotIn('internal fault', done.stderr, shown)
        return done

    def refuse(self, *args, says=(), code=USAGE, **more):
        """As check, for what must be refused: one line on stderr and nothing on stdout."""
        done = self.check(code, *args, says=says, **more)
        self.assertEqual(done.stdout, '')
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        self.assertTrue(done.stderr.startswith('ulpaudit: '), done.stderr)
        return done

    def report(self, code, *args, **more):
        """The report that a sweep prints."""
        return json.loads(self.check(code, 'sweep', '--json', *args, **more).stdout)


def findings(report, implementation):
    """Rule ids of the findings of an implementation."""
    return {f['rule'] for f in report['findings'] if f['implementation'] == implementation}


def main():
    if not os.access(ULPAUDIT, os.X_OK):
        sys.exit('ULPAUDIT=%s is not a program' % ULPAUDIT)
    unittest.main(verbosity=2)
