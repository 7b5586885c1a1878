"""A worker in Python's standard library alone, and the ways in which a program can break the
protocol (docs/worker-protocol.md): `worker.py MODE`."""
# SPDX-License-Identifier: Apache-2.0
import json, math, os, struct, sys, time

MODE = sys.argv[1] if len(sys.argv) > 1 else 'good'
VERSION = sys.argv[2] if len(sys.argv) > 2 else '1.0'
TRIGGER = 1.0  # the logit at which a kernel misbehaves


def sigmoid(z):
    if z != z:
        return z
    if z >= 0:
        return 1 / (1 + math.exp(-z))
    return math.exp(z) / (1 + math.exp(z))


def reply(message):
    line = json.dumps(message) + '\n' if isinstance(message, dict) else message
    data = line.encode()
    while data:
        data = data[os.write(4, data):]


def description():
    if MODE == 'wrong_version':
        return {'type': 'description', 'protocol': 2, 'name': 'program', 'kernels': []}
    if MODE == 'garbage':
        return 'Welcome to my kernels!\n'
    if MODE == 'load_error':
        return {'type': 'load_error', 'protocol': 1, 'message': 'no licence for my library'}
    if MODE == 'long_description':
        return '{"type": "description", "name": "' + 'x' * (5 << 20) + '"}\n'
    return {'type': 'description', 'protocol': 1, 'name': 'program', 'version': VERSION,
            'kernels': [{'name': 'sigmoid', 'op': 'sigmoid', 'dtypes': ['f32'],
                         'tags': ['deterministic', 'elementwise']}]}


def run(q):
    """The reply to a batch; the results are in the data file."""
    n = q['n']
    before = time.perf_counter_ns()
    zs = struct.unpack('<%df' % n, os.pread(5, 4 * n, q['z']))
    out = [sigmoid(z) for z in zs]
    spent = time.perf_counter_ns() - before
    done = {'type': 'done', 'id': q['id'], 'ok': True, 'message': '', 'nanoseconds': spent}
    if MODE == 'changes_input' and n:
        os.pwrite(5, struct.pack('<f', 5), q['z'])
    if MODE == 'writes_beside':
        out.append(0.5)
    if MODE == 'last_element' and n > 3:
        out.pop()
    if MODE == 'tail_differs' and n > 4:
        out[-1] = out[-1] * (1 + 2 ** -20)
    if MODE == 'writes_nothing':
        return done
    os.pwrite(5, struct.pack('<%df' % len(out), *out), q['out'])
    if TRIGGER not in zs:
        return done
    if MODE == 'dies':
        os.kill(os.getpid(), 11)
    if MODE == 'exits':
        print('no luck today', flush=True)
        os._exit(3)
    if MODE == 'hangs':
        time.sleep(3600)
    if MODE == 'truncates':
        os.ftruncate(5, 0)
    if MODE == 'prints':
        return 'computing a batch\n' + json.dumps(done) + '\n'
    if MODE == 'long_reply':
        return 'x' * (5 << 20)
    if MODE == 'other_batch':
        return {**done, 'id': q['id'] + 1}
    if MODE == 'answers_twice':
        return (json.dumps(done) + '\n') * 2
    if MODE == 'refuses':
        return {**done, 'ok': False, 'message': 'the logit is one'}
    if MODE == 'closes':
        os.close(4)
        time.sleep(3600)
    return done


def main():
    if MODE == 'dies_at_start':
        sys.exit('cannot find my library')
    for line in os.fdopen(3):
        q = json.loads(line)
        if q['type'] == 'stop':
            break
        reply(description() if q['type'] == 'describe' else run(q))


main()
