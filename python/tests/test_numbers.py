"""Numbers of every kind as inputs; tags; what may be broken and is accepted; whose code was audited."""
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import ulpaudit
from ulpaudit._kernel import code_hash


def sigmoid(z):
    return (1 / (1 + np.exp(-z.astype(np.float64)))).astype(z.dtype)


@pytest.mark.parametrize('z', [1.5, np.float64(1.5), np.float32(1.5), np.float16(1.5), '1.5', '0x3fc00000'])
def test_numbers_of_every_kind(z):
    assert '0x3fc00000' in ulpaudit.evaluate(sigmoid, z=z)


@pytest.mark.parametrize('z, bits', [(-np.inf, '0xff800000'), (float('inf'), '0x7f800000'), (-0.5, '0xbf000000'),
                                     (np.int64(-3), '0xc0400000'), (-0.0, '0x80000000')])
def test_signs_and_infinities(z, bits):
    assert bits in ulpaudit.evaluate(sigmoid, z=z)


def test_nan_and_what_is_no_number():
    assert 'nan' in ulpaudit.evaluate(sigmoid, z=float('nan'))
    with pytest.raises(ValueError, match='is no number'):
        ulpaudit.evaluate(sigmoid, z=[1.5])


def test_tags():
    with pytest.raises(ValueError, match='unknown tag .*accepted: deterministic'):
        ulpaudit.audit(sigmoid, tags=['determinstic'], points=100)
    assert ulpaudit.audit(sigmoid, tags='deterministic', points=100).points


def flushing(z):
    s = sigmoid(z)
    return np.where(np.abs(s) < np.finfo(np.float32).tiny, np.float32(0), s).astype(z.dtype)


def test_the_message_names_what_is_broken_and_it_can_be_accepted():
    with pytest.raises(AssertionError, match='is within 2 ulp, and breaks value.flushed') as e:
        ulpaudit.assert_ulp_within(flushing, 'sigmoid', 'f32', 2, points=2000)
    assert "accept={'value.flushed': 'why'}" in str(e.value)
    ulpaudit.assert_ulp_within(flushing, 'sigmoid', 'f32', 2, points=2000,
                               accept={'value.flushed': 'subnormal results are not wanted'})


def test_another_closure_is_another_kernel():
    def make(by):
        return lambda z: z * by
    assert code_hash(make(1.0)) == code_hash(make(1.0))
    assert code_hash(make(1.0)) != code_hash(make(2.0))
    assert code_hash(make(np.ones(3))) != code_hash(make(np.zeros(3)))
