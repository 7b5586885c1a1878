"""train: rows, replay, what is refused, a kernel that cannot run, interruption by nothing at all."""
import json, os, tempfile
from support import CommandTest, FINE, NOTHING, PLUGIN, fault, main, run

SHORT = ('--steps', '30', '--quiet')


class Train(CommandTest):
    def rows(self, *args):
        return json.loads(self.check(FINE, 'train', '--json', *SHORT, *args).stdout)['training']

    def test_rows_beside_exact_ones(self):
        rows = self.rows('--network', 'binary', '--data', 'noisy', '--impl', 'stable/*', '--dtype', 'f32')
        self.assertEqual([r['implementation'] for r in rows], ['exact', 'stable'])
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
        for words in ('What it does to training', 'exact', 'stable', 'trains as the reference', 'binary on noisy'):
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

    def test_refused(self):
        self.refuse('train', '--network', 'transformer', says=['transformer', 'binary', 'lstm'])
        self.refuse('train', '--path', 'wrong', says=['wrong', 'logits', 'clipped'])
        self.refuse('train', '--data', 'nice', says=['nice', 'noisy', 'outliers'])
        self.refuse('train', '--dtype', 'f8', says=['f8', 'f32'])
        self.refuse('train', '--depth', '65', says=['--depth'])
        self.refuse('train', '--steps', '0', says=['--steps'])
        self.refuse('train', '--learning-rate', '-1', says=['--learning-rate'])
        self.check(NOTHING, 'train', '--impl', 'nobody/*')
        self.check(NOTHING, 'train', '--network', 'binary', '--op', 'sigmoid_grad', says=['nothing was trained'])


if __name__ == '__main__':
    main()
