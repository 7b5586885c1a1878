# SPDX-License-Identifier: Apache-2.0
"""Audits of Python functions: how wrong a kernel can be, where, and on which input, against certified truth.

    import scipy.special, ulpaudit
    result = ulpaudit.audit(scipy.special.expit, op='sigmoid', dtype='f32', exhaustive=True)
    print(result)                                            # largest error, its witness, findings
    ulpaudit.assert_ulp_within(scipy.special.expit, 'sigmoid', 'f32', 2.5)       # in pytest

Ops are 'sigmoid', 'sigmoid_grad' (of one array: logits), 'bce_with_logits' and 'bce_with_logits_grad'
(of two: logits, labels); dtypes 'f16', 'bf16', 'f32', 'f64'.
"""
import importlib
from typing import TYPE_CHECKING, Any

__version__ = '0.1.0'

_HOMES = {'audit': '_audit', 'assert_ulp_within': '_audit', 'evaluate': '_audit',
          'Result': '_result', 'Finding': '_result', 'Witness': '_result',
          'worker': '_serve', 'serve': '_serve', 'unavailable': '_serve',
          'Error': '_program', 'program': '_program'}
__all__ = sorted(_HOMES)  # noqa: F822

if TYPE_CHECKING:
    from ._audit import assert_ulp_within, audit, evaluate
    from ._program import Error, program
    from ._result import Finding, Result, Witness
    from ._serve import serve, unavailable, worker


def __getattr__(name: str) -> Any:
    """Loads what is used when it is used: `import ulpaudit` itself takes no time."""
    if name not in _HOMES:
        raise AttributeError('module %r has no attribute %r; it has: %s' % (
            __name__, name, ', '.join(__all__)))
    value = getattr(importlib.import_module('.' + _HOMES[name], __name__), name)
    globals()[name] = value
    return value
