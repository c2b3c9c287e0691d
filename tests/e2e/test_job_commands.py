"""`countermark convert` and `countermark jobs`, as people use them."""

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from countermark.media.sandbox import ProbeLimits, Sandbox
from support.jobs import JobClient
from support.media import make_video
from support.service import running

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobClient]:
    with running(tmp_path_factory.mktemp("commands")) as service:
        yield JobClient(service)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return make_video(tmp_path / "film.mp4", seconds=2.0)


def _run(folder: Path, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("COUNTERMARK_")}
    command = [sys.executable, "-m", "countermark", *arguments]
    return subprocess.run(
        command, cwd=folder, env=inherited | environ, capture_output=True, text=True, check=False
    )


def _check_film(path: Path) -> None:
    with Sandbox(ProbeLimits()) as sandbox:
        tracks = sandbox.describe(path, path.name).description.video_tracks
    assert tracks
    assert tracks[0].video_codec == "H.264 / AVC"


def test_a_file_is_converted_without_any_service(tmp_path: Path, film: Path) -> None:
    done = _run(tmp_path, "convert", film.name, "--preset", "h264-360p")
    assert (done.returncode, done.stdout) == (0, "film_h264-360p.mp4\n"), done.stderr
    _check_film(tmp_path / "film_h264-360p.mp4")
    again = _run(tmp_path, "convert", film.name, "--preset", "h264-360p")
    assert (again.returncode, "--force" in again.stderr) == (1, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4", "film_h264-360p.mp4"]


def test_a_terminal_sees_how_far_it_is(tmp_path: Path, film: Path) -> None:
    ours, terminal = pty.openpty()
    command = [sys.executable, "-m", "countermark", "convert", film.name, "--preset", "h264-360p"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=os.environ | {"TERM": "xterm"}, stderr=terminal
    ) as process:
        os.close(terminal)
        shown = b""
        with suppress(OSError):  # which is how a terminal ends
            while piece := os.read(ours, 4096):
                shown += piece
    os.close(ours)
    assert process.returncode == 0
    assert b"converting" in shown
    assert b"%" in shown


def test_what_cannot_be_converted_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("this is no film")
    done = _run(tmp_path, "convert", "text.mp4", "--preset", "h264-360p")
    assert done.returncode == 1
    assert done.stderr.startswith("countermark: Input is not media.")
    unknown = _run(tmp_path, "convert", "text.mp4", "--preset", "best")
    assert "h264-720p" in unknown.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["text.mp4"]


def test_a_service_elsewhere_converts_a_file(hub: JobClient, tmp_path: Path, film: Path) -> None:
    credentials = hub.service.credentials
    server = hub.service.api.removesuffix("/v1")
    there = ("--server", server, "--client-id", credentials["client_id"])
    secret = {"CLIENT_SECRET": credentials["client_secret"]}
    done = _run(
        tmp_path,
        "convert",
        film.name,
        "--preset",
        "h264-360p",
        "--output",
        "o.mp4",
        *there,
        **secret,
    )
    assert (done.returncode, done.stdout) == (0, "o.mp4\n"), done.stderr
    _check_film(tmp_path / "o.mp4")
    listed = _run(tmp_path, "jobs", "list", *there, **secret)
    assert "SUCCESS" in listed.stdout
    assert "film.mp4" in listed.stdout


def test_an_operator_sees_and_steers_jobs(hub: JobClient, tmp_path: Path, film: Path) -> None:
    hub.service.put_in(film)
    job = hub.create("film.mp4", ["h264-360p"])
    environ = {k: v for k, v in hub.service.environ.items() if k.startswith("COUNTERMARK_")}
    unknown = _run(tmp_path, "jobs", "watch", "0" * 24, **environ)
    assert (unknown.returncode, "does not exist" in unknown.stderr) == (1, True)
    watched = _run(tmp_path, "jobs", "watch", job["id"], **environ)
    assert (watched.returncode, "100 %" in watched.stdout) == (0, True), watched.stderr
    assert job["id"] in _run(tmp_path, "jobs", "list", "--status", "SUCCESS", **environ).stdout
    assert '"output_name"' in _run(tmp_path, "jobs", "show", job["id"], **environ).stdout
    retried = _run(tmp_path, "jobs", "retry", job["id"], **environ)
    assert (retried.returncode, "only a failed job" in retried.stderr) == (1, True)
    assert "SUCCESS" in _run(tmp_path, "jobs", "cancel", job["id"], **environ).stdout
