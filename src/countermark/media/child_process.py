"""Long media work in a process of its own, which may crash, stall or grow without harm to others.

    answer = run_in_child("countermark.media.transcode:transcode", request, Transcoded, limits)

The function named takes a msgspec struct and a `report(part)` and returns a msgspec struct. What
it raises as a `PublicError` is raised here; all else that may happen to it becomes one.
"""

import select
import signal
import socket
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

import msgspec
import structlog

from countermark.errors import (
    MediaCrashError,
    MediaMemoryError,
    MediaOutputError,
    MediaTimeError,
    PublicError,
    public_errors,
)
from countermark.media.child_protocol import (
    LARGEST_MESSAGE,
    LENGTH,
    ChildLimits,
    Done,
    Failed,
    Message,
    Order,
    Progress,
    framed,
)
from countermark.media.confinement import start_confined

log = structlog.get_logger()

Answer = TypeVar("Answer")

# How long a caller's wish to end the work may go unheard.
LOOK_UP_SECONDS = 0.5
_CHUNK = 64 * 1024
_OUR_FAULT = 500
_ERRORS = {error.code: error for error in public_errors()}


def run_in_child(
    target: str,
    request: msgspec.Struct,
    answer: type[Answer],
    limits: ChildLimits,
    on_progress: Callable[[float], None] = lambda _part: None,
) -> Answer:
    """Have a function run in a process of its own; safe to call from many threads.

    Args:
        target: "module:function" of ours.
        request: The function's first argument.
        answer: The type that it returns.
        limits: The bounds that it runs in.
        on_progress: Told the part that is done, 0 to 1, when there is news and at least every
            half second. Whatever it raises ends the work and is raised on: so work is cancelled.

    Returns:
        What the function returned. The process is gone by then, as after any error.

    Raises:
        PublicError: What the function raised, or what became of it.
    """
    with _Child(limits) as child:
        child.send(Order(target, msgspec.msgpack.encode(request), limits))
        data = child.follow(on_progress)
    try:
        return msgspec.msgpack.decode(data, type=answer)
    except msgspec.MsgspecError as error:
        raise MediaCrashError from error


class _Child:
    def __init__(self, limits: ChildLimits) -> None:
        self._limits = limits
        self._deadline = time.monotonic() + limits.wall_seconds
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = start_confined("countermark.media.child", theirs.fileno())
        self._received = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._socket.close()

    def send(self, order: Order) -> None:
        try:
            self._socket.sendall(framed(order))
        except OSError as error:
            raise MediaCrashError from error

    def follow(self, on_progress: Callable[[float], None]) -> bytes:
        """Listen to the child until it has an answer."""
        part = 0.0
        while True:
            match self._next_message():
                case Progress(part=told):
                    part = min(max(told, part), 1.0)
                case Done(answer=answer):
                    return answer
                case Failed(code=code, detail=detail, trace=trace):
                    error = _ERRORS.get(code, MediaCrashError)(detail)
                    if error.status >= _OUR_FAULT:
                        log.warning("media work failed", code=code, trace=trace)
                    raise error
            on_progress(part)

    def _next_message(self) -> Message | None:
        """The next message, or None after a while without any."""
        if (left := self._deadline - time.monotonic()) <= 0:
            raise _overdue(self._limits)
        until = time.monotonic() + min(LOOK_UP_SECONDS, left)
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        while (message := self._take()) is None:
            if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
                return None
            data = self._socket.recv(_CHUNK)
            if not data:
                raise self._end()
            self._received += data
        return message

    def _take(self) -> Message | None:
        if len(self._received) < LENGTH.size:
            return None
        (length,) = LENGTH.unpack_from(self._received)
        if length > LARGEST_MESSAGE:
            raise MediaCrashError
        end = LENGTH.size + length
        if len(self._received) < end:
            return None
        data = bytes(self._received[LENGTH.size : end])
        del self._received[:end]
        try:
            message: Message = msgspec.msgpack.decode(data, type=Message)
        except msgspec.MsgspecError as error:
            raise MediaCrashError from error
        return message

    def _end(self) -> PublicError:
        """Why the child ended without an answer."""
        code = self._process.wait()
        log.warning("media work ended", exit_code=code)
        if code == -signal.SIGXCPU:
            return MediaTimeError(
                f"It needs more than {self._limits.cpu_seconds} seconds of processor time."
            )
        if code == -signal.SIGALRM:
            return _overdue(self._limits)
        if code == -signal.SIGXFSZ:
            return MediaOutputError(f"It is longer than {self._limits.output_bytes} bytes.")
        if code == -signal.SIGKILL:  # not ours: that of a system without memory
            return MediaMemoryError()
        return MediaCrashError()


def _overdue(limits: ChildLimits) -> MediaTimeError:
    return MediaTimeError(f"It takes more than {limits.wall_seconds:g} seconds.")
