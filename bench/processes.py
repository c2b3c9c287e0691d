"""Servers on loopback as child processes: started, awaited, weighed, stopped by their ids."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from bench.load import HOST

BIN = Path(sys.executable).parent  # the environment's commands

_START_SECONDS = 60
_STOP_SECONDS = 20


def free_port() -> int:
    """A port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    command: Sequence[str | Path],
    ports: Sequence[int],
    folder: Path,
    environment: Mapping[str, str] | None = None,
) -> Iterator[psutil.Process]:
    """Run a server in the folder until the block ends; enter once every port answers.

    Raises:
        RuntimeError: it ended or stayed silent; the end of its log is in the text.
    """
    log_path = folder / "server.log"
    with log_path.open("ab") as log:
        child = subprocess.Popen(
            list(map(str, command)), cwd=folder, env=environment, stdout=log, stderr=log
        )
    try:
        for port in ports:
            _await_port(port, child, log_path)
        yield psutil.Process(child.pid)
    finally:
        _stop(child)


def _await_port(port: int, child: subprocess.Popen[bytes], log_path: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while child.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    tail = log_path.read_text(errors="replace")[-2000:]
    raise RuntimeError(f"{child.args[0]} did not listen on port {port}:\n{tail}")  # type: ignore[index]  # started from a list


def _stop(child: subprocess.Popen[bytes]) -> None:
    descendants = _children(child.pid)
    child.terminate()
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for process in psutil.wait_procs(descendants, timeout=2)[1]:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def listeners(parent: psutil.Process, port: int) -> list[psutil.Process]:
    """Those of the parent's family that listen on the port."""
    family = [parent, *parent.children(recursive=True)]
    return [process for process in family if _listens(process, port)]


def _listens(process: psutil.Process, port: int) -> bool:
    return any(
        connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        for connection in process.net_connections("tcp")
    )


def proportional_memory(processes: Sequence[psutil.Process]) -> int:
    """Bytes of memory that the processes hold, shared pages split among their sharers (PSS)."""
    return sum(process.memory_full_info().pss for process in processes)


def forget_peaks(processes: Sequence[psutil.Process]) -> None:
    """Start anew what `peak_memory` reports (proc(5), clear_refs: 5)."""
    for process in processes:
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")


def peak_memory(processes: Sequence[psutil.Process]) -> int:
    """Bytes: the greatest resident size (VmHWM of proc(5)) of the largest of the processes."""
    return max(_peak(process.pid) for process in processes)


def _peak(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))
