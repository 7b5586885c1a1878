"""Whose code was audited: what a function rests on is in its hash; KeyboardInterrupt ends the run."""
# SPDX-License-Identifier: Apache-2.0
import functools
import os
import subprocess
import sys

import numpy as np
import pytest
import ulpaudit
from ulpaudit._kernel import code_hash

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(ulpaudit.__file__)))


class Scaled:
    def __init__(self, by):
        self.by = by

    def forward(self, z):
        return z * self.by

    __call__ = forward


def test_the_state_of_objects_counts():
    assert code_hash(Scaled(1)) == code_hash(Scaled(1))
    assert code_hash(Scaled(1)) != code_hash(Scaled(2))
    assert code_hash(Scaled(1).forward) != code_hash(Scaled(2).forward)
    long = np.arange(5000.0)
    other = long.copy()
    other[2500] += 1  # in the middle, which repr leaves out
    assert code_hash(Scaled(long)) != code_hash(Scaled(other))


def test_arguments_and_code_of_partials_count():
    def product(z, by):
        return z * by

    def total(z, by):
        return z + by
    total.__qualname__ = total.__name__ = product.__qualname__  # alike by name
    assert code_hash(functools.partial(product, by=1)) == code_hash(functools.partial(product, by=1))
    assert code_hash(functools.partial(product, by=1)) != code_hash(functools.partial(product, by=2))
    assert code_hash(functools.partial(product, by=1)) != code_hash(functools.partial(total, by=1))


def test_functions_that_reach_themselves():
    ring = []
    ring.append(ring)

    def recursive(z, n=0):
        return recursive(z, n - 1) if n else (ring, z)[1]

    def unassigned(z):
        return later if z is None else z  # noqa: F821: never assigned
    if not PACKAGE:
        later = 1
    for fn in (recursive, unassigned, lambda z: (ring, z)[1]):
        assert len(code_hash(fn)) == 16
    assert ulpaudit.evaluate(lambda z: (unassigned, 1 / (1 + np.exp(-z)))[1], z=1.0)


def hash_of(tmp_path, text, seed):
    """In a process of its own."""
    (tmp_path / 'hashed.py').write_text(text)
    done = subprocess.run([sys.executable, '-B', '-c', 'import hashed; from ulpaudit._kernel import code_hash; '
                           'print(code_hash(hashed.f))'], stdout=subprocess.PIPE, encoding='utf-8', check=True, env={
                               **os.environ, 'PYTHONPATH': '%s:%s' % (PACKAGE, tmp_path), 'PYTHONHASHSEED': seed})
    return done.stdout


def test_the_same_in_every_process_and_the_modules_file_counts(tmp_path):
    text = "def f(z): return z if z.dtype.name in {'float16', 'float32', 'float64', 'bfloat16'} else by(z)\n"
    one = text + 'def by(z): return z\n'
    assert len({hash_of(tmp_path, one, seed) for seed in '12345'}) == 1
    assert hash_of(tmp_path, one, '1') != hash_of(tmp_path, text + 'def by(z): return z + 1\n', '1')


def test_interrupt_in_the_function():
    def interrupted(z):
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        ulpaudit.audit(interrupted, points=100)


def test_reasons_in_any_script():
    def f(z):
        return (1 / (1 + np.exp(-z.astype(np.float64)))).astype(z.dtype)
    ulpaudit.assert_ulp_within(f, 'sigmoid', 'f32', 1, points=100, accept={'value.flushed': 'it\'s "so" \U0001f600 \x7f\n'})
