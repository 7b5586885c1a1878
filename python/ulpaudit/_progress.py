"""How far a long run is, on one line of stderr."""
# SPDX-License-Identifier: Apache-2.0
import sys
import threading
import time
from typing import Optional


def wanted() -> bool:
    """On a terminal, and in a notebook."""
    return sys.stderr.isatty() or 'ipykernel' in sys.modules


class Progress:
    """Counts inputs; draws from the second second on, where `show`."""

    def __init__(self, total: Optional[int], show: bool) -> None:
        self.total, self.show, self.done = total, show, 0
        self._start = time.monotonic()
        self._drawn = 0.0
        self._lock = threading.Lock()

    def add(self, n: int) -> None:
        with self._lock:
            self.done += n

    def draw(self) -> None:
        now = time.monotonic()
        seconds = now - self._start
        if not self.show or seconds < 2 or now - self._drawn < 0.2:
            return
        self._drawn = now
        rate = self.done / seconds
        text = '%s inputs' % format(self.done, ',')
        if self.total:
            part = min(1.0, self.done / self.total)
            text = '[%-30s] %5.1f %% of %s inputs' % ('#' * int(30 * part), 100 * part, format(self.total, ','))
            if rate > 0:
                text += ', %d s left' % max(0, round((self.total - self.done) / rate))
        print('\rulpaudit: %s, %.3g M/s ' % (text, rate / 1e6), end='', file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._drawn:
            print('\r%80s\r' % '', end='', file=sys.stderr, flush=True)
