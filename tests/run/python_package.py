"""Runs the tests of python/ with pytest; exit code 77, with the reason, where it or NumPy is missing."""
# SPDX-License-Identifier: Apache-2.0
import importlib
import os
import subprocess
import sys

for needed in ('numpy', 'pytest'):
    try:
        importlib.import_module(needed)
    except ImportError as e:
        print('skipped: %s; ./run test installs python3-numpy and python3-pytest' % e)
        sys.exit(77)
sys.exit(subprocess.run([sys.executable, '-B', '-m', 'pytest', '-q', '-p', 'no:cacheprovider',
                         os.path.join(sys.argv[1], 'tests')]).returncode)
