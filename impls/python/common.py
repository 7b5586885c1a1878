"""What the workers share: where the package is, and a library that may not be there."""
# SPDX-License-Identifier: Apache-2.0
import importlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'python'))

import ulpaudit  # noqa: E402,F401: found by the line above; before the library, which may change the environment


def library(name, kernels):
    """The module, or None; then the kernels, (op, dtypes, name) each, are listed as unavailable."""
    try:
        from ulpaudit import _serve  # noqa: F401: looks at the environment now
        return importlib.import_module(name)
    except Exception as e:  # noqa: BLE001: whatever stops a library from loading is what is listed
        for op, dtypes, kernel in kernels:
            ulpaudit.unavailable(op, dtypes, kernel, e)
        return None
