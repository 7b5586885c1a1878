"""merge: the shards of a run give the report of the whole, and nothing else is accepted."""
# SPDX-License-Identifier: Apache-2.0
import itertools, json, os, shutil, tempfile, unittest
from support import CommandTest, FINDING, FINE, PLUGIN, USAGE, fault, main, run

# Exhaustive f16 with two labels and sampled f32, two plug-ins: several jobs, all kinds of chunks.
ARGS = ('--op', 'sigmoid', '--op', 'bce_with_logits', '--dtype', 'f16', '--dtype', 'f32',
        '--label', '0.25', '--label', '1', '--points', '3000', '--impl', 'naive/*',
        '--impl', 'stable/*')


def without_volatile(text):
    """The report's text but for what varies from run to run: one line."""
    return [line for line in text.splitlines() if not line.startswith('"volatile"')]


class MergeTest(CommandTest):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, *args, code=None, command='sweep'):
        """Runs a sweep into a file of the test's folder."""
        done = run(command, '--json', '-o', os.path.join(self.folder, 'unused'), *args)
        if code is not None:
            self.assertEqual(done.returncode, code, done.stderr)
        path = os.path.join(self.folder, name)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(done.stdout)
        return path

    def shards(self, n, *args, **more):
        return [self.write('%d_of_%d.json' % (i, n), *args, '--shard', '%d/%d' % (i, n), **more)
                for i in range(n)]

    def edited(self, path, change):
        with open(path, encoding='utf-8') as f:
            report = json.load(f)
        change(report)
        path += '.edited.json'
        with open(path, 'w', encoding='utf-8') as f:
            json.dump(report, f)
        return path

    def assertWhole(self, whole, files, *args):
        done = run('merge', '--json', *args, *files)
        self.assertEqual(done.returncode, whole.returncode, done.stderr)
        expected, got = without_volatile(whole.stdout), without_volatile(done.stdout)
        for a, b in zip(expected, got):
            self.assertEqual(a[:20000], b[:20000])
        self.assertEqual(expected, got)


class Merged(MergeTest):
    def test_equals_the_unsharded_run(self):
        whole = run('sweep', '--json', *ARGS)
        self.assertEqual(whole.returncode, FINE, whole.stderr)
        self.assertIn('"exhaustive"', whole.stdout)
        for n in (2, 3, 7):
            files = self.shards(n, *ARGS)
            self.assertWhole(whole, files)
            self.assertWhole(whole, files[::-1])
        for files in itertools.permutations(self.shards(3, *ARGS)):
            self.assertWhole(whole, files)

    def test_a_search(self):
        args = ('--op', 'sigmoid', '--op', 'bce_with_logits_grad', '--dtype', 'f64', '--search',
                '--points', '40000', '--label', '0.25', '--label', '0.5', '--impl', 'stable/*')
        whole = run('sweep', '--json', *args)
        self.assertEqual(whole.returncode, FINE, whole.stderr)
        for threads in '13':
            again = run('sweep', '--json', '--threads', threads, *args)
            self.assertEqual(without_volatile(again.stdout), without_volatile(whole.stdout))
        for n in (2, 5):
            self.assertWhole(whole, self.shards(n, *args))

    def test_more_shards_than_chunks(self):
        args = ('--op', 'sigmoid', '--dtype', 'f16', '--impl', 'stable/*')
        self.assertWhole(run('sweep', '--json', *args), self.shards(3, *args))

    def test_one_chunk_of_many_over_several_shards(self):
        args = ('--op', 'sigmoid', '--dtype', 'f32', '--impl', 'naive/sigmoid', '--exhaustive',
                '--range', '-100:-60')
        self.assertWhole(run('sweep', '--json', *args), self.shards(3, *args))

    def test_crashes_of_a_plugin(self):
        args = ('--op', 'sigmoid', '--dtype', 'f16', '--dtype', 'f32', '--points', '2000',
                '--plugin', fault('crash'), '--impl', 'crash/*')
        whole = run('sweep', '--json', *args)
        self.assertEqual(whole.returncode, PLUGIN, whole.stderr)
        self.assertWhole(whole, self.shards(2, *args))

    def test_a_broken_budget_is_found_again(self):
        contract = os.path.join(self.folder, 'c.toml')
        with open(contract, 'w', encoding='utf-8') as f:
            f.write('contract = 1\n[[kernel]]\nname = "sigmoid"\nmax_ulp = { f16 = 0.4 }\n')
        args = ('--op', 'sigmoid', '--dtype', 'f16', '--impl', 'stable/sigmoid',
                '--contract', contract)
        whole = run('sweep', '--json', *args)
        self.assertEqual(whole.returncode, FINDING, whole.stderr)
        self.assertWhole(whole, self.shards(2, *args))

    def test_the_textbook_is_answered_again(self):
        args = ('--op', 'sigmoid', '--dtype', 'f16', '--impl', 'stable/*')
        def audit(*more):
            return run('audit', '--json', '-o', self.folder, *args, *more)
        whole = audit()
        self.assertIn('"T2"', whole.stdout)
        self.assertWhole(whole, self.shards(2, *args, command='audit'))

    def test_writes_a_folder(self):
        files = self.shards(2, *ARGS)
        out = os.path.join(self.folder, 'whole')
        self.check(FINE, 'merge', *files, '-o', out)
        self.assertEqual(sorted(os.listdir(out)), ['junit.xml', 'report.html', 'report.json', 'report.md'])


