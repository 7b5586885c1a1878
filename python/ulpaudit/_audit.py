"""audit, evaluate, assert_ulp_within: the program is started, and calls back into this process."""
# SPDX-License-Identifier: Apache-2.0
import json
import os
import re
import signal
import subprocess
import sys
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Union

from ._attach import Attached
from ._kernel import WIDTHS, Kernel, code_hash
from ._program import Error, program
from ._progress import Progress, wanted
from ._protocol import Description
from ._result import Finding, Result, load

PLUGIN = 'python'
Number = Union[float, str]


def audit(fn: Callable[..., Any], op: str = 'sigmoid', dtype: str = 'f32', exhaustive: bool = False, *,
          points: Optional[int] = None, range: Optional[str] = None,  # noqa: A002: the program's word
          labels: Union[Number, Sequence[Number]] = (), properties: bool = False, case: Optional[str] = None,
          contract: Union[str, 'os.PathLike[str]'] = '', seed: int = 1, checkpoint: Optional[str] = None, threads: Optional[int] = None,
          parallel: Optional[bool] = None, deadline: float = 20, progress: Optional[bool] = None,
          tags: Sequence[str] = ('deterministic', 'elementwise'),
          asarray: Optional[Callable[[Any], Any]] = None) -> Result:
    """Measures fn against certified truth.

    fn: takes a NumPy array of shape (n,) of the dtype (two for bce_with_logits and its gradient: logits,
    labels), n from 0 to about 2^18, and returns an array of the same shape and dtype (NumPy, or anything
    with __array__ or __dlpack__). bf16 arrays are of ml_dtypes' bfloat16; a 16-bit integer result is
    taken as its bit patterns. asarray: turns each array into what fn takes (torch.from_numpy).
    exhaustive: every input (16-bit dtypes always are); else a sample of `points` of every binade and
    around landmarks. range: 'LO:HI' of logits. labels: of two-argument ops (default: 0 to 1 by six).
    properties: checks lengths, positions, alignment, repetition, threads, changed inputs too, each breach
    shrunk to one case; case: checks this one case again, as a finding's replay line has it.
    contract: what fn promises, as TOML (docs/contract.md) or the path of such a file; the universal rules
    hold without.
    checkpoint: file that keeps the finished part of the run, and from which the next one goes on.
    parallel: fn may be called from several threads at once (otherwise one call at a time, but for the
    property that asks just that); by default so for NumPy's ufuncs and what jax.jit returns. threads: of the program; by default one more than there are cores,
    since one waits for fn, and 8 at most unless parallel. deadline: seconds that one call may take.
    progress: a bar on stderr; by default on a terminal and in notebooks.

    What fn does wrong, exceptions included, is in the result's findings. Raises ValueError for arguments
    that cannot be, Error where ulpaudit cannot do it; Ctrl-C ends the run (KeyboardInterrupt), and a
    checkpoint is kept.
    """
    kernel = Kernel(fn, op, [dtype], kernel_name(fn), '', tags, '', asarray)
    again = _options(contract, tags, parallel, asarray)
    contract = _contract_text(contract)
    if parallel is None:
        parallel = asarray is None and _known_parallel(fn)
    arguments = ['check' if properties or case is not None else 'sweep', '--json', '--seed', str(seed)]
    if exhaustive:
        arguments.append('--exhaustive')
    if points is not None:
        arguments += ['--points', str(points)]
    if range is not None:
        arguments.append('--range=' + range)
    labels = [labels] if isinstance(labels, str) or not hasattr(labels, '__iter__') else list(labels)
    for y in labels:
        arguments += ['--label', _as_text(y)]
    if case is not None:
        arguments += ['--case', case]
    arguments += ['--threads', str(_threads(parallel) if threads is None else threads)]
    if checkpoint is not None:
        arguments += ['--checkpoint', checkpoint, '--resume']
    arguments += ['--deadline', str(deadline)]
    total = None
    if exhaustive or WIDTHS[dtype] == 2:
        total = 2 ** (8 * WIDTHS[dtype]) * (max(1, len(labels)) if kernel.arity == 2 else 1)
    run = _Run(kernel, contract, parallel, Progress(None if range else total, wanted() if progress is None else progress))
    text = run.json(arguments, checkpoint)
    report = load(text)
    findings = [_finding(raw, kernel, again) for raw in report['findings']]
    for f in findings:  # the program's own line names a socket, which is gone
        old, f.raw['replay'] = f.raw.get('replay', ''), f.replay
        text = text.replace('"replay":' + _quoted(old), '"replay":' + _quoted(f.replay))
    return Result(load(text), text, findings, _shown(fn))


