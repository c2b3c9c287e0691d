"""Work for child processes to do in tests of how they end."""

import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from countermark.errors import EncryptedMediaError

MODULE = "support.child_work"


class Task(msgspec.Struct, frozen=True):
    number: int = 0
    path: str = ""


class Found(msgspec.Struct, frozen=True):
    number: int
    environment: dict[str, str]
    modules: list[str]


class Errand(msgspec.Struct, frozen=True):
    """Things to try, by a request that names its files."""

    input: str
    folder: str
    elsewhere: str
    port: int

    def reads(self) -> list[str]:
        return [self.input]

    def writes(self) -> list[str]:
        return [self.folder]


class Managed(msgspec.Struct, frozen=True):
    """What could be done."""

    what: list[str]


def try_all(errand: Errand, _report: Callable[[float], None]) -> Managed:
    attempts: dict[str, Callable[[], object]] = {
        "read the input": lambda: Path(errand.input).read_bytes(),
        "write in the folder": lambda: Path(errand.folder, "made").write_bytes(b"x"),
        "remove from the folder": lambda: Path(errand.folder, "made").unlink(),
        "read elsewhere": lambda: Path(errand.elsewhere).read_bytes(),
        "write the input": lambda: Path(errand.input).open("ab").close(),
        "write elsewhere": lambda: Path(errand.elsewhere).open("ab").close(),
        "list elsewhere": lambda: list(Path(errand.elsewhere).parent.iterdir()),
        "read another's environment": lambda: Path("/proc/1/environ").read_bytes(),
        "read its parent's environment": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
        "connect": lambda: socket.create_connection(("127.0.0.1", errand.port), 1),
    }
    managed = []
    for name, attempt in attempts.items():
        with suppress(OSError):
            attempt()
            managed.append(name)
    return Managed(managed)


def double(task: Task, report: Callable[[float], None]) -> Found:
    report(0.5)
    return Found(2 * task.number, dict(os.environ), list(sys.modules))


def wait(task: Task, report: Callable[[float], None]) -> Found:
    """Say that it runs by writing its process id, then wait for ever."""
    Path(task.path).write_text(str(os.getpid()))
    report(0.25)
    signal.pause()
    raise AssertionError


def spin(_task: Task, _report: Callable[[float], None]) -> Found:
    while True:
        pass


def hoard(_task: Task, _report: Callable[[float], None]) -> Found:
    hoarded = []
    while True:
        hoarded.append(bytearray(16 << 20))


def write(task: Task, _report: Callable[[float], None]) -> Found:
    with Path(task.path).open("wb") as file:
        file.writelines(bytes(1 << 20) for _ in range(task.number))
    return Found(task.number, {}, [])


def crash(_task: Task, _report: Callable[[float], None]) -> Found:
    ctypes.string_at(0)
    raise AssertionError


def refuse(_task: Task, _report: Callable[[float], None]) -> Found:
    raise EncryptedMediaError


def stumble(_task: Task, _report: Callable[[float], None]) -> Found:
    raise KeyError("/a/secret/path")


def fill(_task: Task, _report: Callable[[float], None]) -> Found:
    with Path("/dev/full").open("wb", buffering=0) as file:
        file.write(b"x")
    raise AssertionError


def mumble(_task: Task, _report: Callable[[float], None]) -> Task:
    return Task(path="no number")


def leave(task: Task, _report: Callable[[float], None]) -> Found:
    os._exit(task.number)
