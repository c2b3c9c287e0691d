"""The load generator of load.c: compiled once a run, driven by arguments, read as numbers."""

import json
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
_UNLIMITED = 0


@dataclass(frozen=True)
class Measured:
    """What came back: counts, bytes of answers' bodies, seconds, and latencies in microseconds."""

    responses: int
    body_bytes: int
    seconds: float
    first_us: int
    p50_us: int
    p99_us: int

    @property
    def per_second(self) -> float:
        return self.responses / self.seconds

    @property
    def megabytes_per_second(self) -> float:
        return self.body_bytes / self.seconds / 1e6


@dataclass(frozen=True)
class Load:
    """A compiled load generator."""

    program: Path

    def run(
        self,
        port: int,
        requests: Iterable[str],
        *,
        connections: int = 1,
        seconds: float = 600,
        responses: int = _UNLIMITED,
        headers: Iterable[str] = (),
        discard: bool = False,
    ) -> Measured:
        """Send the requests ("METHOD TARGET [FILE ...]") round and round over kept connections.

        "TARGET#OFFSET" asks for the bytes from there on.

        With `discard`, answers' bodies are counted but never copied to the client.

        Raises:
            RuntimeError: an answer was neither 2xx nor a redirect, or a connection broke: such a
                run measures nothing.
        """
        numbers = (port, connections, seconds, responses)
        reading = "discard" if discard else "read"
        command = [str(self.program), HOST, *map(str, numbers), reading, *headers]
        lines = "".join(f"{request}\n" for request in requests)
        done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the load broke off {done.stderr.strip()}")
        measured = Measured(**json.loads(done.stdout))
        silent = not (measured.responses or measured.body_bytes)
        if silent or measured.responses < responses:
            raise RuntimeError(f"{measured.responses} answers in {seconds:g} s to {lines[:200]!r}")
        return measured


def compile_load(folder: Path) -> Load:
    """Compile load.c into the folder."""
    program = folder / "load"
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise RuntimeError("bench needs a C compiler (cc or gcc) for its load generator")
    source = Path(__file__).with_name("load.c")
    flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-o", str(program)]
    subprocess.run([compiler, *flags, str(source)], check=True)
    return Load(program)
