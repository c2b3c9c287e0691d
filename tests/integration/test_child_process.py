"""Every way in which long work in a child process can end, through real processes."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from countermark.errors import (
    EncryptedMediaError,
    MediaCrashError,
    MediaMemoryError,
    MediaOutputError,
    MediaTimeError,
    PublicError,
    StorageFullError,
)
from countermark.media import landlock
from countermark.media.child_process import run_in_child
from countermark.media.child_protocol import ChildLimits
from support.child_work import MODULE, Errand, Found, Managed, Task

TESTS = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _work_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


def run(
    function: str,
    task: Task | None = None,
    limits: ChildLimits | None = None,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Found:
    return run_in_child(
        f"{MODULE}:{function}", task or Task(), Found, limits or ChildLimits(), on_progress
    )


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.005)


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_the_answer_and_the_progress_come_back() -> None:
    told: list[float] = []
    assert run("double", Task(21), on_progress=told.append).number == 42
    assert told == [0.5]


def test_the_child_gets_no_secret_and_nothing_that_it_does_not_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COUNTERMARK_DATABASE_URL", "postgresql://user:secret@host/db")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    found = run("double")
    assert "secret" not in str(found.environment)
    assert not {"sqlalchemy", "litestar", "dbos"} & set(found.modules)


def test_work_that_names_its_files_reaches_nothing_else(tmp_path: Path) -> None:
    if landlock.supported() < 4:
        pytest.skip("needs Linux 6.7 with Landlock")
    folder, elsewhere = tmp_path / "folder", tmp_path / "other" / "catalog.sqlite"
    folder.mkdir()
    elsewhere.parent.mkdir()
    elsewhere.write_text("secret")
    source = tmp_path / "input"
    source.write_text("input")
    with socket.create_server(("127.0.0.1", 0)) as server:
        errand = Errand(str(source), str(folder), str(elsewhere), server.getsockname()[1])
        done = run_in_child(f"{MODULE}:try_all", errand, Managed, ChildLimits())
    assert done.what == ["read the input", "write in the folder", "remove from the folder"]


def test_a_public_error_is_raised_as_it_was() -> None:
    with pytest.raises(EncryptedMediaError) as caught:
        run("refuse")
    assert caught.value.detail == EncryptedMediaError.advice


@pytest.mark.parametrize(
    ("function", "task", "limits", "error"),
    [
        ("spin", Task(), ChildLimits(cpu_seconds=1), MediaTimeError),
        ("spin", Task(), ChildLimits(wall_seconds=0.5), MediaTimeError),
        ("hoard", Task(), ChildLimits(memory_bytes=256 << 20), MediaMemoryError),
        ("write", Task(3, "made"), ChildLimits(output_bytes=2 << 20), MediaOutputError),
        ("fill", Task(), ChildLimits(), StorageFullError),
        ("crash", Task(), ChildLimits(), MediaCrashError),
        ("stumble", Task(), ChildLimits(), MediaCrashError),
        ("mumble", Task(), ChildLimits(), MediaCrashError),
        ("leave", Task(0), ChildLimits(), MediaCrashError),
        ("leave", Task(1), ChildLimits(), MediaCrashError),
        ("missing", Task(), ChildLimits(), MediaCrashError),
    ],
)
def test_whatever_becomes_of_the_work_becomes_a_public_error(
    tmp_path: Path, function: str, task: Task, limits: ChildLimits, error: type[PublicError]
) -> None:
    if task.path:
        task = Task(task.number, str(tmp_path / task.path))
    with pytest.raises(error) as caught:
        run(function, task, limits)
    assert type(caught.value) is error
    assert caught.value.detail
    assert "secret" not in caught.value.detail


def test_a_file_up_to_the_limit_is_written(tmp_path: Path) -> None:
    limits = ChildLimits(output_bytes=2 << 20)
    assert run("write", Task(2, str(tmp_path / "made")), limits).number == 2


def test_work_is_cancelled_by_an_error_of_who_is_told_its_progress(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    told: list[float] = []

    class CancelledError(Exception):
        pass

    def cancel_at_the_second_call(part: float) -> None:
        told.append(part)
        if len(told) == 2:
            raise CancelledError

    with pytest.raises(CancelledError):
        run("wait", Task(path=str(path)), on_progress=cancel_at_the_second_call)
    assert told == [0.25, 0.25]
    assert is_gone(int(path.read_text()))


def test_work_that_is_killed_from_outside_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "pid"

    def kill() -> None:
        until(lambda: path.exists() and path.read_text() != "")
        os.kill(int(path.read_text()), signal.SIGSEGV)

    thread = threading.Thread(target=kill)
    thread.start()
    with pytest.raises(MediaCrashError):
        run("wait", Task(path=str(path)))
    thread.join()


def test_the_work_dies_with_a_service_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    program = (
        "from countermark.media.child_process import run_in_child\n"
        "from countermark.media.child_protocol import ChildLimits\n"
        "from support.child_work import Found, Task\n"
        f"run_in_child('{MODULE}:wait', Task(path={str(path)!r}), Found, ChildLimits())\n"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as service:
        until(lambda: path.exists() and path.read_text() != "")
        service.kill()
    until(lambda: is_gone(int(path.read_text())))
