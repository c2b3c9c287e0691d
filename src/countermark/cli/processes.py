"""The children of `countermark serve`: started, watched, started again, stopped.

Children are processes of the same command (`serve api`, `serve edge`, `worker`), so a person can
run any of them alone and get the same thing.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence

import structlog

log = structlog.get_logger()

STOP_SECONDS = 40.0
WATCH_SECONDS = 0.2
# A child that lives shorter than this is waited for longer before it is started again.
STEADY_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 10.0


class Child:
    """One process that should always run."""

    def __init__(self, name: str, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
        self.name = name
        self._command = [sys.executable, "-m", "countermark", *arguments, "--with-parent"]
        self._environ = {**os.environ, **environ}
        self._failures = 0
        self._start_at = 0.0
        self._started = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    def keep(self) -> None:
        """Start the process if it does not run and its pause is over."""
        now = time.monotonic()
        if self._process is not None and self._process.poll() is not None:
            self._plan_restart(now, self._process.returncode)
        if self._process is None and now >= self._start_at:
            self._started = now
            self._process = subprocess.Popen(self._command, env=self._environ)

    def _plan_restart(self, now: float, code: int) -> None:
        lived = now - self._started
        self._failures = 0 if lived > STEADY_SECONDS else self._failures + 1
        pause = min(LONGEST_PAUSE_SECONDS, 0.1 * 2**self._failures)
        log.warning("process ended", process=self.name, code=code, restart_in=round(pause, 1))
        self._process, self._start_at = None, now + pause

    def ask_to_stop(self) -> None:
        """Send SIGTERM: finish what runs, take nothing new."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self, deadline: float) -> None:
        """Wait until it has ended; kill it when the deadline (monotonic seconds) passes."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("process killed", process=self.name)
            self._process.kill()
            self._process.wait()


def keep_running(children: Sequence[Child], stop: threading.Event) -> None:
    """Keep every child alive until `stop` is set, then stop them all."""
    try:
        while not stop.wait(WATCH_SECONDS):
            for child in children:
                child.keep()
    finally:
        deadline = time.monotonic() + STOP_SECONDS
        for child in children:
            child.ask_to_stop()
        for child in children:
            child.wait(deadline)


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


def end_with_parent() -> None:
    """End this process soon after its parent, however the parent ends.

    A SIGKILLed parent can pass nothing on, so the child looks: an orphan gets a new parent.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
