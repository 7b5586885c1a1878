# SPDX-License-Identifier: Apache-2.0
"""report.html in a real browser: what it shows is what report.json holds, and nothing leaves.

Skipped (exit 77) where there is no Chromium. ULPAUDIT names the program."""
import json, math, os, re, subprocess, sys, tempfile, time, unittest
import browser

ULPAUDIT = os.environ.get('ULPAUDIT', 'build/release/bin/ulpaudit')
HOSTILE = '<script>window.pwned=1</script><img src=x onerror=window.pwned=2>"\'&{{js}}'


def thousands(n):
    return format(n, ',')


def shown(v):
    """An error as the page's script writes it, to within what its digits tell."""
    return {'–': None}.get(v, v) and float(v.replace(',', ''))


def bend(e):
    """The page's scale of errors (page.js)."""
    return math.copysign(math.log2(1 + abs(e) * 4), e)


def make_report(folder):
    """A sweep with every dtype, one and two arguments, and one implementation renamed to mean harm."""
    done = subprocess.run([ULPAUDIT, 'sweep', '--op', 'sigmoid', '--op', 'bce_with_logits', '--impl', 'naive/sigmoid',
                           '--impl', 'stable/*', '--points', '3000', '--label', '0.25', '--label', '1', '-o', folder],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding='utf-8')
    path = os.path.join(folder, 'report.json')
    if not os.path.exists(path):
        sys.exit('no report: ' + done.stderr)
    with open(path, encoding='utf-8') as f:
        report = json.loads(f.read().replace('"naive/sigmoid"', json.dumps(HOSTILE)))
    for f in report['findings']:
        f['message'] += HOSTILE
    return report


def train():
    """Training runs with every outcome; no stall is among them, so one is made up."""
    done = subprocess.run([ULPAUDIT, 'train', '--json', '--quiet', '--impl', 'naive/*', '--impl', 'stable/*', '--network',
                           'binary', '--network', 'deep_sigmoid'], stdout=subprocess.PIPE, encoding='utf-8')
    report = json.loads(done.stdout)
    report['training'][1].update(outcome='stalls', outcome_step=17, verdict='stalls at step 17')
    return report


