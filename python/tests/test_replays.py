"""Lines of Python that show a finding again do; contracts given to a test; what a checkpoint rests on."""
# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest
import ulpaudit


def sigmoid(z):
    return (1 / (1 + np.exp(-z.astype(np.float64)))).astype(z.dtype)


def of_rule(result, rule):
    return [f for f in result.errors if f.rule == rule]


def shown_again(finding, **names):
    return of_rule(eval(finding.replay, {'ulpaudit': ulpaudit, **names}), finding.rule)


def test_chance_shows_again():
    rng = np.random.default_rng(5)

    def chance(z):
        return sigmoid(z) * np.float32(1 + 1e-6 * rng.integers(0, 2))
    found = of_rule(ulpaudit.audit(chance, points=500, properties=True), 'determinism.repeat')
    assert found
    for _ in range(5):
        assert shown_again(found[0], chance=chance)


def test_what_counts_its_calls_shows_again():
    calls = [0]

    def bomb(z):
        calls[0] += 1
        return sigmoid(z) * np.float32(1.01 if calls[0] % 40 == 0 else 1)
    found = of_rule(ulpaudit.audit(bomb, points=500, properties=True), 'determinism.repeat')
    assert found and found[0].replay.count('repeats=') == 1
    for _ in range(5):
        assert shown_again(found[0], bomb=bomb)


class Boxed:
    def __init__(self, a):
        self.a = a


def test_a_case_is_called_as_the_audit_was():
    def tail(z):
        s = sigmoid(z.a)
        if len(s) > 4:
            s[-1] = np.nextafter(s[-1], s.dtype.type(2))
        return s
    r = ulpaudit.audit(tail, points=500, properties=True, asarray=Boxed, tags=['deterministic', 'elementwise'])
    found = [f for f in r.errors if f.rule in ('batch.position', 'batch.length')]
    assert found and 'asarray=' in found[0].replay and 'tags=' in found[0].replay
    assert shown_again(found[0], tail=tail, **{__name__.split('.')[0]: __import__(__name__)})


def test_the_report_names_no_socket_that_is_gone():
    def seven(z):
        if len(z) == 7:
            raise ValueError('seven é')
        return sigmoid(z)
    r = ulpaudit.audit(seven, points=500, properties=True)
    lines = [f['replay'] for f in json.loads(r.to_json())['findings']]
    assert lines == [f.replay for f in r.findings] and any("case='z=" in line for line in lines)
    assert not [line for line in lines if 'socket' in line]
    assert 'ulpaudit.audit(seven' in r.to_html()


FLUSHES = '''contract = 1
[[kernel]]
name = "flushes"
[[kernel.expected_failure]]
rule = "value.flushed"
reason = "not wanted"
'''


def flushes(z):
    s = sigmoid(z)
    return np.where(np.abs(s) < np.finfo(np.float32).tiny, np.float32(0), s).astype(z.dtype)


def test_a_contract_in_a_test(tmp_path):
    path = tmp_path / 'contract.toml'
    path.write_text(FLUSHES)
    for contract in (FLUSHES, path, str(path)):
        assert ulpaudit.assert_ulp_within(flushes, 'sigmoid', 'f32', 2, points=2000, contract=contract).points
        with pytest.raises(AssertionError, match='is not within 0.25 ulp\n0.*ulp at z = '):
            ulpaudit.assert_ulp_within(flushes, 'sigmoid', 'f32', 0.25, points=2000, contract=contract)
    with pytest.raises(ValueError, match='accept and contract'):
        ulpaudit.assert_ulp_within(flushes, 'sigmoid', 'f32', 2, contract=FLUSHES, accept={'value.flushed': 'x'})
    with pytest.raises(ValueError, match='absent.toml: No such file'):
        ulpaudit.audit(flushes, points=100, contract=tmp_path / 'absent.toml')


def test_numbers_that_are_none():
    for wrong in (np.complex64(1.5), np.complex128(1 + 2j), np.array(1j), 1j):
        with pytest.raises(ValueError, match='is no number'):
            ulpaudit.evaluate(sigmoid, z=wrong)


def test_one_label():
    def bce(z, y):
        z = z.astype(np.float64)
        return (np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))).astype(np.float32)
    one = ulpaudit.audit(bce, 'bce_with_logits', points=50, labels=[0.5]).points
    for label in (0.5, np.float32(0.5), '0.5', '0x3f000000'):
        assert ulpaudit.audit(bce, 'bce_with_logits', points=50, labels=label).points == one


def scaled(by):
    def fn(z):
        return sigmoid(z) * by
    return fn


def test_another_closure_has_another_build_and_no_old_checkpoint(tmp_path):
    def build(fn, **more):
        return ulpaudit.audit(fn, points=100, **more).report['implementations'][0]['build_id']
    one, two = np.float32(1), np.float32(1.001)
    assert build(scaled(one)) == build(scaled(one)) != build(scaled(two))
    assert build(sigmoid, asarray=scaled(one)) != build(sigmoid, asarray=scaled(two))
    kept = str(tmp_path / 'checkpoint')
    ulpaudit.audit(scaled(one), points=1000, checkpoint=kept)
    with pytest.raises((ValueError, ulpaudit.Error), match='build of python/fn'):
        ulpaudit.audit(scaled(two), points=1000, checkpoint=kept)
