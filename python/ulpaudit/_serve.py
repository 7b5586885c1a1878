"""Turns a module into a program for `ulpaudit --exec 'python3 MODULE.py'`."""
# SPDX-License-Identifier: Apache-2.0
import os
import platform
import sys
from typing import Any, Callable, List, Optional, Sequence, TypeVar

from ._environment import changes, environment

_AT_IMPORT = environment()  # before the libraries that the module loads: some switch FTZ on
_registered: List[Any] = []

F = TypeVar('F', bound=Callable[..., Any])


def worker(op: str, dtypes: Sequence[str] = ('f32',), *, name: Optional[str] = None, formula: str = '',
           tags: Sequence[str] = ('deterministic', 'elementwise'), asarray: Optional[Callable[[Any], Any]] = None,
           requires: Optional[str] = None) -> Callable[[F], F]:
    """Decorator: the function is a kernel of this module's program.

        @ulpaudit.worker('sigmoid', ['f32', 'f64'])
        def sigmoid(z):                       # z: NumPy array of shape (n,) of the dtype, n may be 0
            return 1 / (1 + numpy.exp(-z))    # an array of the same shape and dtype

        if __name__ == '__main__':
            ulpaudit.serve('mine', version='1.0')

    Two-argument ops get (z, y): logits and labels. bf16 arrays are of ml_dtypes' bfloat16; a uint16
    or int16 result is taken as its bit patterns. `asarray` turns each array into what the function
    takes. What `tags` promise is checked: 'deterministic', 'elementwise' (a result depends on its own
    element alone). `requires`, where given, says why the kernel cannot run here. The function itself is
    returned unchanged. Raises ValueError for an unknown op or dtype.
    """
    def register(fn: F) -> F:
        from ._kernel import Kernel
        _registered.append(Kernel(fn, op, dtypes, name or fn.__name__, formula, tags, requires or '', asarray))
        return fn
    return register


def unavailable(op: str, dtypes: Sequence[str], name: str, why: object, formula: str = '') -> None:
    """A kernel that cannot run here, and why, in its library's own words: `list` shows it so."""
    worker(op, dtypes, name=name, formula=formula, requires=' '.join(str(why).split()) or 'no reason given')(
        lambda *_: None)


def serve(name: str, version: str = '', build: str = '', contract: str = '') -> None:
    """Answers ulpaudit until it is done, with all functions that @worker registered. name: of the
    plug-in, in 'name/kernel'. contract: what the kernels promise, as TOML. Ends the process where
    ulpaudit did not start it."""
    from ._protocol import Description, Worker
    try:
        for fd in (3, 4, 5):
            os.fstat(fd)
    except OSError:
        sys.exit("%s is a worker of ulpaudit: ulpaudit list --exec 'python3 %s'" % (sys.argv[0], sys.argv[0]))
    facts = [{**f, 'text': 'of the modules that were imported: %s' % f['text']}
             for f in changes(_AT_IMPORT, environment())]
    from ._kernel import code_hash
    about = build or 'Python %s' % platform.python_version()
    about += ', code ' + ' '.join(code_hash(k.fn) for k in _registered)
    Worker(Description(name, _registered, version, about, contract, True, facts), 3, 4, 5).serve()
    sys.stdout.flush()
    os._exit(0)  # no exit handlers of libraries: it is being ended
