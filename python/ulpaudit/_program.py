"""Where the programs are, and what goes wrong with them."""
# SPDX-License-Identifier: Apache-2.0
import os


class Error(RuntimeError):
    """ulpaudit could not do what was asked: its own words."""


def program(name: str = 'ulpaudit') -> str:
    """Path of a program: in $ULPAUDIT_BIN, in the package, or built in the source tree around it."""
    here = os.path.dirname(os.path.abspath(__file__))
    tree = os.path.dirname(os.path.dirname(here))
    folders = [os.environ.get('ULPAUDIT_BIN', ''), os.path.join(here, 'bin'),
               os.path.join(tree, 'build', 'release', 'bin')]
    for folder in folders:
        path = os.path.join(folder, name)
        if folder and os.access(path, os.X_OK):
            return path
    raise Error('there is no program %s in %s: build it with ./run list, then pip install ./python' % (
        name, ', '.join(f for f in folders if f)))
