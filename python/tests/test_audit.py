"""audit, evaluate, assert_ulp_within against the program ($ULPAUDIT_BIN)."""
# SPDX-License-Identifier: Apache-2.0
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import ulpaudit
from ulpaudit import _audit

PACKAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')


def sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


def test_every_f16_of_a_sound_function():
    r = ulpaudit.audit(lambda z: sigmoid(z.astype(np.float64)).astype(np.float16), 'sigmoid', 'f16')
    assert r.evidence == 'exhaustive' and r.points == 65536 and r.lost_points == 0
    assert 0.49 < r.max_ulp <= 0.5 and r.errors == []
    assert r.correctly_rounded == 1
    report = json.loads(r.to_json())
    assert report['results'][0]['op'] == 'sigmoid'
    assert 'no rule broken' in repr(r) and 'largest error 0.' in repr(r)


def test_the_witness_is_where_the_error_is():
    def bump(z):
        s = sigmoid(z)
        return np.where(z == np.float32(0.75), s * np.float32(1.001), s).astype(z.dtype)
    r = ulpaudit.audit(bump, 'sigmoid', 'f32', exhaustive=True, range='0.7499:0.7501')
    assert r.witness.z == 0.75 and r.witness.z_bits == '0x3f400000'
    assert r.max_ulp == abs(r.witness.error_ulps) > 1000
    assert r.witness.got == float(np.float32(r.witness.got))


def test_findings_are_replayed_in_python():
    def loses_nan(z):
        return np.nan_to_num(sigmoid(z), nan=0.5)
    r = ulpaudit.audit(loses_nan, 'sigmoid', 'f32', points=2000)
    lost = [f for f in r.findings if f.rule == 'value.lost_nan']
    assert lost and lost[0].is_error and lost[0] in r.errors
    assert 'ulpaudit.evaluate(loses_nan' in lost[0].replay
    assert 'lost_nan' in eval(lost[0].replay[len('print('):-1], {'ulpaudit': ulpaudit, 'loses_nan': loses_nan})


def test_properties_and_their_case():
    def tail(z):
        s = sigmoid(z)
        if len(s) > 4:
            s[-1] = np.nextafter(s[-1], s.dtype.type(2))
        return s
    r = ulpaudit.audit(tail, 'sigmoid', 'f32', points=2000, properties=True)
    found = [f for f in r.errors if f.rule in ('batch.position', 'batch.length')]
    assert found, repr(r)
    again = eval(found[0].replay, {'ulpaudit': ulpaudit, 'tail': tail})
    assert found[0].rule in [f.rule for f in again.errors]


def test_changed_inputs_are_found():
    def clamps(z):
        np.clip(z, -80, 80, out=z)
        return sigmoid(z)
    r = ulpaudit.audit(clamps, 'sigmoid', 'f32', points=2000, properties=True)
    assert 'batch.input_changed' in [f.rule for f in r.errors]


def test_what_cannot_be_checked_is_said():
    r = ulpaudit.audit(sigmoid, 'sigmoid', 'f32', points=2000, properties=True)
    assert r.errors == []
    note = [f for f in r.findings if f.rule == 'check.not_applicable'][0]
    assert 'batch.read_outside' in note.message and 'determinism.threads' not in note.message


def test_an_exception_is_a_finding_with_its_traceback():
    def picky(z):
        if np.isnan(z).any():
            raise ValueError('no NaN here')
        return sigmoid(z)
    r = ulpaudit.audit(picky, 'sigmoid', 'f32', points=2000)
    f = [f for f in r.findings if f.rule == 'plugin.status'][0]
    assert f.message.startswith('ValueError: no NaN here')
    assert 'Traceback (most recent call last)' in f.traceback and 'in picky' in f.traceback
    assert 'in picky' in str(f) and r.lost_points > 0


def test_two_arguments_and_labels():
    def bce(z, y):
        return (np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))).astype(z.dtype)
    r = ulpaudit.audit(bce, 'bce_with_logits', 'f16', labels=[0, 0.5])
    assert r.points == 2 * 65536 and r.op == 'bce_with_logits'


def test_bf16():
    ml_dtypes = pytest.importorskip('ml_dtypes', reason='bf16 needs ml_dtypes, which is not here')
    r = ulpaudit.audit(lambda z: sigmoid(z.astype(np.float32)).astype(ml_dtypes.bfloat16), 'sigmoid', 'bf16')
    assert r.points == 65536 and r.max_ulp <= 0.501


def test_evaluate():
    text = ulpaudit.evaluate(sigmoid, 'sigmoid', 'f32', 1.0)
    assert 'true value' in text and '7.3105857863000487925' in text and 'python/sigmoid' in text
    assert '0x3f3b26a8' in ulpaudit.evaluate(sigmoid, 'sigmoid', 'f32', '0x3f800000')


def test_assert_passes_and_fails_with_one_block():
    ulpaudit.assert_ulp_within(sigmoid, 'sigmoid', 'f32', 3, points=3000)
    with pytest.raises(AssertionError) as failure:
        ulpaudit.assert_ulp_within(lambda z: sigmoid(z) * np.float32(0.99999), 'sigmoid', 'f32', 1.5, points=3000)
    text = str(failure.value)
    assert text.splitlines()[0].endswith('(sigmoid, f32) is not within 1.5 ulp')
    assert 'accuracy.max_ulp' in text and 'promised at most 1.5' in text and 'ulpaudit.evaluate(' in text
    assert len(text.splitlines()) < 12


