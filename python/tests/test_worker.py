"""The worker's side of the protocol, driven without ulpaudit."""
# SPDX-License-Identifier: Apache-2.0
import sys
import threading

import numpy as np
import pytest

Z = np.linspace(-4, 4, 101, dtype=np.float32)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_description(host):
    d = host(sigmoid).ask(type='describe', protocol=1)
    assert (d['type'], d['protocol'], d['name']) == ('description', 1, 'python')
    assert d['kernels'][0]['dtypes'] == ['f32']
    assert 'timing' in d['offers'] and 'determinism.first_call' not in d['offers']


def test_a_batch_is_what_the_function_gives(host):
    done, out = host(sigmoid).run(Z)
    assert done['ok'] and done['id'] == 7 and done['nanoseconds'] > 0
    assert np.array_equal(out, sigmoid(Z))


def test_no_elements(host):
    done, out = host(sigmoid).run(Z[:0])
    assert done['ok'] and len(out) == 0


def test_two_arguments(host):
    done, out = host(lambda z, y: z - y, 'bce_with_logits').run(Z, Z / 2)
    assert done['ok'] and np.array_equal(out, Z - Z / 2)


def test_lists_and_scalars_are_no_arrays_of_the_dtype(host):
    done, _ = host(lambda z: [float(v) for v in z]).run(Z)
    assert not done['ok'] and 'returned float64 where it was given float32' in done['message']
    done, _ = host(lambda z: z[1:]).run(Z)
    assert not done['ok'] and 'shape (100,) for one of shape (101,)' in done['message']


def test_an_exception_is_a_line_with_its_traceback(host):
    def broken(z):
        raise ArithmeticError('no\nway')
    done, _ = host(broken).run(Z)
    assert not done['ok']
    assert done['message'].startswith('ArithmeticError: no way; traceback: ')
    assert 'test_worker.py' in done['message'] and 'in broken' in done['message']
    assert '\n' not in done['message']


def test_sys_exit_is_an_exception(host):
    done, _ = host(lambda z: sys.exit('enough')).run(Z)
    assert not done['ok'] and 'SystemExit: enough' in done['message']


def test_changed_input_is_left_for_the_host_to_see(host):
    def clamps(z):
        np.minimum(z, 1, out=z)
        return sigmoid(z)
    done, _ = host(clamps).run(Z, stage={'repeats': 1})
    assert done['ok']


def test_shared_scratch_is_found_by_threads(host):
    scratch = np.empty(101, np.float32)
    turn = threading.Barrier(2)

    def shared(z):
        np.negative(z, out=scratch)
        if threading.current_thread() is not worker:
            turn.wait(5)  # both have written before one goes on
        return 1 / (1 + np.exp(scratch))
    h = host(shared)
    worker = h._thread
    done, _ = h.run(Z, stage={'threads': 2, 'repeats': 1})
    assert [f['rule'] for f in done['facts']] == ['determinism.threads']


def test_threads_of_a_sound_function(host):
    done, out = host(sigmoid).run(Z, stage={'threads': 4, 'repeats': 20})
    assert done['ok'] and done['facts'] == [] and np.array_equal(out, sigmoid(Z))


def test_timing(host):
    for elements in (10, 101, 5000):
        done, _ = host(sigmoid).run(Z, timing={'elements': elements, 'nanoseconds': 100000})
        assert done['ok'] and done['calls'] >= 1 and done['nanoseconds'] >= 100000


def test_results_by_dlpack(host):
    class Tensor:
        def __init__(self, a):
            self.a = a

        def __dlpack__(self, **more):
            return self.a.__dlpack__(**more)

        def __dlpack_device__(self):
            return self.a.__dlpack_device__()
    done, out = host(lambda z: Tensor(sigmoid(z))).run(Z)
    assert done['ok'], done['message']
    assert np.array_equal(out, sigmoid(Z))


def test_bf16_as_bit_patterns(host):
    pytest.importorskip('ml_dtypes')
    h = host(lambda z: z.view(np.uint16), dtypes=('bf16',))
    bits = np.arange(1000, dtype=np.uint16).view(np.float16)
    done, out = h.run(bits, dtype='bf16')
    assert done['ok'] and np.array_equal(out.view(np.uint16), bits.view(np.uint16))


def test_unknown_names():
    from ulpaudit._kernel import Kernel
    with pytest.raises(ValueError, match="unknown op 'sigmoids'; accepted: sigmoid"):
        Kernel(sigmoid, 'sigmoids', ['f32'], 'k')
    with pytest.raises(ValueError, match="unknown dtype 'float32'; accepted: f16"):
        Kernel(sigmoid, 'sigmoid', ['float32'], 'k')


def test_the_environment_is_seen():
    from ulpaudit._environment import changes, environment
    now = environment()
    assert now == {'environment.rounding_mode': 'to nearest', 'environment.ftz_daz': 'FTZ off, DAZ off'}
    other = {**now, 'environment.rounding_mode': 'upward'}
    assert [f['rule'] for f in changes(now, other)] == ['environment.rounding_mode']


def test_a_changed_rounding_mode_is_a_fact(host):
    import ctypes
    import ctypes.util
    libm = ctypes.CDLL(ctypes.util.find_library('m'))
    upward = {'x86_64': 0x800, 'aarch64': 0x400000}.get(__import__('platform').machine())
    if upward is None:
        pytest.skip('the value of FE_UPWARD here is not known')

    def rounds_up(z):
        libm.fesetround(upward)
        return sigmoid(z)
    done, _ = host(rounds_up).run(Z, stage={'repeats': 1})
    assert [f['rule'] for f in done['facts']] == ['environment.rounding_mode']
    assert 'was to nearest and is upward' in done['facts'][0]['text']
