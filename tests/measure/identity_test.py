"""A checkpoint is gone on with only where nothing changed that its counts rest on: the plug-in, the
libraries that it loads, its contract."""
# SPDX-License-Identifier: Apache-2.0
import os, shutil, subprocess, tempfile, unittest

ULPAUDIT = os.environ.get('ULPAUDIT', 'build/release/bin/ulpaudit')
RECORDER = os.environ.get('ULPAUDIT_RECORDER', 'build/release/tests/measure/recorder_plugin.so')
PLUGINS = os.path.join(os.path.dirname(ULPAUDIT), 'plugins')
CONTRACT = 'contract = 1\n'


class Identity(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.plugin = self.file('recorder.so')
        shutil.copy(RECORDER, self.plugin)
        self.library = self.file('kernels.so')  # that the plug-in loads by itself
        shutil.copy(os.path.join(PLUGINS, 'naive.so'), self.library)
        self.contract = self.file('contract.toml')
        with open(self.contract, 'w') as f:
            f.write(CONTRACT)

    def file(self, name):
        return os.path.join(self.folder.name, name)

    def sweep(self, *more):
        env = dict(os.environ, ULPAUDIT_RECORDED=self.library, ULPAUDIT_RECORD=os.devnull)
        env.pop('ULPAUDIT_PLUGIN_PATH', None)
        return subprocess.run([ULPAUDIT, 'sweep', '--plugin', self.plugin, '--impl', 'recorder/sigmoid',
                               '--dtype', 'f16', '--quiet', '--contract', self.contract, '--checkpoint',
                               self.file('checkpoint'), *more], env=env, timeout=60, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, encoding='utf-8')

    def refused(self, words):
        done = self.sweep('--resume')
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn('is of another run: ' + words, done.stderr)

    def test_the_same_run_goes_on(self):
        first = self.sweep()
        self.assertIn(first.returncode, (0, 1), first.stderr)
        self.assertEqual(self.sweep('--resume').returncode, first.returncode)

    def test_another_plug_in(self):
        self.sweep()
        with open(self.plugin, 'ab') as f:
            f.write(b'\0')
        self.refused('build of recorder/sigmoid')

    def test_another_library(self):
        self.sweep()
        with open(self.library, 'ab') as f:
            f.write(b'\0')
        self.refused('library ' + self.library)

    def test_another_contract(self):
        self.sweep()
        with open(self.contract, 'a') as f:
            f.write('# another one\n')
        self.refused('contract of recorder')


if __name__ == '__main__':
    unittest.main(verbosity=2)
