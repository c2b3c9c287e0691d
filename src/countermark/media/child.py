"""The inside of a child process for long media work; `countermark.media.child_process` starts it.

Bounded by limits on memory, processor time and the length of files, and without the service's
secrets in its environment. Where Linux can, it is shut in with the files that it works on, out of
reach of the catalog, of other users' files and of the network (see `landlock`). It runs as the
service's user.
"""

import errno
import importlib
import os
import resource
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, get_type_hints

import msgspec

from countermark.errors import (
    MediaCrashError,
    MediaMemoryError,
    MediaOutputError,
    PublicError,
    StorageFullError,
)
from countermark.media.child_protocol import (
    LENGTH,
    Done,
    Failed,
    NamesItsFiles,
    Order,
    Progress,
    framed,
)
from countermark.media.confinement import confine
from countermark.media.landlock import shut_in

Report = Callable[[float], None]

_SECONDS_BETWEEN_REPORTS = 0.1
# Those who wait for an answer go before those who wait for a film.
NICENESS = 10
_LONGEST_TRACE = 20_000
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


def main() -> None:
    """Do one order; the only argument is the descriptor of the socket that it comes from."""
    parent = socket.socket(fileno=int(sys.argv[1]))
    order = msgspec.msgpack.decode(_read(parent), type=Order)
    _bound(order)
    try:
        function, request = _understood(order)
        if isinstance(request, NamesItsFiles):
            for folder in request.writes():
                os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - what is missing can't be named
            shut_in(request.reads(), request.writes())
        # Only now: a thread that is there already wouldn't be shut in.
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
        answer = msgspec.msgpack.encode(function(request, _Reporter(parent)))
        parent.sendall(framed(Done(answer)))
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent must hear of it
        parent.sendall(framed(_failure(error)))
    # Neither waiting for the libraries' threads nor tidying up is of use to anybody.
    os._exit(0)


def _bound(order: Order) -> None:
    os.dup2(1, 2)  # what the libraries say about a hostile file is not for the service's log
    os.nice(NICENESS)
    limits = order.limits
    # Python ignores this signal; here it is to end the process, and so to tell why.
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    # The parent kills what is overdue; the alarm is for the case that it hangs.
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds + 1)
    bounds = {
        # Not the address space: stacks and arenas of many threads take much of it unused.
        resource.RLIMIT_DATA: limits.memory_bytes,
        resource.RLIMIT_FSIZE: limits.output_bytes,
    }
    confine(bounds, limits.cpu_seconds)


def _understood(order: Order) -> tuple[Callable[[Any, Report], Any], Any]:
    """The function, and its request."""
    module, _, name = order.target.partition(":")
    function = getattr(importlib.import_module(module), name)
    hints = get_type_hints(function)
    return function, msgspec.msgpack.decode(order.request, type=next(iter(hints.values())))


class _Reporter:
    """Tells the parent how far the work is, not more often than anybody looks."""

    def __init__(self, parent: socket.socket) -> None:
        self._parent = parent
        self._next = 0.0

    def __call__(self, part: float) -> None:
        if (now := time.monotonic()) >= self._next:
            self._next = now + _SECONDS_BETWEEN_REPORTS
            self._parent.sendall(framed(Progress(part)))


def _failure(error: BaseException) -> Failed:
    trace = "".join(traceback.format_exception(error))[-_LONGEST_TRACE:]
    public = _public(error)
    return Failed(public.code, public.detail, trace)


def _public(error: BaseException) -> PublicError:
    number = getattr(error, "errno", None)
    if isinstance(error, PublicError):
        return error
    no_thread = isinstance(error, RuntimeError) and "start new thread" in str(error)
    if isinstance(error, MemoryError) or number == errno.ENOMEM or no_thread:
        return MediaMemoryError()
    if number in _NO_ROOM:
        return StorageFullError("There is no room for what is made. Free some, then try again.")
    if number == errno.EFBIG:
        return MediaOutputError()
    return MediaCrashError()


def _end_with(parent: socket.socket) -> None:
    """Wait until the parent's end closes, then end at once, in whatever the others are."""
    while parent.recv(1):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


def _read(parent: socket.socket) -> bytes:
    (length,) = LENGTH.unpack(_exactly(parent, LENGTH.size))
    return _exactly(parent, length)


def _exactly(parent: socket.socket, length: int) -> bytes:
    data = parent.recv(length, socket.MSG_WAITALL)
    if len(data) < length:
        sys.exit(1)  # nobody is there any more
    return data


if __name__ == "__main__":
    main()
