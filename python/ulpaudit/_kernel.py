"""One Python function as a kernel: arrays in, array out, whatever goes wrong as one line of text."""
# SPDX-License-Identifier: Apache-2.0
import functools
import hashlib
import re
import sys
import threading
import time
import traceback
import types
from typing import Any, Callable, List, Optional, Sequence, Tuple

import numpy as np

OPS = {'sigmoid': 1, 'sigmoid_grad': 1, 'bce_with_logits': 2, 'bce_with_logits_grad': 2}
_NUMPY = {'f16': np.float16, 'f32': np.float32, 'f64': np.float64}
DTYPES = ('f16', 'bf16', 'f32', 'f64')
WIDTHS = {'f16': 2, 'bf16': 2, 'f32': 4, 'f64': 8}


def numpy_dtype(name: str) -> Any:
    """'f32' → numpy.float32; 'bf16' needs ml_dtypes."""
    if name in _NUMPY:
        return np.dtype(_NUMPY[name])
    if name != 'bf16':
        raise ValueError('unknown dtype %r; accepted: %s' % (name, ', '.join(DTYPES)))
    try:
        import ml_dtypes
    except ImportError as e:
        raise ImportError('NumPy has no bfloat16, and ml_dtypes is not there: pip install ml_dtypes') from e
    return np.dtype(ml_dtypes.bfloat16)


def check_op(op: str) -> int:
    """The number of arrays that the op takes."""
    if op not in OPS:
        raise ValueError('unknown op %r; accepted: %s' % (op, ', '.join(OPS)))
    return OPS[op]


