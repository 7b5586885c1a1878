"""Lets the program reach functions of this process: ulpaudit-attach gives its descriptors to us."""
# SPDX-License-Identifier: Apache-2.0
import os
import shlex
import shutil
import socket
import tempfile
import threading
from typing import Callable, Optional

from ._program import program
from ._protocol import Description, Worker


class Attached:
    """While it is entered, `command` is a worker, for --exec, that calls the description's kernels here."""

    def __init__(self, description: Description, parallel: bool, served: Callable[[int], None]) -> None:
        self._description, self._served = description, served
        self._alone: Optional[threading.Lock] = None if parallel else threading.Lock()

    def __enter__(self) -> 'Attached':
        self.folder = tempfile.mkdtemp(prefix='ulpaudit-')
        path = os.path.join(self.folder, 'socket')
        self.command = '%s %s' % (shlex.quote(program('ulpaudit-attach')), shlex.quote(path))
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True, name='ulpaudit').start()
        return self

    def __exit__(self, *_: object) -> None:
        # accept() does not wake when its socket is closed by another thread; it does when shut down.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True, name='ulpaudit worker').start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:  # closing it ends ulpaudit-attach
            _, fds, _, _ = socket.recv_fds(connection, 1, 3)
            if len(fds) != 3:
                return
            requests, replies, data = fds
            try:
                Worker(self._description, requests, replies, data, self._alone, self._served).serve()
            finally:
                os.close(replies)
                os.close(data)
