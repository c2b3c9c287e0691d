"""Describing media in processes that may crash, stall, or grow without harm to the service.

Whatever a file does to its probe, the caller gets a description: at least the plain one, and
then with the reason. The answer comes from a process that has touched a hostile file, so it is
data, never code: MessagePack of bounded length, decoded into types with bounds.
"""

import os
import select
import signal
import socket
import subprocess
import threading
import time
from contextlib import ExitStack
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec

from countermark.media import mime_types
from countermark.media.confinement import start_confined
from countermark.media.description import Description, TextTrack, TextTracks
from countermark.media.protocol import EXIT_OUT_OF_MEMORY, EXIT_UNREADABLE, STATUS, Request

_GRACE_SECONDS = 5.0
_ATTEMPTS = 2
_CHUNK = 64 * 1024
_LONGEST_NAME = 255


class ProbeLimits(msgspec.Struct, frozen=True):
    """What one probe may use.

    Attributes:
        wall_seconds: Time until it is killed.
        cpu_seconds: Processor time, whole seconds.
        memory_bytes: Address space, libraries included (about 150 MB).
        output_bytes: Length of its answer.
    """

    wall_seconds: float = 60.0
    cpu_seconds: int = 30
    memory_bytes: int = 2 * 2**30
    output_bytes: int = 4 * 2**20


class Outcome(msgspec.Struct, frozen=True):
    """What came of a probe.

    Attributes:
        description: Always there; plain if the probe failed.
        problem: One sentence for the file's owner on why there is no more; None if all is well.
    """

    description: Description
    problem: str | None


