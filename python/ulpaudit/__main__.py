"""The program itself: `python -m ulpaudit sweep …` is `ulpaudit sweep …`."""
# SPDX-License-Identifier: Apache-2.0
import os
import sys

from ._program import program


def main() -> None:
    path = program()
    os.execv(path, [path, *sys.argv[1:]])


if __name__ == '__main__':
    main()
