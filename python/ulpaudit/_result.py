"""What an audit found."""
# SPDX-License-Identifier: Apache-2.0
import json
import os
import subprocess
import tempfile
from typing import Any, Dict, List, Optional

from ._program import Error, program


class Witness:
    """The input at which a figure was reached. z, y, got, expected are floats; their exact bits are in
    z_bits, y_bits, got_bits, expected_bits; true_value is a decimal of 25 digits, error_ulps a float
    (None where an error in ulps says nothing: NaN, infinity); got is None where there was no result."""

    def __init__(self, raw: Dict[str, Any]) -> None:
        self.raw = raw
        for key in ('z', 'y', 'got', 'expected'):
            number = raw.get(key)
            there = number is not None and number['bits'] != 'none'
            setattr(self, key, float.fromhex(number['hex']) if there else None)
            setattr(self, key + '_bits', number['bits'] if there else None)
        self.true_value: str = raw.get('true_value', '')
        self.error_ulps: Optional[float] = raw.get('error_ulps')

    def __repr__(self) -> str:
        text = 'z = %s (%s)' % (self.raw['z']['decimal'], self.raw['z']['bits'])
        if 'y' in self.raw:
            text += ', y = %s' % self.raw['y']['decimal']
        text += ': got %s, expected %s' % (self.raw['got']['decimal'], self.raw['expected']['decimal'])
        if self.error_ulps is not None:
            text += ', %.6g ulp off' % abs(float(self.error_ulps))
        return text


class Finding:
    """One thing wrong (severity 'error') or worth knowing ('note'): a rule of docs/properties.md, a
    sentence, where it shows (`witness`, may be None), the Python line that shows it again (`replay`),
    and the traceback where the function raised."""

    def __init__(self, raw: Dict[str, Any], replay: str, traceback: str = '') -> None:
        self.raw, self.replay, self.traceback = raw, replay, traceback
        self.rule: str = raw['rule']
        self.severity: str = raw['severity']
        self.message: str = raw['message']
        self.setting: str = raw.get('setting', '')
        self.count: int = raw.get('count', 1)
        self.expected_failure: str = raw.get('expected_failure', '')
        at = raw.get('simplest') or raw.get('witness')
        self.witness: Optional[Witness] = Witness(at) if at and 'got' in at else None

    @property
    def is_error(self) -> bool:
        return self.severity == 'error' and not self.expected_failure

    def __str__(self) -> str:
        lines = ['%s %s  %s' % ('✗' if self.is_error else '·', self.rule, self.message)]
        if self.setting:
            lines.append('    case: %s' % self.setting)
        if self.witness is not None:
            lines.append('    at %r' % self.witness)
        if self.count > 1:
            lines.append('    %s cases' % format(self.count, ','))
        lines += ['    | ' + t for t in self.traceback.rstrip().splitlines()]
        if self.replay:
            lines.append('    ' + self.replay)
        return '\n'.join(lines)

    __repr__ = __str__


class Result:
    """An audit of one function, for one op and dtype.

    max_ulp: the largest error in ulps of the true value (inf where no result was a number);
    evidence: 'exhaustive' (every input was run: max_ulp is a bound) or 'sampled' (a lower bound);
    witness: where max_ulp was reached; points, lost_points: inputs measured, and not;
    correctly_rounded, faithful: shares of the results; findings: all, errors: those that are wrong."""

    def __init__(self, report: Dict[str, Any], text: str, findings: List[Finding], what: str) -> None:
        self.report, self._text, self.findings, self._what = report, text, findings, what
        totals = [r for r in report['results'] if r['region'] == 'all']
        total = totals[0] if totals else {}
        statistics = total.get('statistics', {})
        self.op: str = total.get('op', '')
        self.dtype: str = total.get('dtype', '')
        self.evidence: str = total.get('evidence', '')
        self.points: int = total.get('points', 0)
        self.lost_points: int = total.get('lost_points', 0)
        self.max_ulp = _number(statistics.get('max_ulp'))
        self.correctly_rounded = _number(statistics.get('correctly_rounded'))
        self.faithful = _number(statistics.get('faithful'))
        self.categories: Dict[str, int] = {c['category']: c['count'] for c in total.get('categories', [])}
        self.witness: Optional[Witness] = Witness(total['max']) if total.get('max') else None

    @property
    def errors(self) -> List[Finding]:
        return [f for f in self.findings if f.is_error]

    def to_json(self) -> str:
        """The report, as docs/report.md describes it."""
        return self._text

    def to_html(self) -> str:
        """The report as one page that needs no network."""
        with tempfile.TemporaryDirectory(prefix='ulpaudit-') as folder:
            path = os.path.join(folder, 'report.json')
            with open(path, 'w', encoding='utf-8') as f:
                f.write(self._text)
            done = subprocess.run([program(), 'report', path, '--format', 'html'], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, encoding='utf-8')
        if done.returncode != 0:
            raise Error(done.stderr.strip())
        return done.stdout

    def _repr_html_(self) -> str:
        page = self.to_html().replace('&', '&amp;').replace('"', '&quot;')
        return '<iframe srcdoc="%s" style="width:100%%;height:40em;border:1px solid #ccc"></iframe>' % page

    def __repr__(self) -> str:
        bound = '' if self.evidence == 'exhaustive' else '≥ '
        lines = ['%s: %s %s, %s, %s inputs' % (self._what, self.op, self.dtype, self.evidence,
                                               format(self.points, ','))]
        if self.witness is not None:
            lines.append('  largest error %s%.6g ulp at %r' % (bound, self.max_ulp, self.witness))
        lines.append('  correctly rounded %.2f %%, faithful %.2f %%' % (
            100 * self.correctly_rounded, 100 * self.faithful))
        if self.categories:
            lines.append('  besides: ' + ', '.join('%s %s' % (k, format(v, ',')) for k, v in self.categories.items()))
        if self.lost_points:
            lines.append('  not measured: %s inputs' % format(self.lost_points, ','))
        for f in self.findings:
            lines += ['  ' + line for line in str(f).splitlines()]
        if not self.errors:
            lines.append('  no rule broken')
        return '\n'.join(lines)


def _number(value: Any) -> float:
    """NaN where nothing was measured; a report writes infinities as texts."""
    return float('nan' if value is None else value)


def load(text: str) -> Dict[str, Any]:
    return json.loads(text)  # type: ignore[no-any-return]