class Sandbox:
    """Describes files, each in a process of its own; safe to use from many threads.

    The processes are forked from one that has the media libraries loaded. It is started by the
    first call, and again when it has died.
    """

    def __init__(self, limits: ProbeLimits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._zygote: _ZygoteHandle | None = None
        self._closed = False

    def describe(self, path: Path, name: str) -> Outcome:
        """Describe a file.

        Args:
            path: The file.
            name: The user's name for it; decides what the bytes leave open.

        Returns:
            At the latest a few seconds after the limit on time; the probe is gone by then, or
            about to be killed.

        Raises:
            RuntimeError: The sandbox is closed.
        """
        try:
            answer = self._probe(path, name, "describe")
        except _ProbeFailedError as error:
            return Outcome(_plain(name), str(error))
        return _judge(answer, name)

    def subtitles(self, path: Path) -> tuple[TextTrack, ...]:
        """Read a file's own text subtitles; as long may it take, and the same may it raise.

        Returns:
            None at all if reading them fails: the file is as good without.
        """
        try:
            answer = self._probe(path, "", "subtitles")
            return msgspec.msgpack.decode(answer, type=TextTracks)
        except (_ProbeFailedError, msgspec.MsgspecError):
            return ()

    def close(self) -> None:
        """End all processes; probes under way end with a problem. May be called again."""
        with self._lock:
            self._closed = True
            zygote, self._zygote = self._zygote, None
        if zygote is not None:
            zygote.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _probe(self, path: Path, name: str, task: Literal["describe", "subtitles"]) -> bytes:
        request = Request(
            os.fsencode(path),
            name[-_LONGEST_NAME:],
            self._limits.wall_seconds,
            self._limits.cpu_seconds,
            self._limits.memory_bytes,
            task,
        )
        for _ in range(_ATTEMPTS):
            zygote = self._living_zygote()
            try:
                return _ask(zygote, request, self._limits)
            except _ZygoteLostError:
                self._replace(zygote)
        raise _ProbeFailedError("The media reader ended unexpectedly.")

    def _living_zygote(self) -> "_ZygoteHandle":
        with self._lock:
            if self._closed:
                raise RuntimeError("the sandbox is closed")
            if self._zygote is None:
                self._zygote = _ZygoteHandle()
            return self._zygote

    def _replace(self, lost: "_ZygoteHandle") -> None:
        with self._lock:
            if self._zygote is lost:
                self._zygote = None
        lost.end()


class _ProbeFailedError(Exception):
    """A probe gave no answer; the text is the public reason."""


class _ZygoteLostError(Exception):
    """The zygote ended, or hung, while it was needed."""


class _ZygoteHandle:
    """The service's end of a zygote."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = start_confined("countermark.media.zygote", theirs.fileno())

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, request: Request, pipes: list[int]) -> None:
        try:
            socket.send_fds(self._control, [msgspec.msgpack.encode(request)], pipes)
        except OSError as error:
            raise _ZygoteLostError from error

    def end(self) -> None:
        # The control socket's end would do, but not for a zygote that hangs.
        self._control.close()
        try:
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _ask(zygote: _ZygoteHandle, request: Request, limits: ProbeLimits) -> bytes:
    """Have one file probed; return what the probe wrote if it ended well."""
    with ExitStack() as open_pipes:
        answer, status = [_Pipe(open_pipes) for _ in range(2)]
        zygote.send(request, [answer.writer.fileno(), status.writer.fileno()])
        answer.writer.close()
        status.writer.close()
        os.set_blocking(answer.reader.fileno(), False)
        data, told = _collect(answer.reader, status.reader, limits)
    code, overdue = STATUS.unpack(told)
    if code != 0:
        raise _ProbeFailedError(_reason(code, limits, overdue=overdue))
    return data


class _Pipe:
    def __init__(self, stack: ExitStack) -> None:
        reader, writer = os.pipe()
        self.reader = stack.enter_context(FileIO(reader, "r"))
        self.writer = stack.enter_context(FileIO(writer, "w"))


def _collect(answer: FileIO, status: FileIO, limits: ProbeLimits) -> tuple[bytes, bytes]:
    """Read an answer until the zygote reports that its probe is gone."""
    poll = select.poll()
    poll.register(answer, select.POLLIN)
    poll.register(status, select.POLLIN)
    deadline = time.monotonic() + limits.wall_seconds + _GRACE_SECONDS
    data = bytearray()
    while events := poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        ready = {descriptor for descriptor, _ in events}
        if answer.fileno() in ready and not _drain(answer, data, limits.output_bytes):
            poll.unregister(answer)  # a closed pipe is always ready: waiting on it would spin
        if status.fileno() in ready:
            told = status.read(STATUS.size) or b""
            _drain(answer, data, limits.output_bytes)
            if len(told) < STATUS.size:
                raise _ZygoteLostError
            return bytes(data), told
    raise _ZygoteLostError


def _drain(answer: FileIO, data: bytearray, limit: int) -> bool:
    """Move what has arrived; False once the other end is closed."""
    while chunk := answer.read(_CHUNK):
        data += chunk
        if len(data) > limit:
            raise _ProbeFailedError("There is more to say about the file than is allowed.")
    return chunk is None


def _reason(code: int, limits: ProbeLimits, *, overdue: bool) -> str:
    if overdue or code == -signal.SIGALRM:
        return f"Reading the file took longer than {limits.wall_seconds:g} seconds."
    if code == EXIT_OUT_OF_MEMORY:
        return f"Reading the file needs more than {limits.memory_bytes // 2**20} MiB of memory."
    if code == EXIT_UNREADABLE:
        return "The file could not be opened."
    if code == -signal.SIGXCPU:
        return f"Reading the file needs more than {limits.cpu_seconds} seconds of processor time."
    return "Reading the file crashed the media reader."


def _judge(answer: bytes, name: str) -> Outcome:
    try:
        description = msgspec.msgpack.decode(answer, type=Description)
    except msgspec.MsgspecError:
        return Outcome(_plain(name), "Reading the file gave no usable answer.")
    if description.subtype == "other" and mime_types.is_media(description.mime_type):
        return Outcome(description, "The content is not the media that the name promises.")
    return Outcome(description, None)


def _plain(name: str) -> Description:
    return Description(None, mime_types.from_name(name), "other")