def render(report, folder, name):
    """The page of a report; its path."""
    path = os.path.join(folder, name)
    with open(path + '.json', 'w', encoding='utf-8') as f:
        json.dump(report, f)
    subprocess.run([ULPAUDIT, 'report', path + '.json', '--format', 'html', '-o', path + '.html'], check=True)
    return path + '.html'


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.report = make_report(cls.folder.name)
        cls.path = render(cls.report, cls.folder.name, 'page')
        cls.totals = {'r%d' % i: r for i, r in enumerate(cls.report['results']) if r['region'] == 'all'}
        cls.page = browser.Browser(browser.find())

    @classmethod
    def tearDownClass(cls):
        cls.page.close()
        cls.folder.cleanup()

    def setUp(self):
        self.page.size(1200, 900)
        self.page.theme('light')
        self.load(self.path)

    def load(self, path):
        seconds = self.page.open('file://' + path)
        self.page.settle()
        return seconds

    def show(self, anchor):
        """Goes to a total as a click on the matrix does."""
        self.page.run('document.querySelector(\'.matrix a[href="#%s"]\').click()' % anchor)
        self.page.run('document.querySelector("#%s .curve").scrollIntoView({block: "center"})' % anchor)
        self.page.settle()

    def box(self, selector):
        """Left, top, width and height of an element on the screen."""
        return self.page.run('(() => { const b = document.querySelector(%s).getBoundingClientRect(); '
                             'return [b.x, b.y, b.width, b.height]; })()' % json.dumps(selector))

    def text(self, selector):
        return self.page.run('document.querySelector(%s).textContent' % json.dumps(selector))

    def complaints(self):
        """Errors and warnings of the console, and exceptions."""
        self.page.settle()
        bad = [e for e in self.page.events if e['method'] == 'Runtime.exceptionThrown' or
               (e['method'] == 'Log.entryAdded' and e['params']['entry']['level'] in ('error', 'warning')) or
               e['method'] == 'Runtime.consoleAPICalled']
        return [json.dumps(e)[:2000] for e in bad]

    def test_opens_without_a_complaint_and_asks_for_nothing(self):
        self.page.run('document.querySelectorAll("details").forEach(d => { d.open = true; })')
        self.page.run('new Promise(done => setTimeout(done, 300))')
        self.assertEqual(self.complaints(), [])
        asked = [e['params']['request']['url'] for e in self.page.events if e['method'] == 'Network.requestWillBeSent']
        self.assertEqual([u for u in asked if u != 'file://' + self.path and u != 'data:,'], [])
        self.assertEqual(self.page.run('document.querySelectorAll("figure[data-chart]").length'), 2 * len(self.totals))
        self.assertEqual(self.page.run('document.querySelectorAll("figure[data-chart] svg").length'), 2 * len(self.totals))
        self.assertNotIn('cannot be drawn', self.text('main'))

    def test_complaints_are_seen(self):
        """The test above can fail."""
        self.page.run('setTimeout(() => { throw new Error("planted"); })')
        self.page.run('new Promise(done => setTimeout(done, 50))')
        self.assertIn('planted', str(self.complaints()))
        self.page.run('fetch("http://127.0.0.1:9/").catch(() => 0)')
        self.assertIn('127.0.0.1', str(self.complaints()), 'the policy of the page refuses it, aloud')

    def test_hostile_names_stay_text(self):
        self.page.run('document.querySelectorAll("details").forEach(d => { d.open = true; })')
        self.page.run('new Promise(done => setTimeout(done, 200))')
        self.assertIsNone(self.page.run('window.pwned'))
        self.assertEqual(self.page.run('document.scripts.length'), 2)
        self.assertEqual(self.page.run('document.images.length'), 0)
        self.assertIn(HOSTILE, self.text('.verdicts'))
        self.assertIn(HOSTILE, self.text('.matrix'))
        self.assertIn(HOSTILE, self.page.run('document.querySelector("figure.curve svg").getAttribute("aria-label")'))

    def test_a_script_that_got_in_would_not_run(self):
        self.page.run('document.body.insertAdjacentHTML("beforeend", "<img src=x onerror=window.pwned=3>")')
        self.page.run('''(() => { const s = document.createElement("script"); s.textContent = "window.pwned=4";
                      document.body.append(s); })()''')
        self.page.run('new Promise(done => setTimeout(done, 100))')
        self.assertIsNone(self.page.run('window.pwned'))

    def curve_of(self, total):
        """Its stretches that lie on the line from -inf to inf: NaNs are not drawn."""
        rows = total['curve']
        return [r for r in rows if not ('nan' in r[2] and 'nan' in r[3])]

    def test_every_stretch_of_the_curves_tells_what_the_report_says(self):
        for anchor, total in self.totals.items():
            rows = self.curve_of(total)
            self.show(anchor)
            self.page.run('document.querySelector("#%s .curve svg").focus()' % anchor)
            self.page.key('Home')
            tips = self.page.run('''(() => {
                const svg = document.querySelector("#%s .curve svg"), tip = document.querySelector("#%s .curve .tip"), all = [];
                for (let i = 0; i < %d; ++i) {
                  all.push([...tip.children].map(c => c.textContent));
                  svg.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight"}));
                }
                return all;
            })()''' % (anchor, anchor, len(rows)))
            for tip, r in zip(tips, rows, strict=True):
                self.assertEqual(tip[0], 'z from %s to %s' % (r[2], r[3]))
                self.assertTrue(tip[1].startswith('%s point' % thousands(r[4])), tip)
                self.assertTrue(tip[1].endswith('%s … %s' % (r[0], r[1])), tip)
                low, high, mean = re.fullmatch(r'error (\S+) … (\S+) ulp, mean (\S+)', tip[2]).groups()
                for got, want in ((low, r[6]), (high, r[5]), (mean, r[7])):
                    self.assertAlmostEqual(shown(got), want, delta=abs(want) * 0.06 if abs(want) > 1e5 else abs(want) * 0.006)
                self.assertEqual(thousands(r[8]) + ' besides' in ' '.join(tip[3:]), r[8] > 0, tip)

    def test_the_envelope_is_drawn_where_its_errors_are(self):
        for anchor, total in self.totals.items():
            self.show(anchor)
            points = self.page.run('''[...document.querySelectorAll("#%s .curve path.envelope")].flatMap(p =>
                [...p.getAttribute("d").matchAll(/[ML]([-.0-9]+),([-.0-9]+)/g)].map(m => [Number(m[1]), Number(m[2])]))''' % anchor)
            labels = dict(self.page.run('''[...document.querySelectorAll("#%s .curve text[text-anchor=end]")].map(t =>
                [t.textContent, Number(t.getAttribute("y")) - 4])''' % anchor))
            # The scale, from the zero and the outermost label.
            name, far = max(((n, y) for n, y in labels.items() if n != '0'), key=lambda t: abs(t[1] - labels['0']))
            unit = (far - labels['0']) / bend(float(name.replace(',', '')))
            y = lambda e: labels['0'] + bend(e) * unit
            rows = self.curve_of(total)
            self.assertAlmostEqual(min(p[1] for p in points), y(max(r[5] for r in rows)), delta=0.1)
            self.assertAlmostEqual(max(p[1] for p in points), y(min(r[6] for r in rows)), delta=0.1)
            # And its places along the line: from one end to the other.
            frame = self.box('#%s .curve svg' % anchor)
            xs = [p[0] for p in points]
            self.assertLessEqual(min(xs), 51)  # NaNs lie beyond, and are cut off
            self.assertGreaterEqual(max(xs), frame[2] - 13)

    def test_places_on_the_line_are_those_of_the_numbers(self):
        """Labels of z stand where the encodings of these numbers are."""
        formats = {'f16': (16, 10, 'e', 'H'), 'f32': (32, 23, 'f', 'I'), 'f64': (64, 52, 'd', 'Q')}
        import struct
        for anchor, total in self.totals.items():
            if total['dtype'] not in formats:
                continue
            width, mantissa, kind, word = formats[total['dtype']]
            self.show(anchor)
            svg = self.box('#%s .curve svg' % anchor)
            ticks = self.page.run('''[...document.querySelectorAll("#%s .curve text[text-anchor=middle]:not(.region):not(.strong)")].map(t =>
                [t.textContent, Number(t.getAttribute("x"))])''' % anchor)
            self.assertGreater(len(ticks), 4)
            infinity = ((1 << (width - 1 - mantissa)) - 1) << mantissa
            for label, x in ticks:
                if '∞' in label:
                    continue
                bits = struct.unpack('<' + word, struct.pack('<' + kind, float(label)))[0]
                magnitude = bits & ((1 << (width - 1)) - 1)
                at = -magnitude if bits >> (width - 1) else magnitude
                want = 50 + (at / infinity + 1) / 2 * (svg[2] - 62)
                self.assertAlmostEqual(x, want, delta=1.5, msg='%s %s' % (total['dtype'], label))

    def test_histogram_tells_what_the_report_says(self):
        for anchor, total in self.totals.items():
            self.show(anchor)
            bins = [b for b in total['histogram'] if not isinstance(b[0], str)]
            self.assertEqual(self.page.run('document.querySelectorAll("#%s .histogram svg .bar").length' % anchor), len(bins))
            self.page.run('document.querySelector("#%s .histogram svg").focus()' % anchor)
            below = 0
            for upper, count in bins[:30]:
                self.page.key('ArrowRight')
                below += count
                tip = self.text('#%s .histogram .tip' % anchor)
                self.assertIn('%s points in this bin' % thousands(count), tip)
                share = float(re.search(r'>?([\d.]+)% of all', tip).group(1))
                self.assertAlmostEqual(share, below / total['points'] * 100, delta=0.011)

    def test_tables_agree_with_the_report(self):
        for anchor, total in self.totals.items():
            rows = self.page.run('''[...document.querySelectorAll("#%s table.regions tbody tr")].map(r =>
                [...r.cells].map(c => c.textContent))''' % anchor)
            regions = [r for r in self.report['results'] if all(r[k] == total[k] for k in ('implementation', 'op', 'dtype'))]
            self.assertEqual([r[0] for r in rows], [r['region'] for r in regions])
            for row, r in zip(rows, regions):
                self.assertEqual(row[1], thousands(r['points']))
                if 'max' in r:
                    self.assertIn(r['max']['z']['bits'], row[3])
                    want = r['statistics']['max_ulp']
                    if isinstance(want, float):
                        self.assertAlmostEqual(float(row[2].lstrip('≥').replace(',', '')), want, delta=want * 0.06)
            special = self.page.run('''[...document.querySelectorAll("#%s table.special tbody tr")].map(r =>
                [...r.cells].map(c => c.textContent).join(" "))''' % anchor)
            self.assertEqual(len(special), len(total['special_values']))
            for row, w in zip(special, total['special_values']):
                for number in (w['z'], w['got'], w['expected']):
                    self.assertIn(number['bits'], row)
                self.assertIn(w['true_value'], row)

    def test_hover_and_zoom(self):
        anchor = next(iter(self.totals))
        self.show(anchor)
        x, y, width, height = self.box('#%s .curve svg' % anchor)
        tip = '#%s .curve .tip' % anchor
        hidden = lambda: self.page.run('document.querySelector("%s").hidden' % tip)
        ticks = lambda: self.page.run('[...document.querySelectorAll("#%s .curve text")].map(t => t.textContent).join(" ")' % anchor)
        whole = ticks()
        self.assertTrue(hidden())
        self.page.mouse('mouseMoved', x + width / 3, y + height / 2)
        self.assertFalse(hidden())
        here = self.text(tip)
        self.page.mouse('mouseMoved', x + width / 2.2, y + height / 2)
        self.assertNotEqual(self.text(tip), here)
        b = self.box(tip)
        self.assertTrue(y < b[1] < y + height, 'the tip lies on its picture: %s in %s' % (b, (y, height)))
        self.page.mouse('mouseMoved', x + width / 2, y - 200)
        self.assertTrue(hidden())
        self.page.drag(x + width * 0.3, x + width * 0.4, y + height / 2)
        near = ticks()
        self.assertNotEqual(near, whole)
        self.page.run('document.querySelector("#%s .curve svg").focus()' % anchor)
        self.page.key('+')
        self.assertNotEqual(ticks(), near)
        self.page.key('0')
        self.assertEqual(ticks(), whole)
        self.page.run('(() => { const s = document.querySelector("#%s .curve select"); s.selectedIndex = 2; '
                      's.dispatchEvent(new Event("change")); })()' % anchor)
        self.assertNotEqual(ticks(), whole, 'a region was chosen')

    def test_filter(self):
        count = lambda: self.page.run('[...document.querySelectorAll(".total")].filter(d => !d.hidden).length')
        self.assertEqual(count(), len(self.totals))
        self.page.run('(() => { const i = document.querySelector("#tools input"); i.value = "stable f32"; '
                      'i.dispatchEvent(new Event("input")); })()')
        wanted = [t for t in self.totals.values() if t['dtype'] == 'f32' and t['implementation'].startswith('stable')]
        self.assertEqual(count(), len(wanted))

    def test_commands_can_be_copied(self):
        self.assertEqual(self.page.run('document.querySelectorAll(".command button").length'),
                         self.page.run('document.querySelectorAll(".command").length'))
        self.page.run('document.querySelector("#reproduce .command button").click()')
        self.page.run('new Promise(done => setTimeout(done, 200))')
        self.assertIn(self.text('#reproduce .command button'), ('copied', 'selected'))

    def test_fits_a_phone_in_both_themes(self):
        colours = set()
        for theme in ('light', 'dark'):
            self.page.size(390, 844, mobile=True)
            self.page.theme(theme)
            self.load(self.path)
            self.page.run('document.querySelectorAll("details").forEach(d => { d.open = true; })')
            self.page.run('new Promise(done => setTimeout(done, 200))')
            self.assertLessEqual(self.page.run('document.documentElement.scrollWidth'), 390)
            colours.add(self.page.run('getComputedStyle(document.body).backgroundColor'))
        self.assertEqual(len(colours), 2)

    def test_speed_is_drawn_where_there_are_benchmarks(self):
        self.assertTrue(self.page.run('document.getElementById("speed").hidden'))
        rows = [{'implementation': HOSTILE if i == 0 else 'a/k%d' % i, 'op': 'sigmoid', 'dtype': d, 'inputs': 'uniform', 'level': 'L2',
                 'error': 0.6 + i, 'median': 0.5 + i, 'low': 0.45 + i, 'high': 0.6 + i, 'noisy': False, 'repetitions': [0.5 + i, 0.6 + i, 0.45 + i]}
                for i, d in enumerate(('f16', 'bf16', 'f32', 'f64'))]
        with open(self.path, encoding='utf-8') as f:
            page = f.read()
        self.assertIn('"benchmarks":[]', page)
        path = os.path.join(self.folder.name, 'speed.html')
        with open(path, 'w', encoding='utf-8') as f:
            f.write(page.replace('"benchmarks":[]', '"benchmarks":' + json.dumps(rows).replace('<', '\\u003c')))
        self.load(path)
        self.page.run('document.querySelectorAll("#speed details").forEach(d => { d.open = true; })')
        self.page.settle()
        marks = self.page.run('[...document.querySelectorAll("#speed .speed svg[role=img] path")].map(p => p.getBBox()).map(b => [b.x + b.width / 2, b.y])')
        self.assertEqual(len(marks), 4)
        self.assertEqual(sorted(marks), marks, 'slower is further to the right')
        self.assertEqual(len({round(m[1]) for m in marks}), 4)
        self.assertEqual(self.page.run('document.querySelectorAll("#speed .throughput rect.bar").length'), 4)
        self.assertEqual(self.page.run('document.querySelectorAll("#speed .throughput circle").length'), 12)
        self.assertEqual(self.complaints(), [])

    def test_against_an_earlier_report_its_curve_is_drawn(self):
        """Half the errors before: its outline lies inside of today's."""
        before = json.loads(json.dumps(self.report))
        anchor, total = next((a, t) for a, t in self.totals.items() if t['implementation'] == 'stable/sigmoid' and t['dtype'] == 'f32')
        old = before['results'][int(anchor[1:])]
        old['digest'] = '0' * 16
        for row in old['curve']:
            row[5] /= 2
            row[6] /= 2
        now = os.path.join(self.folder.name, 'page.json')
        then, target = os.path.join(self.folder.name, 'then.json'), os.path.join(self.folder.name, 'changes.html')
        with open(then, 'w', encoding='utf-8') as f:
            json.dump(before, f)
        subprocess.run([ULPAUDIT, 'report', now, '--format', 'html', '--against', then, '-o', target], check=True)
        self.load(target)
        links = self.page.run('[...document.querySelectorAll("#changes a")].map(a => a.getAttribute("href"))')
        self.assertEqual(links, ['#' + anchor])
        self.page.run('document.querySelector("#changes a").click()')
        self.page.settle()
        heights = self.page.run('["envelope", "before"].map(c => Math.min(...[...document.querySelectorAll("#%s .curve path." + c)].map(p => p.getBBox().y)))' % anchor)
        self.assertGreater(heights[1], heights[0] + 5)
        self.assertEqual(self.page.run('document.querySelectorAll("#%s .curve path.before").length' % anchor), 2)
        self.assertEqual(self.complaints(), [])

    def test_a_full_report_opens_at_once(self):
        """104 results, as our own plug-ins have: below 5 MB and 2 s."""
        report = json.loads(json.dumps(self.report))
        first = list(report['results'])
        copies = -(-104 // len(self.totals))
        for i in range(1, copies):
            for r in json.loads(json.dumps(first)):
                r['implementation'] += str(i)
                report['results'].append(r)
        path = render(report, self.folder.name, 'full')
        self.assertLess(os.path.getsize(path), 5e6)
        self.assertLess(min(self.load(path) for _ in range(3)), 2)
        self.assertGreaterEqual(self.page.run('document.querySelectorAll(".total").length'), 104)

    def training(self):
        """The page of training runs, everything open; the report's runs in groups."""
        if not hasattr(type(self), 'trained'):
            type(self).trained = train()
            type(self).training_path = render(self.trained, self.folder.name, 'training')
        self.load(self.training_path)
        self.page.run('document.querySelectorAll("details").forEach(d => { d.open = true; })')
        self.page.run('new Promise(done => setTimeout(done, 200))')
        groups = {}
        for t in self.trained['training']:
            groups.setdefault((t['network'], t['data'], t['path']), []).append(t)
        return list(groups.values())

    def test_training_tables_agree_with_the_report(self):
        groups = self.training()
        self.assertEqual(self.complaints(), [])
        self.assertEqual(self.page.run('document.querySelectorAll("#training .lesson").length'), len(groups))
        self.assertLessEqual({'as_reference', 'drifts', 'stalls', 'nan'}, {t['outcome'] for t in self.trained['training']})
        for i, runs in enumerate(groups):
            rows = self.page.run('[...document.querySelectorAll("#t%d table.runs tbody tr")].map(r => '
                                 '[...r.cells].map(c => c.textContent))' % i)
            self.assertEqual(len(rows), 2 * len(runs))
            for row, replay, t in zip(rows[::2], rows[1::2], runs):
                self.assertEqual((row[0], row[1]), (t['implementation'], t['dtype']))
                self.assertIn(t['verdict'], row[2])
                self.assertIn(t['replay'], replay[0])
                if 'quality' in t:
                    self.assertAlmostEqual(float(row[3]), t['quality']['loss'], delta=1e-3 * abs(t['quality']['loss']))
        cells = self.page.run('[...document.querySelectorAll("table.outcomes td a")].map(a => a.title)')
        self.assertEqual(sorted(cells), sorted(t['verdict'] for t in self.trained['training']))

    def test_training_curves_are_drawn_where_their_figures_are(self):
        groups = self.training()
        for i, runs in enumerate(groups):
            for kind in ('losses', 'norms'):
                figure = '#t%d .%s' % (i, kind)
                labels = [(float(n.replace(',', '')), y) for n, y in self.page.run(
                    '[...document.querySelectorAll("%s svg[role=img] text[text-anchor=end]")].map(t => '
                    '[t.textContent, Number(t.getAttribute("y")) - 4])' % figure)]
                (a, ya), (b, yb) = labels[0], labels[-1]
                self.assertNotEqual(a, b, 'a scale needs two labels')
                y = lambda v: ya + (math.log10(v) - math.log10(a)) / (math.log10(b) - math.log10(a)) * (yb - ya)
                lines = self.page.run(
                    '[...document.querySelectorAll("%s svg[role=img] path.line")].map(p => [p.classList.contains("reference"), '
                    '[...p.getAttribute("d").matchAll(/[ML]([-.0-9]+),([-.0-9]+)/g)].map(m => Number(m[2]))])' % figure)
                drawn = [ys for reference, ys in lines if not reference]
                dashed = [ys for reference, ys in lines if reference]
                if kind == 'losses':
                    want = [[p[1] for p in t['curve']] for t in runs]
                    true = [[p[2] for p in max(runs, key=lambda t: len(t['curve']))['curve']]]
                else:
                    want = [[l[w] for l in t['layers']] for t in runs for w in ('first', 'last')]
                    true = [[l[w] for l in runs[0]['layers']] for w in ('reference_first', 'reference_last')]
                for got, values in [*zip(drawn, want, strict=True), *zip(dashed, true, strict=True)]:
                    values = [v for v in values if isinstance(v, (int, float)) and v > 0]
                    for g, v in zip(got, values, strict=True):
                        self.assertAlmostEqual(g, y(v), delta=1.0, msg='%s %s' % (figure, v))

    def test_training_curves_tell_what_the_report_says(self):
        runs = self.training()[0]
        self.page.run('document.querySelector("#t0 .losses svg[role=img]").focus()')
        self.page.key('ArrowRight')
        tip = self.text('#t0 .losses .tip')
        self.assertTrue(tip.startswith('step 0'), tip)
        for t in runs:
            self.assertIn('%s %s: ' % (t['implementation'], t['dtype']), tip)
        self.page.run('document.querySelectorAll("#t0 .losses button.series")[1].click()')
        faded = self.page.run('document.querySelectorAll("#t0 .losses path.faded").length')
        self.assertEqual(faded, len(runs) - 1)

    def test_training_fits_a_phone_and_follows_its_links(self):
        self.page.size(390, 844, mobile=True)
        for theme in ('light', 'dark'):
            self.page.theme(theme)
            self.training()
            self.assertLessEqual(self.page.run('document.documentElement.scrollWidth'), 390)
        self.load(self.training_path)
        self.page.run('document.querySelector(\'table.outcomes td a[href="#t1"]\').click()')
        self.page.settle()
        self.assertTrue(self.page.run('document.querySelector("#t1").open'))
        self.assertEqual(self.page.run('document.querySelectorAll("#t1 figure svg[role=img]").length'), 2)

    def test_without_training_there_is_no_section(self):
        self.assertTrue(self.page.run('document.getElementById("training") === null'))
        self.assertNotIn('Training', self.text('nav'))

    def test_prints(self):
        pdf = self.page.call('Page.printToPDF')['data']
        self.assertGreater(len(pdf), 10000)


if __name__ == '__main__':
    if browser.find() is None:
        print('skipped: there is no chromium (apt install chromium, or CHROMIUM=/path)')
        sys.exit(browser.SKIPPED)
    unittest.main(verbosity=2)
