"""The package of this source tree, and a host for workers: what ulpaudit sends, without ulpaudit."""
# SPDX-License-Identifier: Apache-2.0
import json
import os
import sys
import threading

import numpy as np
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))

SIZE = 1 << 20
Y, OUT = 1 << 18, 1 << 19


class Host:
    """Sends requests to a Worker in a thread, over pipes and a data file."""

    def __init__(self, description, alone=None):
        from ulpaudit._protocol import Worker
        requests, self._to = os.pipe()
        self._from, replies = os.pipe()
        self._data = os.memfd_create('data')
        os.ftruncate(self._data, SIZE)
        self._lines = os.fdopen(self._from, encoding='utf-8')
        self._thread = threading.Thread(target=Worker(description, requests, replies, self._data, alone).serve)
        self._thread.start()

    def ask(self, **message):
        os.write(self._to, (json.dumps(message) + '\n').encode())
        return json.loads(self._lines.readline())

    def run(self, z, y=None, **more):
        os.pwrite(self._data, z.tobytes(), 0)
        q = {'type': 'run', 'id': 7, 'kernel': 0, 'dtype': 'f%d' % (8 * z.itemsize), 'n': len(z), 'z': 0, 'out': OUT}
        if y is not None:
            os.pwrite(self._data, y.tobytes(), Y)
            q['y'] = Y
        done = self.ask(**{**q, **more})
        return done, np.frombuffer(os.pread(self._data, z.nbytes, OUT), z.dtype)

    def close(self):
        os.close(self._to)
        self._thread.join()


@pytest.fixture
def host():
    """host(fn, op=…, …): a host of one kernel."""
    from ulpaudit._kernel import Kernel
    from ulpaudit._protocol import Description
    hosts = []

    def start(fn, op='sigmoid', dtypes=('f32',), **more):
        hosts.append(Host(Description('python', [Kernel(fn, op, dtypes, 'k', **more)])))
        return hosts[-1]
    yield start
    for h in hosts:
        h.close()
