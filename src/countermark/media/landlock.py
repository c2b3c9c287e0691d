"""Shutting a process in with the files that it needs, where Linux can (Landlock, since 5.13).

Unprivileged and for good: what the process may not open then, none of its threads or children
may. https://docs.kernel.org/userspace-api/landlock.html has the structures and numbers.
"""

import ctypes
import os
import struct
import sys
import sysconfig
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import countermark

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38
_O_PATH = 0o10000000

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE
_MAKE_AND_REMOVE = 0x1FF0
_REFER, _TRUNCATE, _IOCTL = 0x2000, 0x4000, 0x8000
# Which rights a version of the interface knows beyond the first one's.
_SINCE = {2: _REFER, 3: _TRUNCATE, 5: _IOCTL}
_NETWORK_SINCE, _BIND_AND_CONNECT = 4, 3
_SCOPES_SINCE, _SIGNALS_AND_SOCKETS = 6, 3

# What the libraries look at: the shape of the machine, and nothing of other processes.
_SYSTEM = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/null", "/dev/zero", "/dev/urandom")
_MACHINE = ("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices", "/sys/fs")

_libc = ctypes.CDLL(None, use_errno=True)


def shut_in(reads: Iterable[str], writes: Iterable[str]) -> bool:
    """Let this thread, and those that it starts, open nothing but what is named.

    Args:
        reads: Files and folders to read, beside Python, its packages, and the system's libraries.
        writes: Folders to make, read and write files in.

    Returns:
        Whether the system can; if not, nothing has changed.
    """
    if (version := supported()) < 1:
        return False
    handled = 0x1FFF | sum(rights for since, rights in _SINCE.items() if version >= since)
    ruleset = _ruleset(version, handled)
    try:
        for path in (*_needed(), *reads):
            _allow(ruleset, path, _READ)
        _allow(ruleset, "/dev/null", _READ | _WRITE_FILE)
        for path in writes:
            _allow(ruleset, path, handled & ~_EXECUTE)
        if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            return False
        return _syscall(_RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def supported() -> int:
    """The version of the interface that this system has; 0 or less for none."""
    if sys.platform != "linux":  # elsewhere these numbers mean something else
        return 0
    return _syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)


def _needed() -> list[str]:
    python = [sys.prefix, sys.base_prefix, *sysconfig.get_paths().values()]
    ours = [str(Path(path).resolve()) for path in (*countermark.__path__, *sys.path) if path]
    return [*_SYSTEM, *_MACHINE, *python, *ours]


def _ruleset(version: int, handled: int) -> int:
    attributes = struct.pack("=Q", handled)
    if version >= _NETWORK_SINCE:
        attributes += struct.pack("=Q", _BIND_AND_CONNECT)
    if version >= _SCOPES_SINCE:
        attributes += struct.pack("=Q", _SIGNALS_AND_SOCKETS)
    return _syscall(_CREATE_RULESET, attributes, len(attributes), 0)


def _allow(ruleset: int, path: str, rights: int) -> None:
    with suppress(OSError):  # what isn't there needs no permission
        descriptor = os.open(path, _O_PATH | os.O_CLOEXEC)
        try:
            if not os.path.isdir(path):  # noqa: PTH112 - a path of the system, as text
                rights &= _OF_FILES | _TRUNCATE
            _syscall(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, descriptor), 0)
        finally:
            os.close(descriptor)


def _syscall(number: int, *arguments: "int | bytes | None") -> int:
    return int(_libc.syscall(number, *arguments))
