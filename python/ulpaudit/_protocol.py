"""The worker's side of the protocol (docs/worker-protocol.md, version 1) for Python functions."""
# SPDX-License-Identifier: Apache-2.0
import json
import mmap
import os
import threading
from typing import Any, Callable, Dict, List, Optional, Sequence

import numpy as np

from ._environment import changes, environment
from ._kernel import WIDTHS, Failure, Kernel

VERSION = 1
OFFERS = ['timing', 'determinism.threads', 'environment.rounding_mode', 'environment.ftz_daz']


class Description:
    """What a worker says of itself."""

    def __init__(self, name: str, kernels: Sequence[Kernel], version: str = '', build: str = '',
                 contract: str = '', fresh: bool = False,
                 facts: Sequence[Dict[str, object]] = ()) -> None:
        self.name, self.kernels, self.version = name, list(kernels), version
        self.build, self.contract, self.fresh, self.facts = build, contract, fresh, list(facts)

    def message(self) -> Dict[str, Any]:
        return {'type': 'description', 'protocol': VERSION, 'name': self.name, 'version': self.version,
                'build': self.build, 'contract': self.contract, 'facts': self.facts,
                'offers': OFFERS + (['determinism.first_call'] if self.fresh else []),
                'kernels': [{'name': k.name, 'op': k.op, 'formula': k.formula, 'requires': '',
                             'unavailable': k.unavailable, 'dtypes': list(k.dtypes),
                             'tags': list(k.tags)} for k in self.kernels]}


class Worker:
    """Serves one host over three file descriptors, until it ends the requests."""

    def __init__(self, description: Description, requests: int, replies: int, data: int,
                 alone: Optional[threading.Lock] = None,
                 served: Optional[Callable[[int], None]] = None) -> None:
        """alone: held during each plain call. served: told the elements of each batch."""
        self.description, self.requests, self.replies = description, requests, replies
        self.data = mmap.mmap(data, os.fstat(data).st_size)
        self.alone, self.served = alone, served

    def serve(self) -> None:
        with os.fdopen(self.requests, encoding='utf-8') as lines:
            for line in lines:
                request = json.loads(line)
                if request['type'] == 'stop':
                    return
                try:
                    self._send(self.description.message() if request['type'] == 'describe'
                               else self._run(request))
                except BrokenPipeError:
                    return

    def _send(self, message: Dict[str, Any]) -> None:
        rest = (json.dumps(message) + '\n').encode()
        while rest:
            rest = rest[os.write(self.replies, rest):]

    def _run(self, q: Dict[str, Any]) -> Dict[str, Any]:
        done = {'type': 'done', 'id': q['id'], 'ok': True, 'message': ''}
        try:
            done.update(self._obey(q))
        except Failure as e:
            done.update(ok=False, message=str(e))
        except MemoryError as e:
            done.update(ok=False, message='MemoryError: %s' % e)
        return done

    def _obey(self, q: Dict[str, Any]) -> Dict[str, Any]:
        kernel = self.description.kernels[q['kernel']]
        n, dtype = q['n'], q['dtype']
        arrays = [kernel.view(self.data, dtype, n, q['z'])]
        if 'y' in q:
            arrays.append(kernel.view(self.data, dtype, n, q['y']))
        if 'timing' in q:
            return time_calls(kernel, dtype, arrays, q['timing'])
        stage = q.get('stage') or {}
        if stage.get('threads', 1) > 1:
            result, facts = call_in_threads(kernel, dtype, arrays, stage)
            kernel.view(self.data, dtype, n, q['out'])[...] = result
            return {'facts': facts}
        if self.alone is not None and not self.alone.acquire(timeout=q.get('deadline_ms', 20000) / 2000):
            raise Failure('an earlier call of the function has not come back')
        try:
            before = environment() if stage else {}
            result, spent = kernel.call(arrays, dtype)
            facts = changes(before, environment()) if stage else []
        finally:
            if self.alone is not None:
                self.alone.release()
        kernel.view(self.data, dtype, n, q['out'])[...] = result
        if self.served is not None:
            self.served(n)
        return {'nanoseconds': spent, **({'facts': facts} if facts else {})}


def _bits(array: Any) -> Any:
    return np.ascontiguousarray(array).view({2: np.uint16, 4: np.uint32, 8: np.uint64}[array.dtype.itemsize])


def call_in_threads(kernel: Kernel, dtype: str, arrays: Sequence[Any], stage: Dict[str, Any]) -> Any:
    """Thread t has the inputs begun at element t, so that results that are mixed up show. The results
    of thread 0, and facts."""
    count, repeats = stage['threads'], max(1, stage.get('repeats', 1))
    turned = [[np.roll(a, -t) for a in arrays] for t in range(count)]
    results: List[List[Any]] = [[] for _ in range(count)]
    errors: List[Failure] = []
    barrier = threading.Barrier(count)

    def work(t: int) -> None:
        barrier.wait()
        try:
            for _ in range(repeats):
                r, _spent = kernel.call(turned[t], dtype)
                if not results[t] or not np.array_equal(_bits(r), _bits(results[t][0])):
                    results[t].append(np.array(r))
        except Failure as e:
            errors.append(e)

    threads = [threading.Thread(target=work, args=(t,)) for t in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    facts: List[Dict[str, object]] = []
    for t in range(count):
        alone = np.array(kernel.call(turned[t], dtype)[0])
        for r in results[t]:
            other = np.flatnonzero(_bits(r) != _bits(alone))
            if len(other):
                i, width = int(other[0]), 2 * WIDTHS[dtype]
                facts.append({'rule': 'determinism.threads', 'element': i, 'text':
                              'thread %d of several gives 0x%0*x for element %d, alone it gives 0x%0*x' % (
                                  t, width, int(_bits(r)[i]), i, width, int(_bits(alone)[i]))})
    return results[0][0], facts


def time_calls(kernel: Kernel, dtype: str, arrays: Sequence[Any], timing: Dict[str, int]) -> Dict[str, Any]:
    """As harness/plugin/timing.hpp says: each call gets other inputs where there are more than it takes."""
    elements, given = timing['elements'], len(arrays[0])
    windows = max(1, given // elements)
    parts = [[np.resize(a, elements) if windows == 1 else a[w * elements:(w + 1) * elements].copy()
              for a in arrays] for w in range(windows)]
    kernel.call(parts[0], dtype)  # not timed: compilation, pages, tables
    spent = calls = 0
    while spent < timing['nanoseconds'] and calls < 10_000_000:
        spent += kernel.call(parts[calls % windows], dtype)[1]
        calls += 1
    return {'nanoseconds': spent, 'calls': calls}
