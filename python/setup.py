"""Puts the programs that ./run builds into the wheel; refuses, in one line, where they are not built."""
# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import subprocess
import sys

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAMS = ('ulpaudit', 'ulpaudit-worker', 'ulpaudit-attach')


def built_folder():
    return os.environ.get('ULPAUDIT_BIN', os.path.join(
        ROOT, 'build', os.environ.get('ULPAUDIT_PRESET', 'release'), 'bin'))


def missing_packages():
    """Debian packages of the group [build] that dpkg does not know as installed."""
    names, group = [], ''
    try:
        with open(os.path.join(ROOT, 'packages.txt'), encoding='utf-8') as lines:
            for line in lines:
                if line.startswith('['):
                    group = line[1:line.index(']')]
                elif group == 'build' and line[:1].isalnum():
                    names.append(line.split()[0])
        out = subprocess.run(['dpkg-query', '-W', '-f=${db:Status-Status} ${Package}\n', *names],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding='utf-8').stdout
    except OSError:
        return []
    return sorted(set(names) - {line.split()[1] for line in out.splitlines()
                                if line.startswith('installed ')})


class BuildWithPrograms(build_py):
    def run(self):
        folder = built_folder()
        absent = [p for p in PROGRAMS if not os.access(os.path.join(folder, p), os.X_OK)]
        if absent:
            packages = missing_packages()
            sys.exit('ulpaudit: %s not built in %s: run ./run list in %s first%s' % (
                ', '.join(absent), folder, ROOT,
                ', which installs %s' % ' '.join(packages) if packages else ''))
        super().run()
        inside = os.path.join(self.build_lib, 'ulpaudit', 'bin')
        os.makedirs(inside, exist_ok=True)
        for program in PROGRAMS:
            shutil.copy2(os.path.join(folder, program), inside)
        for file in ('LICENSE', 'NOTICE'):  # the program embeds data of others
            shutil.copy2(os.path.join(ROOT, file), os.path.dirname(inside))


class WithPrograms(Distribution):
    """The wheel is for this machine's platform."""

    def has_ext_modules(self):
        return True


setup(cmdclass={'build_py': BuildWithPrograms}, distclass=WithPrograms)