def evaluate(fn: Callable[..., Any], op: str = 'sigmoid', dtype: str = 'f32', z: Number = 0.0,
             y: Optional[Number] = None, *, asarray: Optional[Callable[[Any], Any]] = None) -> str:
    """One input under the microscope, as text: the true value to 40 digits, its neighbours, what fn
    gives, its error in ulps. z, y: numbers, or texts as the program takes them ('0x3f800000')."""
    kernel = Kernel(fn, op, [dtype], kernel_name(fn), asarray=asarray)
    numbers = [_as_text(v) for v in ([z] if y is None else [z, y])]
    return _Run(kernel, '', False, Progress(None, False)).text(['eval', '--dtype', dtype, '--op', op],
                                                               ['--', *numbers])


def _as_text(v: Number) -> str:
    """A number as the program reads it, NumPy's scalars too; texts as they are."""
    if isinstance(v, str):
        return v
    import numpy
    if isinstance(v, (bool, numpy.bool_)) or not isinstance(v, (int, float, numpy.integer, numpy.floating)):
        try:
            if numpy.iscomplexobj(v):
                raise TypeError
            v = float(v)  # ml_dtypes' bfloat16, say
        except (TypeError, ValueError):
            raise ValueError('%r is no number; accepted: a number, or a text such as \'0x3f800000\'' % (v,)) from None
    return str(int(v)) if isinstance(v, (int, numpy.integer)) else repr(float(v))


def _quoted(text: str) -> str:
    """As the program writes a text in JSON."""
    return json.dumps(text, ensure_ascii=False)


def _contract_text(contract: Union[str, 'os.PathLike[str]']) -> str:
    """A path (a PathLike, or a text of one line that ends in .toml) is read."""
    if isinstance(contract, os.PathLike) or ('\n' not in contract and contract.endswith('.toml')):
        try:
            with open(contract, encoding='utf-8') as f:
                return f.read()
        except OSError as e:
            raise ValueError('contract %s: %s' % (os.fspath(contract), e.strerror)) from None
    return contract


def _options(contract: Union[str, 'os.PathLike[str]'], tags: Sequence[str], parallel: Optional[bool],
             asarray: Optional[Callable[[Any], Any]]) -> Dict[str, str]:
    """What a call that shows a finding again must be given too, by name, as Python."""
    given = {}
    if contract:
        given['contract'] = repr(os.fspath(contract))
    if tags != ('deterministic', 'elementwise'):
        given['tags'] = repr(tags)
    if parallel is not None:
        given['parallel'] = repr(parallel)
    if asarray is not None:
        given['asarray'] = _shown(asarray)
    return given


def _toml(text: str) -> str:
    """The text in quotes. JSON's escapes are TOML's but for surrogates; DEL must be escaped."""
    return json.dumps(text, ensure_ascii=False).replace('\x7f', '\\u007f')