def test_no_nan_hides_behind_a_bound():
    with pytest.raises(AssertionError, match='new_nan'):
        ulpaudit.assert_ulp_within(lambda z: np.exp(z) / (1 + np.exp(z)), 'sigmoid', 'f32', 3, points=3000)


def test_html():
    r = ulpaudit.audit(sigmoid, 'sigmoid', 'f32', points=1000)
    assert '<html' in r.to_html() and r._repr_html_().startswith('<iframe')


def test_refused_arguments():
    for wrong, words in ((dict(op='tanh'), "unknown op 'tanh'"), (dict(dtype='float32'), 'unknown dtype'),
                         (dict(range='5'), "has no ':'"), (dict(range='5:1'), 'is empty')):
        with pytest.raises(ValueError, match=words):
            ulpaudit.audit(sigmoid, **wrong)
    with pytest.raises(AttributeError, match='it has: .*audit'):
        ulpaudit.audits


def test_a_call_that_never_returns_is_a_finding():
    release = threading.Event()

    def hangs(z):
        if np.isnan(z).any():
            release.wait(60)
        return sigmoid(z)
    try:
        r = ulpaudit.audit(hangs, 'sigmoid', 'f32', points=500, deadline=0.5, threads=1)
    finally:
        release.set()
    assert 'plugin.hang' in [f.rule for f in r.findings]


def test_one_call_at_a_time_unless_it_is_known_to_be_safe(monkeypatch):
    lock, met = threading.Lock(), threading.Event()
    inside, most, patience = [0], [0], [0.001]

    def counts(z):
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            if inside[0] > 1:
                met.set()
        met.wait(patience[0])  # for another call, until there was one
        with lock:
            inside[0] -= 1
        return sigmoid(z)
    ulpaudit.audit(counts, 'sigmoid', 'f32', points=500, threads=4)
    assert most[0] == 1
    patience[0] = 2
    ulpaudit.audit(counts, 'sigmoid', 'f32', points=500, threads=4, parallel=True)
    assert most[0] > 1
    assert _audit._known_parallel(np.exp) and not _audit._known_parallel(sigmoid)
    # A call waits for those of all other threads: few, however many cores there are.
    monkeypatch.setattr(os, 'sched_getaffinity', lambda _: set(range(64)))
    assert (_audit._threads(False), _audit._threads(True)) == (8, 65)


SCRIPT = '''
import sys, time, numpy as np, ulpaudit
def slow(z):
    time.sleep(0.01)
    return 1 / (1 + np.exp(-z))
print('started', flush=True)
ulpaudit.audit(slow, 'sigmoid', 'f32', exhaustive=True, checkpoint=sys.argv[1])
'''


def test_ctrl_c_ends_the_run_and_keeps_the_checkpoint(tmp_path):
    checkpoint = tmp_path / 'c'
    process = subprocess.Popen([sys.executable, '-c', SCRIPT, str(checkpoint)], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, encoding='utf-8', env={**os.environ, 'PYTHONPATH': PACKAGE})
    assert process.stdout.readline() == 'started\n'
    for _ in range(600):
        if checkpoint.exists():
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=100)
    assert 'KeyboardInterrupt' in errors and 'is kept' in errors
    assert checkpoint.exists() and process.returncode != 0


def program(tmp_path, text):
    path = tmp_path / 'kernels.py'
    path.write_text(textwrap.dedent(text))
    return "'%s' '%s'" % (sys.executable, path)


def ulpaudit_says(*arguments):
    from ulpaudit._program import program as find
    done = subprocess.run([find(), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          encoding='utf-8', env={**os.environ, 'PYTHONPATH': PACKAGE})
    return done.returncode, done.stdout, done.stderr


def test_a_module_as_a_program(tmp_path):
    command = program(tmp_path, '''
        import numpy as np, ulpaudit
        print('noise on stdout does no harm')

        @ulpaudit.worker('sigmoid', ['f32', 'f64'], formula='1/(1+exp(-z))')
        def mine(z):
            return 1 / (1 + np.exp(-z))

        @ulpaudit.worker('sigmoid', ['f32'])
        def broken(z):
            raise RuntimeError('not today')

        ulpaudit.unavailable('sigmoid', ['f32'], 'absent', ImportError("No module named 'absent'"))
        ulpaudit.serve('module', version='3.2')
        ''')
    code, out, err = ulpaudit_says('list', '--json', '--exec', command, '--impl', 'module/*')
    assert code == 0, err
    kernels = {i['name']: i for i in json.loads(out)['implementations']}
    assert kernels['module/mine']['version'] == '3.2' and kernels['module/mine']['dtypes'] == ['f32', 'f64']
    assert kernels['module/absent']['unavailable'] == "No module named 'absent'"
    code, out, err = ulpaudit_says('sweep', '--json', '--exec', command, '--impl', 'module/*', '--dtype', 'f32',
                                   '--points', '500')
    assert code == 4, err
    found = [f for f in json.loads(out)['findings'] if f['rule'] == 'plugin.status']
    assert {f['implementation'] for f in found} == {'module/broken'}
    assert 'RuntimeError: not today; traceback: ' in found[0]['message'] and 'in broken' in found[0]['message']


def test_a_worker_is_no_program_of_its_own(tmp_path):
    path = tmp_path / 'kernels.py'
    path.write_text('import ulpaudit\nulpaudit.serve("x")\n')
    done = subprocess.run([sys.executable, str(path)], stderr=subprocess.PIPE, encoding='utf-8',
                          env={**os.environ, 'PYTHONPATH': PACKAGE})
    assert done.returncode == 1 and '--exec' in done.stderr