class Refused(MergeTest):
    ARGS = ('--op', 'bce_with_logits', '--dtype', 'f32', '--points', '500', '--impl', 'stable/*')

    def setUp(self):
        super().setUp()
        self.files = self.shards(3, *self.ARGS, code=FINE)

    def test_missing_shards_are_named(self):
        self.refuse('merge', self.files[1], says=['2 of 3 shards are missing: 0/3, 2/3'])
        self.refuse('merge', *self.files[:2], says=['1 of 3 shards is missing: 2/3'])

    def test_duplicates(self):
        self.refuse('merge', *self.files, self.files[1],
                    says=['1_of_3.json', 'are both shard 1/3'])

    def test_another_run(self):
        for words, more in ((['seed', "'1' and '2'"], ['--seed', '2']),
                            (['other inputs', '--points'], ['--points', '5000']),
                            (['other inputs'], ['--range', '0:1']),
                            (['other inputs'], ['--label', '0.5']),
                            (['other inputs'], ['--exhaustive', '--range', '0:0x1p-120']),
                            (['other implementations'], ['--op', 'sigmoid']),
                            (['other implementations'], ['--dtype', 'bf16'])):
            other = self.write('other.json', *self.replace(more), *more, '--shard', '2/3')
            self.refuse('merge', *self.files[:2], other, says=words + ['other.json'])
        other = self.write('other.json', *self.ARGS, '--shard', '1/2')
        self.refuse('merge', self.files[0], other, says=['number of shards', "'3' and '2'"])

    def replace(self, more):
        """ARGS without the options that `more` sets anew and that take one value."""
        args = list(self.ARGS)
        if '--points' in more:
            at = args.index('--points')
            del args[at:at + 2]
        return args

    def test_another_version_flags_or_build(self):
        for key, words in (('version', 'version'), ('flags', 'flags'), ('isa', 'ISA'),
                           ('profile', 'profile'), ('libm', 'libm')):
            other = self.edited(self.files[2], lambda r: r['context'].update({key: 'x'}))
            self.refuse('merge', *self.files[:2], other, says=[words, "'x'"])
        def build(r):
            r['implementations'][0]['build_id'] = 'x'
        self.refuse('merge', *self.files[:2], self.edited(self.files[2], build),
                    says=['is of build', 'x'])
        def contract(r):
            r['contracts'][0]['text'] += '\n'
        self.refuse('merge', *self.files[:2], self.edited(self.files[2], contract),
                    says=['other contracts'])

    def test_a_run_that_was_cut_short(self):
        def cut(r):
            r['volatile']['ended_early'] = True
        self.refuse('merge', *self.files[:2], self.edited(self.files[2], cut),
                    says=['ended early'])

    def test_points_that_do_not_add_up(self):
        def lose(r):
            row = [x for x in r['results'] if x['region'] == 'all' and x['raw']['points']][0]
            row['raw']['points'] -= 1
        self.refuse('merge', *self.files[:2], self.edited(self.files[2], lose),
                    says=['were asked for'])

    def test_what_is_no_report(self):
        self.refuse('merge', says=['files'])
        self.refuse('merge', '/no/such.json', says=['/no/such.json'])
        empty = os.path.join(self.folder, 'empty.json')
        open(empty, 'w', encoding='utf-8').close()
        self.refuse('merge', empty, says=['empty.json', 'is not a report'])
        self.check(USAGE, 'merge', *self.files, '-o', '/proc/nowhere', says=['/proc/nowhere'])


if __name__ == '__main__':
    main()