def assert_ulp_within(fn: Callable[..., Any], op: str, dtype: str, bound: float, *, exhaustive: bool = False,
                      accept: Optional[Mapping[str, str]] = None, **options: Any) -> Result:
    """For tests: fails where an error exceeds `bound` ulps, or a universal rule is broken (a NaN, a wrong
    infinity, a result out of range, …); the message says which rules, then the findings, each with the
    line that shows it again. accept: rules that it may break, each with the reason why; contract, in
    place of it: all that fn promises, as of audit. Options as of audit."""
    __tracebackhide__ = True
    kernel = kernel_name(fn)
    if 'contract' in options:
        if accept:
            raise ValueError('accept and contract: give one of them; a contract states expected failures itself')
        return _within(audit(fn, op, dtype, exhaustive, **options), fn, op, dtype, bound)
    contract = 'contract = 1\n[[kernel]]\nname = "%s"\nmax_ulp = { %s = %r }\n' % (kernel, dtype, float(bound))
    for rule, reason in (accept or {}).items():
        contract += '[[kernel.expected_failure]]\nrule = %s\nreason = %s\n' % (_toml(rule), _toml(reason))
    return _within(audit(fn, op, dtype, exhaustive, contract=contract, **options), fn, op, dtype, bound)


def _within(result: Result, fn: Callable[..., Any], op: str, dtype: str, bound: float) -> Result:
    """Raises AssertionError where it is not, or a rule is broken."""
    __tracebackhide__ = True
    errors = result.errors
    beyond = result.max_ulp > bound or any(e.rule == 'accuracy.max_ulp' for e in errors)
    if errors or beyond:
        others = sorted({e.rule for e in errors} - {'accuracy.max_ulp'})
        text = '%s (%s, %s) is %swithin %g ulp' % (_shown(fn), op, dtype, 'not ' if beyond else '', bound)
        if others:
            text += ', and breaks ' + ', '.join(others)
        if beyond and not any(e.rule.startswith('accuracy.') for e in errors):
            text += '\n%.6g ulp at %r' % (result.max_ulp, result.witness)
        text += ''.join('\n%s' % e for e in errors)
        if others:
            text += '\nWhat is known and accepted: accept={%s}' % ', '.join('%r: %r' % (r, 'why') for r in others)
        raise AssertionError(text)
    if not result.points:
        raise AssertionError('%s (%s, %s): nothing was measured' % (_shown(fn), op, dtype))
    return result


def _known_parallel(fn: Callable[..., Any]) -> bool:
    """Ufuncs (scipy.special's too) and jitted JAX functions keep no state between calls."""
    import numpy
    return isinstance(fn, numpy.ufunc) or type(fn).__name__ == 'PjitFunction'


