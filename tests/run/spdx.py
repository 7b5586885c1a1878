# SPDX-License-Identifier: Apache-2.0
"""Sees to it that every source file names its licence; --add writes the lines that are missing.

Usage: spdx.py [--add] [ROOT]    (exit code 1: a file has no line; 77: ROOT is no git repository)

The line stands within the first three after a shebang: below the comment that says what the file is for,
or above it where that is longer than two lines."""
import os, subprocess, sys

WORDS = 'SPDX-License-Identifier: Apache-2.0'
SLASHES = ('.cpp', '.hpp', '.h', '.c', '.cu')
HASHES = ('.py', '.cmake', 'CMakeLists.txt')
SCRIPTS = ('run', '.ci/run')
WITHIN = 3
# Beginnings of paths that need no line, and why.
EXCLUDED = {
    'impls/template/': 'a user copies it to begin a plug-in, under any licence',
    'tests/fuzz/corpus/': 'inputs of parsers, byte for byte',
    'tests/golden/': 'what the program prints, byte for byte',
}


def listed(root):
    """Paths of the source files that git tracks; None where git does not know the folder."""
    done = subprocess.run(['git', '-c', 'safe.directory=*', '-C', root, 'ls-files', '-z'], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, encoding='utf-8')
    if done.returncode != 0:
        return None
    return [p for p in done.stdout.split('\0')[:-1]
            if (p.endswith(SLASHES + HASHES) or p in SCRIPTS) and not p.startswith(tuple(EXCLUDED))
            and os.path.isfile(os.path.join(root, p))]


def start(lines):
    return 1 if lines[:1] and lines[0].startswith('#!') else 0


def has_line(lines):
    begin = start(lines)
    return any(WORDS in line for line in lines[begin:begin + WITHIN])


def comment_length(lines):
    """How many lines the comment or docstring takes that the file begins with."""
    first = lines[0] if lines else ''
    for opens, closes in (('"""', '"""'), ("'''", "'''"), ('/*', '*/')):
        if first.startswith(opens):
            rest = [first[len(opens):], *lines[1:]]
            return next((i + 1 for i, line in enumerate(rest) if closes in line), len(lines))
    mark = '//' if first.startswith('//') else '#'
    return next((i for i, line in enumerate(lines) if not line.startswith(mark)), len(lines))


def with_line(path, lines):
    begin = start(lines)
    body = lines[begin:]
    if not path.endswith(SLASHES):
        line = '# ' + WORDS
    elif body and body[0].startswith('/*'):  # C90's comments, where the file has them
        line = '/* %s */' % WORDS
    else:
        line = '// ' + WORDS
    length = comment_length(body)
    at = begin + (length if length < WITHIN else 0)
    return [*lines[:at], line + '\n', *lines[at:]]


def main():
    args = [a for a in sys.argv[1:] if a != '--add']
    root = args[0] if args else os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
    paths = listed(root)
    if paths is None:
        print('skipped: %s is no git repository, so nothing says which files are ours' % root)
        return 77
    missing = 0
    for path in paths:
        file = os.path.join(root, path)
        with open(file, encoding='utf-8', newline='') as f:
            lines = f.readlines()
        if has_line(lines):
            continue
        if '--add' in sys.argv:
            with open(file, 'w', encoding='utf-8', newline='') as f:
                f.writelines(with_line(path, lines))
        else:
            missing += 1
            print('%s: no line "%s"' % (path, WORDS))
    if missing:
        print('%d of %d files; tests/run/spdx.py --add adds the lines' % (missing, len(paths)))
    return 1 if missing or not paths else 0


if __name__ == '__main__':
    sys.exit(main())
