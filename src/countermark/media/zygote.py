"""The process from which every probe is forked, and what a probe does before it reads a file.

    sandbox (threads)  --request and two pipes-->  zygote  --fork-->  probe

Why not multiprocessing's forkserver: it unpickles, keeps a resource tracker, imports the main
module again, and leaves killing to a caller who can't do it without racing against the reuse of
process ids. Here a probe's own parent watches it: it kills at the deadline, or as soon as nobody
holds the other end of the status pipe, reaps, and only then reports. The zygote never reads a
file itself, has one thread, and ends when its control socket closes or its parent changes, so
it outlives the service by seconds at most, however that ends.

A probe is bounded, not jailed: limits on memory, processor time and files, no descriptor but
its file and its answer, and none that it could open. It runs as the service's user.
"""

import gc
import os
import resource
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import msgspec

from countermark.media.confinement import confine
from countermark.media.probe import describe_open, open_nameless
from countermark.media.protocol import (
    EXIT_FAILED,
    EXIT_OUT_OF_MEMORY,
    EXIT_UNREADABLE,
    LARGEST_REQUEST,
    STATUS,
    Request,
)
from countermark.media.webvtt import extract

_DESCRIPTORS = 1024
_ANSWER = 3
_LOOK_UP_SECONDS = 2.0


class _Probe(msgspec.Struct):
    pid: int
    deadline: float
    overdue: bool = False


class Zygote:
    """Forks probes on request and watches them.

    Args:
        control: A SOCK_SEQPACKET socket on which requests arrive.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._parent = os.getppid()
        self._probes: dict[int, _Probe] = {}  # by the status pipe's descriptor
        self._woken, wakeup = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(wakeup, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)
        self._poll.register(self._woken, select.POLLIN)

    def run(self) -> None:
        """Serve until the service is gone; no probe is left behind."""
        try:
            while os.getppid() == self._parent and self._turn():
                self._kill_overdue()
                self._reap()
        finally:
            for probe in self._probes.values():
                os.kill(probe.pid, signal.SIGKILL)

    def _turn(self) -> bool:
        going_on = True
        for descriptor, _ in self._poll.poll(self._patience() * 1000):
            if descriptor == self._control.fileno():
                going_on = self._accept()
            elif descriptor == self._woken:
                os.read(self._woken, 4096)
            elif probe := self._probes.get(descriptor):  # its reader hung up
                os.kill(probe.pid, signal.SIGKILL)
                self._poll.unregister(descriptor)
        return going_on

    def _patience(self) -> float:
        deadlines = [probe.deadline for probe in self._probes.values() if not probe.overdue]
        soonest = min(deadlines, default=float("inf")) - time.monotonic()
        return min(max(soonest, 0.0) + 0.001, _LOOK_UP_SECONDS)

    def _accept(self) -> bool:
        message, pipes, _, _ = socket.recv_fds(self._control, LARGEST_REQUEST, 2)
        if not message:
            return False
        request = msgspec.msgpack.decode(message, type=Request)
        answer, status = pipes
        pid = os.fork()
        if pid == 0:
            _run_probe(request, answer)
        os.close(answer)
        self._probes[status] = _Probe(pid, time.monotonic() + request.wall_seconds)
        self._poll.register(status, 0)  # errors, such as a reader that hung up, are always told
        return True

    def _kill_overdue(self) -> None:
        now = time.monotonic()
        for probe in self._probes.values():
            if now >= probe.deadline and not probe.overdue:
                probe.overdue = True
                os.kill(probe.pid, signal.SIGKILL)

    def _reap(self) -> None:
        for status, probe in list(self._probes.items()):
            pid, code = os.waitpid(probe.pid, os.WNOHANG)
            if pid == 0:
                continue
            with suppress(KeyError):
                self._poll.unregister(status)
            with suppress(BrokenPipeError):
                os.write(status, STATUS.pack(os.waitstatus_to_exitcode(code), probe.overdue))
            os.close(status)
            del self._probes[status]


def _run_probe(request: Request, answer: int) -> NoReturn:
    code = EXIT_FAILED
    try:
        _probe(request, answer)
        code = 0
    except MemoryError:
        code = EXIT_OUT_OF_MEMORY
    except OSError:
        code = EXIT_UNREADABLE
    finally:
        # Neither handlers nor buffers of the zygote are the probe's to run or flush.
        os._exit(code)


def _probe(request: Request, answer: int) -> None:
    # The zygote kills an overdue probe; the alarm is for the case that the zygote is gone.
    signal.setitimer(signal.ITIMER_REAL, request.wall_seconds + 1)
    os.dup2(answer, _ANSWER)
    os.dup2(1, 2)
    os.closerange(_ANSWER + 1, _DESCRIPTORS)
    with open_nameless(Path(os.fsdecode(request.path))) as file:
        _limit(request)
        if request.task == "subtitles":
            found: object = extract(file)
        else:
            found = describe_open(file, request.name)
    data = memoryview(msgspec.msgpack.encode(found))
    while data:
        data = data[os.write(_ANSWER, data) :]


def _limit(request: Request) -> None:
    bounds = {
        resource.RLIMIT_AS: request.memory_bytes,
        resource.RLIMIT_FSIZE: 0,
        # No further descriptor of any kind: neither a file nor a socket can be opened.
        resource.RLIMIT_NOFILE: 0,
    }
    confine(bounds, request.cpu_seconds)


def main() -> None:
    """Run a zygote; the only argument is the control socket's descriptor."""
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (_DESCRIPTORS, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    )
    control = socket.socket(fileno=int(sys.argv[1]))
    gc.collect()
    gc.freeze()  # what is alive now stays shared with every probe
    Zygote(control).run()


if __name__ == "__main__":
    main()