def _threads(parallel: bool) -> int:
    """Where calls are made one at a time, a thread waits for all others, within its deadline; what the
    program does between two calls keeps few of them busy."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    return cores + 1 if parallel else min(cores, 7) + 1


def kernel_name(fn: Callable[..., Any]) -> str:
    """The function's name as a kernel's."""
    if getattr(fn, '__name__', '') == '<lambda>':
        return 'fn'
    return re.sub(r'\W+', '_', getattr(fn, '__name__', type(fn).__name__)).strip('_') or 'function'


def _shown(fn: Callable[..., Any]) -> str:
    module, name = getattr(fn, '__module__', None), getattr(fn, '__qualname__', kernel_name(fn))
    return '%s.%s' % (module, name) if module and module != '__main__' else name


def _finding(raw: Dict[str, Any], kernel: Kernel, options: Dict[str, str]) -> Finding:
    """With a replay line in Python, and the traceback of an exception."""
    where = 'op=%r, dtype=%r' % (kernel.op, raw.get('dtype') or kernel.dtypes[0])
    case = re.search(r"--case '([^']*)'", raw.get('replay', ''))
    at = (raw.get('simplest') or raw.get('witness') or {})
    replay = ''
    if case:
        text = case.group(1)
        if raw['rule'] == 'determinism.repeat':
            # By chance, or by a count that this process goes on with: the case alone may not show it.
            text = re.sub(r' repeats=\d+', '', text) + ' repeats=1000'
        replay = 'ulpaudit.audit(%s, %s, case=%r%s)' % (kernel.name, where, text, ''.join(
            ', %s=%s' % option for option in options.items()))
    elif 'z' in at:
        y = ', y=%r' % at['y']['bits'] if 'y' in at else ''
        if 'asarray' in options:
            y += ', asarray=' + options['asarray']
        replay = 'print(ulpaudit.evaluate(%s, %s, z=%r%s))' % (kernel.name, where, at['z']['bits'], y)
    for line, whole in kernel.tracebacks:
        if line in raw['message']:
            return Finding({**raw, 'message': raw['message'].replace(line, line.split('; traceback:')[0])},
                           replay, whole)
    return Finding(raw, replay)


class _Run:
    """One start of the program, which calls the kernel in this process."""

    def __init__(self, kernel: Kernel, contract: str, parallel: bool, progress: Progress) -> None:
        import platform

        import numpy
        module = (getattr(kernel.fn, '__module__', None) or '').split('.')[0]
        version = getattr(sys.modules.get(module), '__version__', '')
        build = 'Python %s, NumPy %s' % (platform.python_version(), numpy.__version__)
        if version and module != 'numpy':
            build += ', %s %s' % (module, version)
        build += ', code %s' % code_hash(kernel.fn)
        if kernel.asarray is not None:
            build += ' of %s' % code_hash(kernel.asarray)
        self.description = Description(PLUGIN, [kernel], '', build, contract)
        self.kernel, self.parallel, self.progress = kernel, parallel, progress

    def json(self, arguments: Sequence[str], checkpoint: Optional[str]) -> str:
        code, out, errors = self._start(arguments, [], checkpoint)
        if code in (0, 1, 4) and out.startswith('{'):
            return out
        raise self._error(code, errors)

    def text(self, arguments: Sequence[str], values: Sequence[str]) -> str:
        code, out, errors = self._start(arguments, values, None)
        if code in (0, 1, 4) and out:
            return out
        raise self._error(code, errors)

    @staticmethod
    def _error(code: int, errors: str) -> Exception:
        words = errors.strip().replace('ulpaudit: ', '', 1) or 'ulpaudit ended with code %d' % code
        return ValueError(words) if code == 2 else Error(words)

    def _start(self, arguments: Sequence[str], values: Sequence[str], checkpoint: Optional[str]) -> Any:
        with Attached(self.description, self.parallel, self.progress.add) as attached:
            command = [program(), *arguments, '--exec', attached.command,
                       '--impl', '%s/%s' % (PLUGIN, self.kernel.name), *values]
            out, err = (os.path.join(attached.folder, name) for name in ('out', 'err'))
            with open(out, 'wb') as o, open(err, 'wb') as e:
                # A session of its own: Ctrl-C is ours to pass on.
                # Replay lines cannot be run in processes of their own: the function is in this one.
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=o, stderr=e,
                                           start_new_session=True, env={**os.environ, 'ULPAUDIT_REPLAY': '1'})
                try:
                    code = self._wait(process)
                except BaseException:
                    self._end(process)
                    if checkpoint is not None and os.path.exists(checkpoint):
                        print('ulpaudit: interrupted; %s is kept' % checkpoint, file=sys.stderr)
                    raise
            with open(out, encoding='utf-8') as o2, open(err, encoding='utf-8') as e2:
                return code, o2.read(), e2.read()

    def _wait(self, process: 'subprocess.Popen[bytes]') -> int:
        try:
            while True:
                try:
                    code = process.wait(timeout=0.1)
                except subprocess.TimeoutExpired:
                    code = None
                if self.kernel.interrupted:
                    raise KeyboardInterrupt
                if code is not None:
                    return code
                self.progress.draw()
        finally:
            self.progress.clear()

    @staticmethod
    def _end(process: 'subprocess.Popen[bytes]') -> None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=60)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.kill()
            process.wait()


__all__: List[str] = ['audit', 'evaluate', 'assert_ulp_within']