def in_one_line(error: BaseException) -> str:
    """The exception and where it came from, innermost last, without our own frames."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
    places = ['%s:%d in %s: %s' % (f.filename, f.lineno or 0, f.name, f.line or '') for f in frames[-8:]]
    text = '%s: %s' % (type(error).__name__, error)
    if places:
        text += '; traceback: ' + '; '.join(places)
    return ' '.join(text.split())[:2000]


class Failure(Exception):
    """The function did not give results: one line, for the reply."""


TAGS = ('deterministic', 'elementwise', 'in_place')


def _checked_tags(tags: Sequence[str]) -> Tuple[str, ...]:
    """A text is taken for a single tag. Raises ValueError for an unknown one."""
    chosen = (tags,) if isinstance(tags, str) else tuple(tags)
    for tag in chosen:
        if tag not in TAGS:
            raise ValueError('unknown tag %r; accepted: %s' % (tag, ', '.join(TAGS)))
    return chosen


class _Told:
    """What a function's result may depend on, as text that is the same in another process: code, constants,
    defaults, closure, the object of a method, a partial's arguments, the file of the function's module."""
    _DEEPEST, _MOST = 12, 20000  # an object may reach the whole program

    def __init__(self) -> None:
        self._open: List[int] = []  # what is being told: a cycle ends there
        self._values = 0

    def of(self, value: Any) -> str:
        self._values += 1
        if id(value) in self._open:
            return 'again %d' % (len(self._open) - self._open.index(id(value)))
        if len(self._open) > self._DEEPEST or self._values > self._MOST:
            return type(value).__name__
        self._open.append(id(value))
        try:
            return self._of(value)
        except Exception as e:  # noqa: BLE001: foreign objects; that it cannot be told is told
            return '%s: %s' % (type(value).__name__, type(e).__name__)
        finally:
            self._open.pop()

    def _of(self, value: Any) -> str:
        if isinstance(value, types.FunctionType):
            return self.of([value.__code__, value.__defaults__, value.__kwdefaults__,
                            [self._cell(c) for c in value.__closure__ or ()]])
        if isinstance(value, types.CodeType):
            return self.of([value.co_code, value.co_names, value.co_consts])
        if isinstance(value, types.MethodType):
            return self.of([value.__func__, self._object(value.__self__)])
        if isinstance(value, functools.partial):
            return self.of([value.func, value.args, value.keywords])
        if isinstance(value, (types.ModuleType, type)):
            return value.__name__
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            return 'array %s %s %s' % (value.dtype, value.shape, hashlib.sha256(value.tobytes()).hexdigest())
        if isinstance(value, (list, tuple)):
            return '[%s]' % ', '.join(map(self.of, value))
        if isinstance(value, (set, frozenset)):
            return '{%s}' % ', '.join(sorted(map(self.of, value)))
        if isinstance(value, dict):
            return '{%s}' % ', '.join(sorted('%s: %s' % (self.of(k), self.of(v)) for k, v in value.items()))
        if not isinstance(value, np.generic) and hasattr(value, '__array__'):  # tensors
            return self.of(np.asarray(value))
        return re.sub(r' at 0x[0-9a-f]+', '', repr(value))

    def _cell(self, cell: Any) -> Any:
        try:
            return cell.cell_contents
        except ValueError:  # not assigned yet
            return None

    def _object(self, value: Any) -> Any:
        """What is called, with its state."""
        if isinstance(value, (types.ModuleType, type)) or not hasattr(value, '__dict__'):
            return value
        return [type(value).__qualname__, vars(value)]

    def callable(self, fn: Callable[..., Any]) -> str:
        inner = getattr(fn, '__wrapped__', None)  # jitted by JAX, cached, decorated
        call = getattr(type(fn), '__call__', None)
        if inner is not None and not isinstance(fn, types.FunctionType):
            told = self.of([type(fn).__qualname__, inner])
        elif isinstance(call, types.FunctionType):
            told = self.of([call, self._object(fn)])
        else:
            told = self.of(fn)
        return told + self._file(fn if inner is None else inner)

    def _file(self, fn: Any) -> str:
        while isinstance(fn, functools.partial):
            fn = fn.func
        module = sys.modules.get(getattr(fn, '__module__', None) or '')
        try:
            with open(getattr(module, '__file__', None) or '', 'rb') as f:
                return hashlib.sha256(f.read()).hexdigest()
        except OSError:  # typed in, or within the interpreter
            return ''


def code_hash(fn: Callable[..., Any]) -> str:
    """Of all that is told of the function: another one, another kernel. 16 hex digits."""
    return hashlib.sha256(_Told().callable(fn).encode('utf-8', 'replace')).hexdigest()[:16]


class Kernel:
    """A function with what is to be said of it."""

    def __init__(self, fn: Callable[..., Any], op: str, dtypes: Sequence[str], name: str, formula: str = '',
                 tags: Sequence[str] = ('deterministic', 'elementwise'), unavailable: str = '',
                 asarray: Optional[Callable[[Any], Any]] = None) -> None:
        self.arity = check_op(op)
        self.fn, self.op, self.dtypes, self.name = fn, op, tuple(dtypes), name
        self.formula, self.tags, self.unavailable = formula, _checked_tags(tags), unavailable
        self.asarray = asarray
        self.numpy_dtypes = {} if unavailable else {d: numpy_dtype(d) for d in self.dtypes}
        self.tracebacks: List[Tuple[str, str]] = []  # (line, whole text) of the first exceptions
        self.interrupted = False  # the function raised KeyboardInterrupt: that is no fault of the kernel
        self._remember = threading.Lock()

    def view(self, data: Any, dtype: str, n: int, offset: int) -> Any:
        """n elements of the data file, in place."""
        bits = {2: np.uint16, 4: np.uint32, 8: np.uint64}[WIDTHS[dtype]]
        return np.frombuffer(data, bits, n, offset).view(self.numpy_dtypes[dtype])

    def call(self, arrays: Sequence[Any], dtype: str) -> Tuple[Any, int]:
        """The results as a NumPy array of the dtype and of z's shape, and nanoseconds inside the
        function. Raises Failure."""
        given = arrays if self.asarray is None else [self.asarray(a) for a in arrays]
        try:
            with np.errstate(all='ignore'):
                start = time.perf_counter_ns()
                result = self.fn(*given)
                result = self._as_numpy(result)
                spent = time.perf_counter_ns() - start
        except Exception as e:  # noqa: BLE001: it is what is reported
            self._raise(e)
        except SystemExit as e:
            self._raise(e)
        except KeyboardInterrupt as e:
            self.interrupted = True
            self._raise(e)
        want = self.numpy_dtypes[dtype]
        if result.dtype != want and dtype == 'bf16' and result.dtype in (np.uint16, np.int16):
            result = result.view(want)  # bit patterns
        if result.shape != arrays[0].shape:
            raise Failure('returned an array of shape %s for one of shape %s' % (
                result.shape, arrays[0].shape))
        if result.dtype != want:
            raise Failure('returned %s where it was given %s' % (result.dtype, want))
        return result, spent

    def _raise(self, error: BaseException) -> None:
        line = in_one_line(error)
        with self._remember:
            if len(self.tracebacks) < 20 and line not in [seen for seen, _ in self.tracebacks]:
                self.tracebacks.append((line, ''.join(traceback.format_exception(
                    type(error), error, error.__traceback__))))
        raise Failure(line) from error

    @staticmethod
    def _as_numpy(result: Any) -> Any:
        if hasattr(result, '__array__') or not hasattr(result, '__dlpack__'):
            return np.asarray(result)
        return np.from_dlpack(result)
