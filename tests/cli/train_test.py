"""train: rows, replay, profiles, contracts, claims, checkpoints, what is refused, a kernel that cannot run."""
# SPDX-License-Identifier: Apache-2.0
import json, os, signal, subprocess, tempfile, time
from support import CommandTest, FINDING, FINE, INTERRUPTED, NOTHING, PLUGIN, ULPAUDIT, USAGE, fault, main, run

CORPUS = os.environ.get('ULPAUDIT_CORPUS', '')


def corpus(name):
    """A plug-in of tests/faults."""
    return os.path.join(CORPUS, name + '.so')


SHORT = ('--steps', '30', '--quiet')


class Train(CommandTest):
    def rows(self, *args):
        return json.loads(self.check(FINE, 'train', '--json', *SHORT, *args).stdout)['training']

    def test_rows_beside_exact_ones(self):
        rows = self.rows('--network', 'binary', '--data', 'noisy', '--impl', 'stable/*', '--dtype', 'f32')
        self.assertEqual([r['implementation'] for r in rows], ['exact kernels', 'stable'])
        mine = rows[1]
        self.assertEqual(mine['kernels'], ['stable/sigmoid', 'stable/bce', 'stable/bce_grad'])
        self.assertEqual(mine['missing'], [])
        self.assertEqual(len(mine['curve']), 30)
        self.assertEqual(mine['outcome'], 'as_reference')
        self.assertEqual(mine['gradients']['results'], 30 * mine['batch'])
        self.assertEqual([l['name'] for l in mine['layers']][:2], ['layer 1', 'layer 1 bias'])

    def test_replay_gives_the_row_again(self):
        rows = self.rows('--network', 'deep_sigmoid', '--path', 'saved', '--depth', '2', '--dtype', 'bf16',
                         '--impl', 'naive/sigmoid_exp', '--seed', '3')
        words = rows[1]['replay'].replace("'", '').split()
        self.assertEqual(words[:2], ['./run', 'train'])
        self.assertEqual(json.loads(run(*words[1:], '--json').stdout)['training'], rows)

    def test_one_op_under_test(self):
        rows = self.rows('--network', 'deep_sigmoid', '--path', 'logits', '--op', 'sigmoid_grad', '--impl', 'naive/*',
                         '--dtype', 'f32')
        self.assertEqual(rows[1]['kernels'], ['naive/sigmoid_grad'])
        self.assertEqual(rows[1]['missing'], ['sigmoid', 'bce_with_logits', 'bce_with_logits_grad'])

    def test_text(self):
        done = self.check(FINE, 'train', '--network', 'binary', '--data', 'noisy', '--impl', 'stable/*',
                          '--dtype', 'f64', *SHORT)
        for words in ('What it does to training', 'exact kernels', 'stable', 'trains as the reference', 'binary on noisy'):
            self.assertIn(words, done.stdout)

    def test_a_kernel_that_throws(self):
        done = self.check(PLUGIN, 'train', '--json', '--plugin', fault('throws'), '--network', 'binary',
                          '--data', 'noisy', '--dtype', 'f32', *SHORT)
        report = json.loads(done.stdout)
        self.assertEqual([f['rule'] for f in report['findings']], ['plugin.train'])
        self.assertEqual(report['training'][1]['outcome'], 'failed')
        self.assertIn('loose cannon', report['training'][1]['failure'])
        self.assertIn('--plugin', report['training'][1]['replay'])

    def file(self, text):
        """A CSV file with this text, for the length of a test."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, 'data.csv')
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        return path

    def test_a_file(self):
        text = 'height,weight,label\n' + ''.join('%d,%g,%d\n' % (i % 7, i * 0.5, i % 7 > 3) for i in range(40))
        path = self.file(text)
        rows = self.rows('--network', 'binary', '--data', path, '--impl', 'stable/*', '--dtype', 'f32')
        self.assertEqual([r['data'] for r in rows], [path, path])
        self.assertEqual(rows[1]['outcome'], 'as_reference')
        self.assertIn('--data ', rows[1]['replay'])

    def test_files_that_are_refused(self):
        for text, says in (('1,2,0\n1,x,1\n', ['row 2', 'column 2', "'x'", 'accepted']),
                           ('1,2,0\n1,nan,1\n', ['row 2', 'column 2', 'nan']),
                           ('1,2,0\n1,2,1.5\n', ['row 2', 'column 3', '1.5', '[0, 1]']),
                           ('a,b,c\n1,2\n', ['row 2', '2 columns', '3']),
                           ('a,b,c\n', ['0 rows', 'accepted']),
                           ('1\n', ['row 1', 'no feature'])):
            self.refuse('train', '--network', 'binary', '--data', self.file(text), says=says)
        self.refuse('train', '--data', './nowhere.csv', says=['./nowhere.csv'])

    RESUMED = ('train', '--json', '--quiet', '--steps', '150', '--network', 'binary', '--network', 'deep_*',
               '--impl', 'stable/*', '--dtype', 'f32', '--dtype', 'f64')

    def test_a_killed_run_goes_on(self):
        whole = json.loads(self.check(FINE, *self.RESUMED).stdout)['training']
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'c')
            args = (*self.RESUMED, '--checkpoint', path, '--checkpoint-every', '0')
            process = subprocess.Popen([ULPAUDIT, *args], stdout=subprocess.DEVNULL)
            while not os.path.exists(path) and process.poll() is None:
                time.sleep(0.002)
            process.kill()
            self.assertEqual(process.wait(), -signal.SIGKILL, 'it was killed before its end')
            with open(path, encoding='utf-8') as f:
                kept = json.loads(f.read().split('\n\n', 1)[1])['training']
            self.assertTrue(0 < len(kept) < len(whole), len(kept))
            for threads in ('1', '2'):
                resumed = self.check(FINE, *args, '--resume', '--threads', threads)
                self.assertEqual(json.loads(resumed.stdout)['training'], whole)
            self.refuse(*args, '--resume', '--seed', '2', says=['of another run', 'seed: 1', 'seed: 2'])
            self.refuse(*args, '--resume', '--impl', 'naive/*', says=['of another run'])
            with open(path, 'r+', encoding='utf-8') as f:
                text = f.read()
                self.assertIn('"steps":150', text)
                text = text.replace('"steps":150', '"steps":151')
                f.seek(0)
                f.write(text)
            self.refuse(*args, '--resume', says=['is damaged', 'hash'])
            self.refuse(*self.RESUMED, '--checkpoint', __file__, '--resume', says=['not a checkpoint'])
        self.check(USAGE, *self.RESUMED, '--resume', says=['--checkpoint'])

    def test_interrupted(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'c')
            longer = ['1500' if word == '150' else word for word in self.RESUMED]
            process = subprocess.Popen([ULPAUDIT, *longer, '--checkpoint', path,
                                        '--checkpoint-every', '0'], stdout=subprocess.PIPE)
            while not os.path.exists(path) and process.poll() is None:
                time.sleep(0.002)
            process.send_signal(signal.SIGINT)
            out = process.communicate()[0]
            self.assertEqual(process.returncode, INTERRUPTED)
            self.assertTrue(json.loads(out)['training'])
            self.assertTrue(os.path.exists(path))

    def test_profiles(self):
        few = self.rows('--network', 'binary', '--impl', 'stable/*')
        more = self.rows('--network', 'binary', '--impl', 'stable/*', '--profile', 'standard')
        paths = lambda rows: {(r['data'], r['path'], r['dtype']) for r in rows}
        self.assertLess(paths(few), paths(more))
        self.assertEqual({r['dtype'] for r in few}, {'f32', 'bf16'})
        self.assertEqual({r['dtype'] for r in more if r['path'] in ('mixed', 'scaled')}, {'f16', 'bf16'})
        self.assertIn('breast_cancer', {r['data'] for r in few})

    def test_a_plugin_named_exact_is_trained_too(self):
        rows = self.rows('--network', 'binary', '--data', 'noisy', '--impl', 'exact/*', '--dtype', 'f32')
        self.assertEqual([r['implementation'] for r in rows], ['exact kernels', 'exact'])

    def test_a_contract_that_promises_it(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        contract = os.path.join(folder.name, 'c.toml')
        with open(contract, 'w', encoding='utf-8') as f:
            f.write('contract = 1\n[[kernel]]\nname = "bce_log"\ntraining = "same_as_reference"\n')
        # log(1+exp(z)) is infinite for large z.
        args = ('train', '--json', '--quiet', '--network', 'binary', '--data', 'outliers', '--dtype', 'f32',
                '--impl', 'naive/bce_log')
        self.assertEqual(json.loads(self.check(FINE, *args).stdout)['findings'], [])
        report = json.loads(self.check(FINDING, *args, '--contract', contract).stdout)
        broken, = report['findings']
        self.assertEqual((broken['rule'], broken['implementation'], broken['dtype'], broken['phase']),
                         ('training.same_as_reference', 'naive/bce_log', 'f32', 'train'))
        self.assertIn('promised', broken['message'])
        self.assertIn('./run train', broken['replay'])
        self.assertEqual([v['status'] for v in report['verdicts'] if v['implementation'] == 'naive/bce_log'], ['fail'])
        path = os.path.join(folder.name, 'report.json')
        with open(path, 'w', encoding='utf-8') as f:
            json.dump(report, f)
        self.assertIn('training.same_as_reference', self.check(FINDING, 'gate', path, '--format', 'json').stdout)

    def test_claims(self):
        report = json.loads(self.check(FINE, 'train', '--json', '--steps', '2', '--quiet', '--impl', 'stable/*',
                                       '--dtype', 'f32').stdout)
        answers = {t['id']: t for t in report['textbook']}
        self.assertEqual(list(answers), ['T4', 'T10', 'T11', 'T12', 'T13', 'T14', 'T15'])
        deep = {r[0].split(':')[0]: [float(c) for c in r[1:]] for r in answers['T12']['rows'] if 'f64' in r[0]}
        self.assertGreater(deep['ReLU'][2], 10 * deep['sigmoid'][2])
        self.assertLess(deep['sigmoid'][-1], 1e-20)
        # Eight sigmoid layers stay at chance, ln 2, where the ReLU net learns.
        shallow, deep = answers['T4']['rows'][-2:]
        self.assertAlmostEqual(float(deep[4]), 0.693, delta=0.02)
        for loss in (deep[5], shallow[4], shallow[5]):
            self.assertLess(float(loss), 0.6)
        self.assertEqual(answers['T4']['verdict'], 'holds with a limit')
        # In two steps no twin has learned: nothing to compare with.
        self.assertEqual(len(answers['T4']['rows']), 2)
        # f32 holds; exact kernels in 16 bits show what rounding alone does to 0.2310.
        self.assertEqual(answers['T11']['verdict'], 'holds with a limit')
        self.assertIn('0.2305 in bf16', answers['T11']['answer'])
        self.assertEqual(answers['T13']['verdict'], 'holds')
        self.assertIn(['exact kernels, f32; stable, f32', '0.2310', '-3.78e-44, 3.78e-44, 0', 'NaN'], [r[:4] for r in answers['T11']['rows']])

    def test_claims_that_faulty_kernels_show(self):
        args = ('train', '--json', '--quiet', '--steps', '8', '--dtype', 'f32', '--dtype', 'bf16')
        answers = {t['id']: t for t in json.loads(self.check(FINE, *args, '--impl', 'naive/*').stdout)['textbook']}
        # Rounded probabilities of outliers are 0 or 1, and their loss is not finite; the loss from the logit is.
        self.assertEqual(answers['T10']['verdict'], 'holds')
        rows = [(r[3], r[4].split(' ')[0]) for r in answers['T10']['rows'] if r[0] == 'exact kernels, f32']
        self.assertIn(('probability', 'infinity'), rows)
        self.assertNotIn(('logits', 'infinity'), rows)
        self.assertNotIn(('logits', 'NaN'), rows)
        self.assertEqual(answers['T11']['verdict'], 'holds with a limit')

    def test_refused(self):
        self.refuse('train', '--network', 'transformer', says=['transformer', 'binary', 'lstm'])
        self.refuse('train', '--path', 'wrong', says=['wrong', 'logits', 'clipped'])
        self.refuse('train', '--data', 'nice', says=['nice', 'noisy', 'outliers'])
        self.refuse('train', '--dtype', 'f8', says=['f8', 'f32'])
        self.refuse('train', '--depth', '65', says=['--depth'])
        self.refuse('train', '--steps', '0', says=['--steps'])
        self.refuse('train', '--learning-rate', '-1', says=['--learning-rate'])
        self.check(NOTHING, 'train', '--impl', 'nobody/*')

    def test_implementations_without_what_a_network_needs(self):
        self.refuse('train', '--network', 'binary', '--op', 'sigmoid_grad', '--impl', 'naive/*',
                    says=['bce_with_logits', 'they have: sigmoid_grad bf16'])
        self.refuse('train', '--network', 'binary', '--plugin', corpus('coarse_exp'), '--dtype', 'f16',
                    says=['(f16)', 'they have: sigmoid f32'])
        self.refuse('train', '--network', 'binary', '--path', 'mixed', '--dtype', 'f32', says=['f16, bf16'])
        self.refuse('train', '--network', 'lstm', '--data', self.file('1,0\n2,1\n'), says=['adding for lstm'])
        self.refuse('train', '--network', 'binary', '--path', 'saved', says=['saved for deep_sigmoid'])


if __name__ == '__main__':
    main()
