// The charts of report.html, its copy buttons and its filter. Draws what #data holds; text goes into
// the page as text nodes only.
'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);

  // ---- elements
  const SVG = 'http://www.w3.org/2000/svg';
  const fill = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const draw = (tag, attributes, ...children) =>
    fill(document.createElementNS(SVG, tag), attributes, children);
  const path = (points) => points.map(([x, y], i) => `${i ? 'L' : 'M'}${x.toFixed(2)},${y.toFixed(2)}`).join('');

  // ---- figures as text, as reports/text.cpp writes them
  const thousands = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ',');
  const exponent = (text) => text.replace(/\.?0*e\+?(-?)0*/, 'e$1');
  const ulps = (v) => {
    if (v === null || v === undefined) return '–';
    const a = Math.abs(v);
    if (a === 0) return '0';
    if (a >= 999999.5) return exponent(v.toExponential(1));
    if (a >= 999.5) return (v < 0 ? '-' : '') + thousands(Math.round(a));
    if (a < 1e-4) return exponent(v.toExponential(2));
    return String(Number(v.toPrecision(3)) === v ? v : Number(v.toPrecision(Math.abs(a - 0.5) < 0.01 || Math.abs(a - 1) < 0.01 ? 6 : 3)));
  };
  const nanoseconds = (v) => Number(v.toPrecision(3)) + ' ns';
  const percent = (share) => share >= 1 ? '100%' : share >= 0.99995 ? '>99.99%' : (share * 100).toFixed(2) + '%';
  const decimal = (v) => {
    if (v === Infinity) return '∞';
    if (v === -Infinity) return '-∞';
    const a = Math.abs(v);
    return a !== 0 && (a < 1e-3 || a >= 1e5) ? v.toExponential().replace('e+', 'e') : String(v);
  };

  const short = (v) => decimal(Number.isFinite(v) ? Number(v.toPrecision(3)) : v);

  // ---- the ordered line of all encodings of a dtype: a place in [0, 1] for each
  const WIDTH = {f16: 16, bf16: 16, f32: 32, f64: 64};
  const MANTISSA = {f16: 10, bf16: 7, f32: 23, f64: 52};
  class Line {
    constructor(dtype) {
      this.width = WIDTH[dtype];
      if (!this.width) throw new Error('no such dtype');
      this.mantissa = MANTISSA[dtype];
      this.sign = 1n << BigInt(this.width - 1);
      this.mask = (1n << BigInt(this.width)) - 1n;
      this.infinity = this.sign - (1n << BigInt(this.mantissa));
    }
    ordinal(bits) { return bits & this.sign ? ~bits & this.mask : bits | this.sign; }
    place(ordinal) { return Number(ordinal) / 2 ** this.width; }
    at(bits) { return this.place(this.ordinal(BigInt(bits))); }
    /// |v| as bits: exponent and mantissa found by comparison, so that no dtype needs its own code.
    magnitude(v) {
      if (v === Infinity) return this.infinity;
      const bias = 2 ** (this.width - this.mantissa - 2) - 1;
      const exponent = Math.max(v === 0 ? -Infinity : Math.floor(Math.log2(v)), 1 - bias);
      if (exponent > bias) return this.infinity;
      const scaled = BigInt(Math.round(v / 2 ** exponent * 2 ** this.mantissa));
      return (BigInt(exponent + bias - 1) << BigInt(this.mantissa)) + scaled;
    }
    of(v) {
      const m = this.magnitude(Math.abs(v));
      return this.place(v < 0 ? this.ordinal(m | this.sign) : this.ordinal(m));
    }
    /// The number at a place, as near as a double tells.
    value(place) {
      let o = BigInt(Math.floor(Math.min(Math.max(place, 0), 1) * 2 ** this.width));
      if (o > this.mask) o = this.mask;
      const negative = !(o & this.sign);
      const m = negative ? ~o & this.mask & ~this.sign : o & ~this.sign;
      if (m >= this.infinity) return negative ? -Infinity : Infinity;
      const bias = 2 ** (this.width - this.mantissa - 2) - 1;
      const e = Number(m >> BigInt(this.mantissa));
      const f = Number(m & ((1n << BigInt(this.mantissa)) - 1n)) / 2 ** this.mantissa;
      const v = e === 0 ? f * 2 ** (1 - bias) : (1 + f) * 2 ** (e - bias);
      return negative ? -v : v;
    }
    get ends() { return [this.of(-Infinity), this.of(Infinity)]; }
  }

  /// Labels for z between two places: powers of ten, and round numbers once zoomed in.
  function lineTicks(line, [a, b], pixels) {
    const candidates = [-Infinity, Infinity, 0, -1, 1];
    const decade = Math.log2(10) * 2 ** line.mantissa / 2 ** line.width / (b - a) * pixels;
    const step = [1, 2, 3, 5, 10, 20, 50, 100].find((s) => s * decade >= 54) || 200;
    for (let k = step; k <= 320; k += step)
      for (const v of [10 ** k, 10 ** -k]) candidates.push(v, -v);
    const lo = line.value(a), hi = line.value(b);
    if (decade > 110 && Number.isFinite(lo) && Number.isFinite(hi)) {
      if (lo * hi > 0 && Math.max(lo / hi, hi / lo) < 6) {
        const nice = (hi - lo) / 5, power = 10 ** Math.floor(Math.log10(nice));
        const unit = power * ([1, 2, 5].find((m) => m * power >= nice) || 10);
        for (let i = Math.ceil(lo / unit); i * unit <= hi; ++i) candidates.push(Number((i * unit).toPrecision(12)));
      } else {
        for (let k = -320; k <= 308; ++k)
          for (const m of [2, 5]) candidates.push(m * 10 ** k, -m * 10 ** k);
      }
    }
    const ticks = [];
    for (const v of candidates) {
      if (v !== 0 && line.of(v) === line.of(0) || (Number.isFinite(v) && Math.abs(v) >= 1e308)) continue;
      const p = line.of(v), x = (p - a) / (b - a) * pixels;
      if (p < a || p > b || ticks.some((t) => Math.abs(t.x - x) < 52)) continue;
      if (v !== 0 && Number.isFinite(v) && (p <= line.ends[0] || p >= line.ends[1])) continue;
      ticks.push({x, label: decimal(v)});
    }
    return ticks;
  }

  // ---- the scale of errors: linear below a quarter ulp, logarithmic above
  const bend = (e) => Math.sign(e) * Math.log2(1 + Math.abs(e) * 4);
  const ERRORS = [0, 0.5, 1, 2, 4, 10, 100, 1000, 1e4, 1e5, 1e6, 1e8, 1e10, 1e12, 1e15, 1e18];

  /// An empty picture as wide as its figure; the same element each time, so that it keeps the focus.
  function frame(figure, height, margin) {
    const width = Math.max(figure.clientWidth || 680, 280);
    const svg = figure.querySelector('div > svg') || draw('svg', {role: 'img', tabindex: 0});
    fill(svg, {viewBox: `0 0 ${width} ${height}`, height}, []).replaceChildren();
    const plot = {left: margin.left, top: margin.top, right: width - margin.right, bottom: height - margin.bottom};
    plot.width = plot.right - plot.left;
    plot.height = plot.bottom - plot.top;
    return {svg, plot, width, height};
  }

  /// A box beside the pointer that tells what lies there; read out, too.
  class Tip {
    constructor(figure) {
      this.figure = figure;
      this.box = el('div', {class: 'tip', role: 'status', hidden: ''});
      figure.append(this.box);
    }
    show(x, y, width, title, lines) {
      this.box.replaceChildren(el('b', {}, title), ...lines.map((l) => el('div', {}, l)));
      this.box.hidden = false;
      const w = Math.min(this.box.offsetWidth, width);
      this.box.style.left = Math.max(0, Math.min(x + 14 + w > width ? x - w - 14 : x + 14, width - w)) + 'px';
      this.box.style.top = y + 'px';
    }
    hide() { this.box.hidden = true; }
  }

  const capture = (figure, name, ...children) => {
    const caption = el('figcaption', {}, el('b', {}, name), ...children);
    figure.append(caption);
    return caption;
  };
  const key = (style, text) => el('span', {}, el('span', {class: 'key ' + style}), ' ' + text);

  // ---- error against input
  class Curve {
    constructor(figure, chart) {
      this.figure = figure;
      this.chart = chart;
      this.line = new Line(chart.dtype);
      this.home = this.line.ends;
      this.view = [...this.home];
      this.bins = this.stretches(chart.curve);
      this.before = this.stretches(chart.before);
      this.regions = data.regions[chart.op + ' ' + chart.dtype] || [];
      this.label = 0;
      this.at = null;
      this.caption();
      this.holder = el('div', {});
      figure.append(this.holder);
      this.tip = new Tip(figure);
      this.render();
    }
    stretches(curve) {
      const rows = curve ? curve.rows.map((r, i) => [...data.lines[curve.line][i], ...r]) : [];
      return rows.map((r) => ({
        first: this.line.at(r[0]), last: this.line.at(r[1]), row: r, points: r[4],
        max: r[5] ?? Infinity, min: r[6] ?? -Infinity, mean: r[7], categories: r[8] ?? 0
      })).filter((b) => b.last >= this.home[0] && b.first <= this.home[1]);
    }
    caption() {
      const button = (text, label, act) => {
        const b = el('button', {type: 'button', 'aria-label': label, title: label}, text);
        b.addEventListener('click', act);
        return b;
      };
      const buttons = el('span', {class: 'buttons'});
      this.places = el('select', {'aria-label': 'go to a region'});
      this.places.addEventListener('change', () => {
        const span = this.spans()[this.places.value];
        if (span) this.show(this.line.at(span[0]), this.line.at(span[1]));
        else this.reset();
      });
      if (this.regions.length > 1) {
        const select = el('select', {'aria-label': 'label whose regions are shown'},
          ...this.regions.map((r, i) => el('option', {value: i}, 'regions at y = ' + r.label)));
        select.addEventListener('change', () => { this.label = Number(select.value); this.offer(); this.render(); });
        buttons.append(select);
      }
      this.offer();
      if (this.regions.length) buttons.append(this.places);
      buttons.append(button('−', 'zoom out', () => this.zoom(2)), button('+', 'zoom in', () => this.zoom(0.5)),
        button('reset', 'whole line', () => this.reset()));
      capture(this.figure, 'Error against input', key('envelope', 'signed errors, smallest to largest'),
        key('mean', 'mean |error|'), key('hit', 'points besides errors in ulps'),
        ...(this.before.length ? [key('before', 'before')] : []), buttons);
    }
    spans() { return (this.regions[this.label] || {spans: []}).spans; }
    /// The regions of the label, for choosing.
    offer() {
      this.places.replaceChildren(el('option', {value: ''}, 'whole line'), ...this.spans().map(([first, last, name], i) =>
        el('option', {value: i}, `${name.replaceAll('_', ' ')}, z ${short(this.line.value(this.line.at(first)))} … ${short(this.line.value(this.line.at(last)))}`)));
    }
    x(p) { return this.plot.left + (p - this.view[0]) / (this.view[1] - this.view[0]) * this.plot.width; }
    place(x) { return this.view[0] + (x - this.plot.left) / this.plot.width * (this.view[1] - this.view[0]); }
    y(e) {
      const t = (bend(e) - this.low) / (this.high - this.low);
      return this.plot.bottom - Math.min(Math.max(t, 0), 1) * this.plot.height;
    }
    shown(bins = this.bins) { return bins.filter((b) => b.last >= this.view[0] && b.first <= this.view[1]); }

    render() {
      const narrow = (this.figure.clientWidth || 680) < 520;
      Object.assign(this, frame(this.figure, narrow ? 260 : 300, {left: 50, right: 12, top: 34, bottom: 40}));
      const bins = this.shown();
      const finite = (v) => Number.isFinite(v);
      const before = this.shown(this.before), all = [...bins, ...before];
      this.high = bend(Math.max(1.2, ...all.flatMap((b) => [b.max, b.mean]).filter(finite))) * 1.04;
      this.low = bend(Math.min(-1.2, ...all.map((b) => b.min).filter(finite))) * 1.04;
      const mostCategories = bins.reduce((n, b) => n + b.categories, 0);
      this.svg.setAttribute('aria-label', `Error of ${this.chart.implementation} ${this.chart.dtype} against its input. ` +
        'Arrow keys move along the line, plus and minus zoom, 0 resets.' + (mostCategories ? ` ${thousands(mostCategories)} points besides.` : ''));
      const id = 'clip-' + this.figure.dataset.chart;
      this.svg.append(draw('clipPath', {id}, draw('rect', {x: this.plot.left, y: 0, width: this.plot.width, height: this.height})));
      this.bands();
      this.axes();
      const inside = draw('g', {'clip-path': `url(#${id})`});
      inside.append(...this.shape(bins), ...this.outline(before));
      this.svg.append(inside);
      this.pointer = draw('line', {class: 'cursor', y1: this.plot.top, y2: this.plot.bottom, visibility: 'hidden'});
      this.selection = draw('rect', {class: 'selection', y: this.plot.top, height: this.plot.height, width: 0});
      this.svg.append(this.pointer, this.selection);
      if (!this.svg.isConnected) {
        this.holder.append(this.svg);
        this.listen();
      }
      this.tip.hide();
    }
    bands() {
      let end = -Infinity;
      this.spans().forEach(([first, last, name], i) => {
        const a = Math.max(this.x(this.line.at(first)), this.plot.left);
        const b = Math.min(this.x(this.line.at(last)), this.plot.right);
        if (b <= a) return;
        if (i % 2) this.svg.append(draw('rect', {class: 'band', x: a, y: this.plot.top, width: b - a, height: this.plot.height}));
        this.svg.append(draw('line', {class: 'gridline', x1: a, x2: a, y1: this.plot.top - 6, y2: this.plot.bottom}));
        const text = name.replaceAll('_', ' ');
        if (b - a < text.length * 5.6 + 4 || (a + b) / 2 - text.length * 2.9 < end) return;
        end = (a + b) / 2 + text.length * 2.9;
        const label = draw('text', {class: 'region', x: (a + b) / 2, y: this.plot.top - 20, 'text-anchor': 'middle'}, text);
        label.addEventListener('click', () => this.show(this.line.at(first), this.line.at(last)));
        this.svg.append(label);
      });
    }
    axes() {
      const {left, right, bottom} = this.plot;
      let last = [];
      const levels = ERRORS.flatMap((e) => e === 0 ? [0] : [e, -e]);
      for (const e of levels) {
        if (bend(e) > this.high || bend(e) < this.low) continue;
        const y = this.y(e);
        const edge = e === 0 ? 'zero' : Math.abs(e) <= 1 ? 'guide' : 'gridline';
        const room = last.every((t) => Math.abs(t - y) >= 13);
        if (room || edge === 'guide') this.svg.append(draw('line', {class: edge, x1: left, x2: right, y1: y, y2: y}));
        if (!room) continue;
        last.push(y);
        this.svg.append(draw('text', {x: left - 6, y: y + 4, 'text-anchor': 'end'}, (e > 0 ? '+' : '') + ulps(e)));
      }
      this.svg.append(draw('text', {class: 'strong', x: 0, y: this.plot.top - 20}, 'ulp'));
      for (const t of lineTicks(this.line, this.view, this.plot.width)) {
        const x = left + t.x;
        this.svg.append(draw('line', {class: 'zero', x1: x, x2: x, y1: bottom, y2: bottom + 4}),
          draw('text', {x: Math.min(Math.max(x, left + 8), right - 8), y: bottom + 17, 'text-anchor': 'middle'}, t.label));
      }
      this.svg.append(draw('text', {class: 'strong', x: (left + right) / 2, y: bottom + 34, 'text-anchor': 'middle'},
        'z, every float in order'));
    }
    /// Largest and smallest errors of the earlier report.
    outline(bins) {
      const edge = (name) => path(bins.flatMap((b) => [[this.x(b.first), this.y(b[name])], [this.x(b.last), this.y(b[name])]]));
      return bins.length ? ['max', 'min'].map((name) => draw('path', {class: 'before', d: edge(name)})) : [];
    }
    shape(bins) {
      const out = [], upper = [], lower = [], mean = [];
      const runs = [];  // neighbours without a gap between them
      for (const b of bins) {
        const previous = runs.length && runs[runs.length - 1];
        if (previous && this.x(b.first) - this.x(previous[previous.length - 1].last) < 2) previous.push(b);
        else runs.push([b]);
      }
      for (const run of runs) {
        upper.length = lower.length = mean.length = 0;
        for (const b of run) {
          const x1 = this.x(b.first), x2 = Math.max(this.x(b.last), x1 + 0.5);
          upper.push([x1, this.y(b.max)], [x2, this.y(b.max)]);
          lower.push([x1, this.y(b.min)], [x2, this.y(b.min)]);
          mean.push([x1, this.y(b.mean)], [x2, this.y(b.mean)]);
        }
        out.push(draw('path', {class: 'envelope', d: path([...upper, ...[...lower].reverse()]) + 'Z'}),
          draw('path', {class: 'mean', d: path(mean)}));
      }
      for (const b of bins)
        if (b.categories > 0) {
          const x = this.x(b.first);
          out.push(draw('rect', {class: 'hit', x, y: this.plot.top - 8, width: Math.max(this.x(b.last) - x, 1.5), height: 5}));
        }
      const max = this.chart.max;
      if (max && max.error !== null)
        out.push(draw('circle', {class: 'witness-dot', cx: this.x(this.line.at(max.z)), cy: this.y(max.error), r: 4}));
      return out;
    }

    listen() {
      let start = null;
      const where = (event) => {
        const box = this.svg.getBoundingClientRect();
        return (event.clientX - box.left) * this.width / box.width;
      };
      const clamp = (x) => Math.min(Math.max(x, this.plot.left), this.plot.right);
      this.svg.addEventListener('pointerdown', (event) => {
        if (event.button !== 0 || event.target.classList.contains('region')) return;
        start = clamp(where(event));
        this.svg.setPointerCapture(event.pointerId);
      });
      this.svg.addEventListener('pointermove', (event) => {
        const x = clamp(where(event));
        this.hover(this.place(x));
        if (start === null) return;
        this.selection.setAttribute('x', Math.min(x, start));
        this.selection.setAttribute('width', Math.abs(x - start));
      });
      this.svg.addEventListener('pointerup', (event) => {
        const from = start, to = clamp(where(event));
        start = null;
        this.selection.setAttribute('width', 0);
        if (from !== null && Math.abs(to - from) > 8) this.show(this.place(Math.min(from, to)), this.place(Math.max(from, to)));
      });
      this.svg.addEventListener('pointercancel', () => { start = null; this.selection.setAttribute('width', 0); });
      this.svg.addEventListener('pointerleave', () => { if (document.activeElement !== this.svg) this.leave(); });
      this.svg.addEventListener('blur', () => this.leave());
      this.svg.addEventListener('dblclick', () => this.reset());
      this.svg.addEventListener('keydown', (event) => {
        const act = {
          ArrowLeft: () => this.step(-1), ArrowRight: () => this.step(1), Home: () => this.step(-Infinity), End: () => this.step(Infinity),
          '+': () => this.zoom(0.5), '=': () => this.zoom(0.5), '-': () => this.zoom(2), 0: () => this.reset(), Escape: () => this.reset()
        }[event.key];
        if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        act();
      });
    }
    leave() {
      this.pointer.setAttribute('visibility', 'hidden');
      this.tip.hide();
    }
    step(by) {
      const bins = this.shown();
      if (!bins.length) return;
      const now = bins.indexOf(this.at);
      const next = now < 0 && Number.isFinite(by) ? Math.floor(bins.length / 2) : Math.min(Math.max(now + by, 0), bins.length - 1);
      const b = bins[next];
      this.hover((Math.max(b.first, this.view[0]) + Math.min(b.last, this.view[1])) / 2);
    }
    /// The bin at a place, or the nearest.
    hover(place) {
      let best = null, distance = Infinity;
      for (const b of this.shown()) {
        const d = place < b.first ? b.first - place : place > b.last ? place - b.last : 0;
        if (d < distance) { best = b; distance = d; }
      }
      if (!best) return;
      this.at = best;
      this.cursor = Math.min(Math.max(place, best.first, this.view[0]), Math.min(best.last, this.view[1]));
      const x = this.x(this.cursor);
      this.pointer.setAttribute('x1', x);
      this.pointer.setAttribute('x2', x);
      this.pointer.setAttribute('visibility', 'visible');
      const r = best.row;
      const lines = [`${thousands(best.points)} ${best.points === 1 ? 'point' : 'points'}, ${r[0]} … ${r[1]}`,
        `error ${ulps(r[6])} … ${ulps(r[5])} ulp, mean ${ulps(r[7])}`];
      if (best.categories) lines.push(`${thousands(best.categories)} besides (NaN, infinity, vanished, …)`);
      this.tip.show(x, this.holder.offsetTop + this.plot.top + 6, this.figure.clientWidth, `z from ${r[2]} to ${r[3]}`, lines);
    }
    show(a, b) {
      const least = 4 / 2 ** Math.min(this.line.width, 50);
      if (b - a < least) { const middle = (a + b) / 2; a = middle - least / 2; b = middle + least / 2; }
      this.view = [Math.max(a, this.home[0]), Math.min(b, this.home[1])];
      this.render();
    }
    zoom(factor) {
      const middle = this.at && this.cursor >= this.view[0] && this.cursor <= this.view[1] ? this.cursor : (this.view[0] + this.view[1]) / 2;
      const at = this.at;
      this.show(middle - (middle - this.view[0]) * factor, middle + (this.view[1] - middle) * factor);
      if (at && document.activeElement === this.svg) this.hover(middle);
    }
    reset() {
      this.places.value = '';
      this.show(...this.home);
    }
  }

  // ---- how errors are distributed
  class Histogram {
    constructor(figure, chart) {
      this.figure = figure;
      this.chart = chart;
      let sum = 0;
      this.bars = chart.histogram.map(([border, count]) => ({upper: data.bins[border], count, below: sum += count}));
      capture(figure, 'How large errors are', key('bar', 'points a bin'), key('mean', 'share with at most this error'));
      this.holder = el('div', {});
      figure.append(this.holder);
      this.tip = new Tip(figure);
      this.at = -1;
      this.render();
    }
    render() {
      Object.assign(this, frame(this.figure, 200, {left: 50, right: 40, top: 10, bottom: 38}));
      const {left, right, top, bottom} = this.plot;
      const finite = this.bars.filter((b) => b.upper > 0 && Number.isFinite(b.upper));
      const low = Math.log10(Math.max(Math.min(...finite.map((b) => b.upper), 0.1), 1e-6)) - 0.1;
      const high = Math.log10(Math.max(...finite.map((b) => b.upper), 1)) + 0.1;
      const most = Math.log10(Math.max(...this.bars.map((b) => b.count), 10));
      this.x = (u) => left + Math.min(Math.max((Math.log10(u) - low) / (high - low), 0), 1) * this.plot.width;
      const y = (n) => n < 1 ? bottom : bottom - (Math.log10(n) + 0.3) / (most + 0.35) * this.plot.height;
      const share = (s) => bottom - s * this.plot.height;
      const stepY = Math.ceil(most / 5) || 1;
      for (let k = 0; k <= most; k += stepY)
        this.svg.append(draw('line', {class: 'gridline', x1: left, x2: right, y1: y(10 ** k), y2: y(10 ** k)}),
          draw('text', {x: left - 6, y: y(10 ** k) + 4, 'text-anchor': 'end'}, k < 5 ? thousands(10 ** k) : '1e' + k));
      for (const s of [0, 0.5, 1]) this.svg.append(draw('text', {x: right + 5, y: share(s) + 4}, s * 100 + '%'));
      const marks = [0.5, 1];
      const stepX = Math.ceil((high - low) / (this.plot.width / 60));
      for (let k = Math.ceil(low / stepX) * stepX; k <= high; k += stepX) marks.push(10 ** k);
      const used = [];
      for (const e of marks) {
        if (Math.log10(e) < low || Math.log10(e) > high || used.some((x) => Math.abs(x - this.x(e)) < 24)) continue;
        used.push(this.x(e));
        this.svg.append(draw('line', {class: e === 0.5 || e === 1 ? 'guide' : 'gridline', x1: this.x(e), x2: this.x(e), y1: top, y2: bottom}),
          draw('text', {x: this.x(e), y: bottom + 15, 'text-anchor': 'middle'}, ulps(e)));
      }
      this.svg.append(draw('text', {class: 'strong', x: (left + right) / 2, y: bottom + 32, 'text-anchor': 'middle'}, 'error at most, ulp'));
      const cdf = [];
      for (const b of finite) {
        const x2 = this.x(b.upper), x1 = Math.max(this.x(b.upper / 2 ** 0.125), left);
        this.svg.append(draw('rect', {class: 'bar', x: x1, y: y(b.count), width: Math.max(x2 - x1 - 0.4, 0.8), height: bottom - y(b.count)}));
        cdf.push([x2, share(b.below / this.chart.points)]);
      }
      if (cdf.length) this.svg.append(draw('path', {class: 'cdf', d: path([...cdf, [right, cdf[cdf.length - 1][1]]])}));
      this.pointer = draw('line', {class: 'cursor', y1: top, y2: bottom, visibility: 'hidden'});
      this.svg.append(this.pointer);
      this.finite = finite;
      this.svg.setAttribute('aria-label', `Distribution of errors of ${this.chart.implementation} ${this.chart.dtype}. Arrow keys move along it.`);
      if (!this.svg.isConnected) {
        this.holder.append(this.svg);
        this.listen();
      }
      this.tip.hide();
    }
    listen() {
      this.svg.addEventListener('pointermove', (event) => {
        const box = this.svg.getBoundingClientRect();
        const x = (event.clientX - box.left) * this.width / box.width;
        const i = this.finite.findIndex((b) => this.x(b.upper) >= x);
        this.hover(i < 0 ? this.finite.length - 1 : i);
      });
      this.svg.addEventListener('pointerleave', () => { if (document.activeElement !== this.svg) this.leave(); });
      this.svg.addEventListener('blur', () => this.leave());
      this.svg.addEventListener('keydown', (event) => {
        const by = {ArrowLeft: -1, ArrowRight: 1}[event.key];
        if (!by) return;
        event.preventDefault();
        this.hover(Math.min(Math.max(this.at + by, 0), this.finite.length - 1));
      });
    }
    leave() {
      this.pointer.setAttribute('visibility', 'hidden');
      this.tip.hide();
    }
    hover(i) {
      const b = this.finite[i];
      if (!b) return;
      this.at = i;
      const x = this.x(b.upper);
      this.pointer.setAttribute('x1', x);
      this.pointer.setAttribute('x2', x);
      this.pointer.setAttribute('visibility', 'visible');
      this.tip.show(x, this.holder.offsetTop + 12, this.figure.clientWidth, `error at most ${ulps(b.upper)} ulp`,
        [`${thousands(b.count)} points in this bin`, `${percent(b.below / this.chart.points)} of all have at most this error`]);
    }
  }

  // ---- accuracy against speed, and throughput
  const DTYPES = ['f16', 'bf16', 'f32', 'f64'];
  const SHAPES = [
    (x, y) => `M${x - 5},${y}a5,5 0 1,0 10,0a5,5 0 1,0 -10,0Z`, (x, y) => `M${x - 5},${y - 5}h10v10h-10Z`,
    (x, y) => `M${x},${y - 6}l6,11h-12Z`, (x, y) => `M${x},${y - 7}l7,7l-7,7l-7,-7Z`
  ];
  const kind = (dtype) => Math.max(DTYPES.indexOf(dtype), 0);

  class Speed {
    constructor(figure, points, title) {
      this.figure = figure;
      this.points = points;
      const present = DTYPES.filter((d) => points.some((p) => p.dtype === d));
      capture(figure, title, ...present.map((d) => {
        const icon = draw('svg', {width: 14, height: 14, viewBox: '-8 -8 16 16', 'aria-hidden': 'true'}, draw('path', {class: 's' + kind(d), d: SHAPES[kind(d)](0, 0)}));
        icon.style.display = 'inline';
        icon.style.width = '14px';
        return el('span', {}, icon, ' ' + d);
      }), el('span', {}, 'down and left is better'));
      this.holder = el('div', {});
      figure.append(this.holder);
      this.tip = new Tip(figure);
      this.render();
    }
    render() {
      Object.assign(this, frame(this.figure, 320, {left: 56, right: 16, top: 12, bottom: 40}));
      const {left, right, top, bottom} = this.plot;
      const logs = this.points.map((p) => Math.log10(p.median));
      const low = Math.min(...logs) - 0.15, high = Math.max(...logs) + 0.15;
      const ceiling = bend(Math.max(1.2, ...this.points.map((p) => p.error ?? 0))) * 1.06;
      const x = (ns) => left + (Math.log10(ns) - low) / (high - low) * this.plot.width;
      const y = (e) => bottom - bend(e ?? 0) / ceiling * this.plot.height;
      const used = [];
      for (const e of ERRORS) {
        if (bend(e) > ceiling || used.some((v) => Math.abs(v - y(e)) < 14)) continue;
        used.push(y(e));
        this.svg.append(draw('line', {class: e > 0 && e <= 1 ? 'guide' : 'gridline', x1: left, x2: right, y1: y(e), y2: y(e)}),
          draw('text', {x: left - 6, y: y(e) + 4, 'text-anchor': 'end'}, ulps(e)));
      }
      for (let k = Math.floor(low); k <= high; ++k)
        for (const m of [1, 2, 5]) {
          const ns = m * 10 ** k;
          if (Math.log10(ns) < low || Math.log10(ns) > high) continue;
          this.svg.append(draw('line', {class: 'gridline', x1: x(ns), x2: x(ns), y1: top, y2: bottom}),
            draw('text', {x: x(ns), y: bottom + 16, 'text-anchor': 'middle'}, String(Number(ns.toPrecision(2)))));
        }
      this.svg.append(draw('text', {class: 'strong', x: (left + right) / 2, y: bottom + 33, 'text-anchor': 'middle'}, 'ns per element, median'),
        draw('text', {class: 'strong', x: 0, y: top + 2}, 'max ulp'));
      for (const p of this.points) {
        const mark = draw('path', {class: 's' + kind(p.dtype), tabindex: 0, role: 'img', d: SHAPES[kind(p.dtype)](x(p.median), y(p.error)),
          'aria-label': `${p.implementation} ${p.dtype}: ${ulps(p.error)} ulp, ${nanoseconds(p.median)}`});
        const show = () => this.tip.show(x(p.median), y(p.error) + 20, this.figure.clientWidth, `${p.implementation} ${p.dtype}`,
          [`largest error ${ulps(p.error)} ulp`,
            `${nanoseconds(p.median)} per element, quartiles ${nanoseconds(p.low)} … ${nanoseconds(p.high)}${p.noisy ? ', noisy' : ''}`,
            ...(p.to_naive ? [`${Number(p.to_naive.toPrecision(3))} times naive`] : []),
            ...(p.to_copy ? [`${Number(p.to_copy.toPrecision(3))} times memcpy`] : [])]);
        for (const name of ['pointerenter', 'focus']) mark.addEventListener(name, show);
        for (const name of ['pointerleave', 'blur']) mark.addEventListener(name, () => this.tip.hide());
        this.svg.append(mark);
      }
      this.svg.setAttribute('aria-label', 'Largest error against time per element, a mark for each implementation and dtype');
      this.svg.removeAttribute('tabindex');
      this.holder.replaceChildren(this.svg);
    }
  }

  /// Bars of the median, a dot for each repetition.
  class Throughput {
    constructor(figure, rows, title) {
      this.figure = figure;
      this.rows = rows;
      capture(figure, title, key('bar', 'median'), el('span', {}, 'dots: repetitions; line: quartiles'));
      this.holder = el('div', {});
      figure.append(this.holder);
      this.render();
    }
    render() {
      const step = 20, room = Math.min(200, (this.figure.clientWidth || 680) * 0.4);
      Object.assign(this, frame(this.figure, this.rows.length * step + 30, {left: room, right: 70, top: 4, bottom: 26}));
      const {left, right, top, bottom} = this.plot;
      const most = Math.max(...this.rows.flatMap((r) => [r.median, ...r.repetitions]));
      const x = (ns) => left + ns / most * this.plot.width;
      this.rows.forEach((r, i) => {
        const y = top + i * step;
        this.svg.append(draw('text', {class: 'strong', x: left - 6, y: y + 13, 'text-anchor': 'end'}, `${r.implementation} ${r.dtype}`),
          draw('rect', {class: 'bar', x: left, y: y + 3, width: Math.max(x(r.median) - left, 1), height: step - 8}),
          draw('line', {class: 'cursor', x1: x(r.low), x2: x(r.high), y1: y + step / 2 - 1, y2: y + step / 2 - 1}),
          ...r.repetitions.map((ns) => draw('circle', {class: 'sample s1', cx: x(ns), cy: y + step / 2 - 1, r: 2})),
          draw('text', {x: Math.max(x(r.median), ...r.repetitions.map(x)) + 6, y: y + 13}, nanoseconds(r.median)));
      });
      this.svg.append(draw('text', {class: 'strong', x: (left + right) / 2, y: bottom + 18, 'text-anchor': 'middle'}, 'ns per element'));
      this.svg.setAttribute('aria-label', 'Time per element of each implementation');
      this.svg.removeAttribute('tabindex');
      this.holder.replaceChildren(this.svg);
    }
  }

  // ---- training: loss against step, norms of the gradient against layer; the reference dashed
  const small = (v) => v === null || v === undefined ? '–' : short(v);
  const DASHES = ['', '2 2', '7 2 2 2'];  // colours come again after four series

  /// Lines over a logarithmic scale, with a legend whose entries single one line out.
  class Lines {
    constructor(figure, lesson, name) {
      this.figure = figure;
      this.lesson = lesson;
      this.only = null;
      this.at = null;
      this.runs = lesson.runs.filter((r) => r.losses.length);
      this.buttons = this.runs.map((run, i) => {
        const icon = draw('svg', {width: 22, height: 10, viewBox: '0 0 22 10', 'aria-hidden': 'true'},
          draw('path', {d: 'M0,5H22', ...this.style(i)}));
        const button = el('button', {type: 'button', class: 'series', 'aria-pressed': 'false'}, icon, run.name);
        button.addEventListener('click', () => { this.only = this.only === i ? null : i; this.render(); });
        return button;
      });
      capture(figure, name, ...this.buttons);
      this.holder = el('div', {});
      figure.append(this.holder);
      this.tip = new Tip(figure);
      this.render();
    }
    style(i, more = '') {
      const faded = this.only !== null && this.only !== i && i !== 0 ? ' faded' : '';
      if (i === 0) return {class: `line reference ${more}`};
      return {class: `line s${(i - 1) % 4} ${more}${faded}`, 'stroke-dasharray': DASHES[Math.floor((i - 1) / 4) % DASHES.length]};
    }
    /// The scale: powers of ten between the smallest and the largest of the values.
    scale(values) {
      const logs = values.filter((v) => v > 0).map(Math.log10);
      this.low = Math.min(...logs, 0) === 0 && !logs.length ? -1 : Math.min(...logs);
      this.high = logs.length ? Math.max(...logs) : 0;
      const room = Math.max(this.high - this.low, 0.2) * 0.06;
      this.low -= room;
      this.high += room;
    }
    y(v) { return this.plot.bottom - (Math.log10(v) - this.low) / (this.high - this.low) * this.plot.height; }
    levels() {
      const {left, right} = this.plot;
      const span = this.high - this.low, used = [];
      const parts = span < 0.4 ? [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 8, 9] : span < 1.2 ? [1, 2, 3, 5, 7] : span < 3 ? [1, 2, 5] : [1];
      const step = Math.max(1, Math.ceil(span / 8));
      for (let k = Math.floor(this.low / step) * step; k <= this.high; k += step)
        for (const m of parts) {
          const v = Number(`${m}e${k}`);
          if (Math.log10(v) < this.low || Math.log10(v) > this.high || used.some((y) => Math.abs(y - this.y(v)) < 13)) continue;
          used.push(this.y(v));
          this.svg.append(draw('line', {class: 'gridline', x1: left, x2: right, y1: this.y(v), y2: this.y(v)}),
            draw('text', {x: left - 6, y: this.y(v) + 4, 'text-anchor': 'end'}, short(v)));
        }
    }
    /// One path; a value that a logarithm has not breaks it.
    line(points, attributes) {
      let d = '', pen = 'M';
      for (const [x, v] of points) {
        if (!(v > 0)) { pen = 'M'; continue; }
        d += `${pen}${x.toFixed(2)},${this.y(v).toFixed(2)}`;
        pen = 'L';
      }
      this.svg.append(draw('path', {...attributes, d}));
    }
    begin(values, ticks, below) {
      this.buttons.forEach((b, i) => b.setAttribute('aria-pressed', String(this.only === i)));
      Object.assign(this, frame(this.figure, 280, {left: 56, right: 14, top: 12, bottom: 44}));
      this.scale(values);
      this.levels();
      const {left, right, bottom} = this.plot;
      for (const [x, text] of ticks())
        this.svg.append(draw('line', {class: 'zero', x1: x, x2: x, y1: bottom, y2: bottom + 4}),
          draw('text', {x, y: bottom + 16, 'text-anchor': 'middle'}, text));
      this.svg.append(draw('text', {class: 'strong', x: (left + right) / 2, y: bottom + 34, 'text-anchor': 'middle'}, below));
    }
    end() {
      this.pointer = draw('line', {class: 'cursor', y1: this.plot.top, y2: this.plot.bottom, visibility: 'hidden'});
      this.svg.append(this.pointer);
      if (!this.svg.isConnected) {
        this.holder.append(this.svg);
        this.listen();
      }
      this.tip.hide();
    }
    listen() {
      this.svg.addEventListener('pointermove', (event) => {
        const box = this.svg.getBoundingClientRect();
        const x = (event.clientX - box.left) * this.width / box.width;
        let best = 0;
        for (let i = 1; i < this.stops(); ++i) if (Math.abs(this.x(i) - x) < Math.abs(this.x(best) - x)) best = i;
        this.hover(best);
      });
      const leave = () => { this.pointer.setAttribute('visibility', 'hidden'); this.tip.hide(); };
      this.svg.addEventListener('pointerleave', () => { if (document.activeElement !== this.svg) leave(); });
      this.svg.addEventListener('blur', leave);
      this.svg.addEventListener('keydown', (event) => {
        const by = {ArrowLeft: -1, ArrowRight: 1}[event.key];
        if (!by) return;
        event.preventDefault();
        this.hover(this.at === null ? 0 : Math.min(Math.max(this.at + by, 0), this.stops() - 1));
      });
    }
    hover(i) {
      this.at = i;
      const x = this.x(i);
      for (const end of ['x1', 'x2']) this.pointer.setAttribute(end, x);
      this.pointer.setAttribute('visibility', 'visible');
      const shown = this.runs.map((run, r) => [run, r]).filter(([, r]) => this.only === null || r === 0 || r === this.only);
      this.tip.show(x, this.holder.offsetTop + 12, this.figure.clientWidth, this.where(i),
        shown.map(([run]) => `${run.name}: ${this.value(run, i)}`));
    }
  }

  class Losses extends Lines {
    stops() { return this.steps.length; }
    x(i) { return this.place(this.steps[i]); }
    place(step) { return this.plot.left + step / (this.steps[this.steps.length - 1] || 1) * this.plot.width; }
    where(i) { return `step ${this.steps[i]}`; }
    value(run, i) { const p = run.losses.find(([step]) => step === this.steps[i]); return small(p && p[1]); }
    render() {
      this.steps = this.runs[0].losses.map(([step]) => step);
      const most = this.steps[this.steps.length - 1] || 1;
      this.begin(this.runs.flatMap((r) => r.losses.map(([, v]) => v)), () => {
        const unit = 10 ** Math.floor(Math.log10(most)), by = most / unit < 2 ? unit / 5 : most / unit < 5 ? unit / 2 : unit, ticks = [];
        for (let s = 0; s <= most; s += Math.max(by, 1)) ticks.push([this.place(s), thousands(Math.round(s))]);
        return ticks;
      }, 'step');
      this.runs.forEach((run, i) => { if (i) this.line(run.losses.map(([step, v]) => [this.place(step), v]), this.style(i)); });
      this.line(this.runs[0].losses.map(([step, v]) => [this.place(step), v]), this.style(0));
      this.svg.setAttribute('aria-label', `Loss of each mini-batch against the step, ${this.lesson.title}. Arrow keys move along it.`);
      this.end();
    }
  }

  class Norms extends Lines {
    stops() { return this.lesson.layers.length; }
    x(i) { return this.plot.left + (i + 0.5) / this.stops() * this.plot.width; }
    where(i) { return this.lesson.layers[i]; }
    value(run, i) { return `${small(run.first[i])} at the first step, ${small(run.last[i])} at the last`; }
    render() {
      this.begin(this.runs.flatMap((r) => [...r.first, ...r.last]), () => {
        const wide = Math.max(...this.lesson.layers.map((l) => l.length)) * 5.8 + 8;
        const every = Math.max(1, Math.ceil(wide * this.stops() / this.plot.width));
        return this.lesson.layers.map((l, i) => [this.x(i), l]).filter((_, i) => i % every === 0);
      }, 'gradient by these weights; thin: at the first step, thick: at the last');
      for (const i of [...this.runs.keys()].slice(1).concat(0))
        for (const [which, more] of [['first', 'thin'], ['last', '']]) {
          const values = this.runs[i][which], style = this.style(i, more);
          this.line(values.map((v, k) => [this.x(k), v]), style);
          if (!more)
            values.forEach((v, k) => {
              if (v > 0) this.svg.append(draw('circle', {class: style.class.replace('line', 'dot'), cx: this.x(k), cy: this.y(v), r: 2.2}));
            });
        }
      this.svg.setAttribute('aria-label', `Norm of the gradient by each matrix of weights, ${this.lesson.title}. Arrow keys move along the layers.`);
      this.end();
    }
  }

  const drawn = [];
  const guarded = (figure, make) => {
    try {
      drawn.push(make());
    } catch (error) {
      figure.replaceChildren(el('p', {}, 'This picture cannot be drawn: ' + error.message));
    }
  };

  function speed() {
    const rows = data.benchmarks.filter((b) => b.median > 0);
    if (!rows.length) return;
    const section = document.getElementById('speed');
    section.hidden = document.getElementById('to_speed').hidden = false;
    const distinct = (name) => [...new Set(rows.map(name))];
    const chooser = (label, values) => el('select', {'aria-label': label}, ...values.map((v) => el('option', {}, v)));
    const where = (b) => `${b.inputs} inputs, ${b.level}`;
    const op = chooser('op', distinct((b) => b.op)), condition = chooser('inputs and memory', distinct(where));
    const scatter = el('figure', {class: 'chart speed'}), bars = el('figure', {class: 'chart throughput'});
    const fold = el('details', {class: 'part'}, el('summary', {}, 'Throughput'), bars);
    section.append(el('p', {}, op, ' ', condition), scatter, fold);
    const show = () => {
      const chosen = rows.filter((b) => b.op === op.value && where(b) === condition.value);
      for (const figure of [scatter, bars]) figure.replaceChildren();
      for (let i = drawn.length; i-- > 0;) if (drawn[i].figure === scatter || drawn[i].figure === bars) drawn.splice(i, 1);
      if (!chosen.length) return scatter.append(el('p', {}, 'Not timed.'));
      const measured = chosen.filter((b) => b.error !== null);
      if (measured.length) guarded(scatter, () => new Speed(scatter, measured, op.value));
      guarded(bars, () => new Throughput(bars, chosen, op.value));
    };
    for (const select of [op, condition]) select.addEventListener('change', show);
    fold.addEventListener('toggle', () => { if (fold.open) show(); });  // as wide as it is now
    show();
  }

  // ---- details: drawn when opened
  function open(details) {
    for (const figure of details.querySelectorAll('figure[data-chart]')) {
      if (figure.dataset.drawn) continue;
      figure.dataset.drawn = 'yes';
      const chart = data.charts[figure.dataset.chart];
      guarded(figure, () => figure.classList.contains('curve') ? new Curve(figure, chart) : new Histogram(figure, chart));
    }
  }
  function openLesson(details) {
    for (const figure of details.querySelectorAll('figure[data-training]')) {
      if (figure.dataset.drawn) continue;
      figure.dataset.drawn = 'yes';
      const lesson = data.training[Number(figure.dataset.training)];
      if (!lesson.runs[0].losses.length) continue;
      guarded(figure, () => figure.classList.contains('losses') ? new Losses(figure, lesson, 'Loss of each mini-batch')
        : new Norms(figure, lesson, 'Norm of the gradient, layer by layer'));
    }
  }
  for (const d of document.querySelectorAll('details.lesson')) d.addEventListener('toggle', () => { if (d.open) openLesson(d); });
  const totals = [...document.querySelectorAll('details.total:not(.lesson)')];
  for (const d of totals) d.addEventListener('toggle', () => { if (d.open) open(d); });
  function follow() {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!target || !target.classList.contains('total')) return;
    const lesson = target.classList.contains('lesson');
    if (!lesson) target.closest('.op').open = true;
    target.open = true;
    (lesson ? openLesson : open)(target);
    target.hidden = false;
    target.scrollIntoView();
  }
  addEventListener('hashchange', follow);
  document.addEventListener('click', (event) => {
    const link = event.target.closest && event.target.closest('a[href^="#r"], a[href^="#t"]');
    if (link && link.getAttribute('href') === location.hash) follow();
  });

  // ---- tools
  function tools() {
    const filter = el('input', {type: 'search', placeholder: 'filter: stable f32', 'aria-label': 'show only implementations and dtypes that match'});
    const ops = [...document.querySelectorAll('details.op')];
    const apply = () => {
      const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const d of totals) {
        const chart = data.charts[d.id];
        const name = chart ? `${chart.implementation} ${chart.op} ${chart.dtype} `.toLowerCase() : '';
        d.hidden = !words.every((w) => DTYPES.includes(w) ? name.includes(` ${w} `) : name.includes(w));
      }
      for (const op of ops) {
        const any = totals.some((d) => !d.hidden && op.contains(d));
        op.hidden = !any;
        if (any && words.length) op.open = true;
      }
    };
    filter.addEventListener('input', apply);
    const all = el('button', {type: 'button'}, 'open all shown'), none = el('button', {type: 'button'}, 'close all');
    all.addEventListener('click', () => { for (const d of [...ops, ...totals]) if (!d.hidden) d.open = true; });
    none.addEventListener('click', () => { for (const d of [...totals, ...ops]) d.open = false; });
    document.getElementById('tools').append(filter, all, none);
  }
  function copyButtons() {
    for (const box of document.querySelectorAll('.command')) {
      const button = el('button', {type: 'button'}, 'copy');
      button.addEventListener('click', async () => {
        const code = box.querySelector('code');
        let done = 'copied';
        try {
          await navigator.clipboard.writeText(code.textContent);
        } catch {  // not allowed: selected instead, for the keyboard
          getSelection().selectAllChildren(code);
          done = 'selected';
        }
        button.textContent = done;
        setTimeout(() => { button.textContent = 'copy'; }, 1500);
      });
      box.append(button);
    }
  }
  const redraw = () => { for (const c of drawn) if (c.figure.clientWidth) c.render(); };
  let width = innerWidth, waiting = 0;
  addEventListener('resize', () => {
    if (innerWidth === width) return;
    width = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(redraw, 150);
  });

  tools();
  copyButtons();
  speed();
  follow();
})();
