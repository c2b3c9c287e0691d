"""A leak traced by a running service and by the command line, to whom the copy was given."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import httpx
import msgspec
import pytest

from countermark.autograph.report import TraceDocument
from support.films import Luma, textured, write_film
from support.masters import publish_master
from support.service import Service, running, until

SIZE, RATE, SECONDS = (320, 180), 20, 18
GUESTS = [f"guest {number}" for number in range(20)]
LEAKER = "Zoë <b>🎬</b>"

pytestmark = pytest.mark.e2e


class Leaked:
    """A service with a master, whose copies 21 people were given; and what one of them leaked."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.service = service
        film = write_film(folder / "film.mp4", textured(1, SECONDS, SIZE, RATE), RATE)
        options = {"segment_seconds": 0.25, "strength": "strong"}
        _, self.master = publish_master(service, film, folder, **options)
        for guest in GUESTS:
            service.link(self.master, autograph_tag=guest)
        copy = folder / "copy.mp4"
        copy.write_bytes(httpx.get(service.link(self.master, autograph_tag=LEAKER)).content)
        self.path = write_film(folder / "leak.mkv", _shrunk(copy), RATE, crf=28)
        self.other = write_film(folder / "other.mp4", textured(2, 6, SIZE, RATE), RATE)

    def trace(self, path: Path) -> dict[str, Any]:
        """Ask for a trace of a file."""
        self.service.put_in(path)
        body = {
            "pipeline": {"id": self.service.pipeline_id},
            "input": {"input_name": path.name},
        }
        answer = self.service.call("POST", "/backtraces/", json={"backtrace": body})
        assert answer.status_code == 201, answer.text
        return dict(answer.json()["backtrace"])

    def ended(self, backtrace: dict[str, Any]) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            shown = self.show(backtrace)
            return shown if shown["status"] in {"SUCCESS", "FAILURE"} else None

        return until(look, 100.0, "the trace to end")

    def show(self, backtrace: dict[str, Any]) -> dict[str, Any]:
        answer = self.service.call("GET", f"/backtraces/{backtrace['id']}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["backtrace"])


def _shrunk(path: Path) -> Iterator[Luma]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            luma = frame.to_ndarray()[: frame.height, : frame.width]
            yield cv2.resize(luma[10:170, 30:310], (210, 120), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def leaked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leaked]:
    folder = tmp_path_factory.mktemp("leaked")
    with running(folder) as service:
        yield Leaked(service, folder)


def test_the_service_names_the_recipient_and_shows_why(leaked: Leaked) -> None:
    found = leaked.ended(leaked.trace(leaked.path))
    assert found["status"] == "SUCCESS", found
    assert found["extracted_data"]["autograph_tag"] == LEAKER
    assert found["extracted_data"]["recipients"][0]["probability"] <= 1e-6
    assert found["extracted_data"]["tags_scored"] == 1 + len(GUESTS)
    assert found["master"]["id"] == leaked.master
    page = httpx.get(found["report"]["html"])
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "sandbox" in page.headers["Content-Security-Policy"]
    assert "Zoë &lt;b&gt;🎬&lt;/b&gt;" in page.text
    document = msgspec.json.decode(httpx.get(found["report"]["json"]).content, type=TraceDocument)
    assert document.report.accused[0].tag == LEAKER
    assert document.leak_name == "leak.mkv"
    assert [copy.tag for copy in document.copies] == [LEAKER]
    assert len(document.symbols[0]) == len(document.report.segments)
    told = [
        segment.likelihoods[symbol] == 1.0
        for segment, symbol in zip(document.report.segments, document.symbols[0], strict=True)
        if min(segment.likelihoods) < 0.3
    ]
    assert len(told) > 20
    assert sum(told) > 0.9 * len(told)


def test_another_film_names_nobody(leaked: Leaked) -> None:
    found = leaked.ended(leaked.trace(leaked.other))
    assert found["status"] == "SUCCESS", found
    assert found["extracted_data"]["verdict"] == "insufficient evidence"
    assert "autograph_tag" not in found["extracted_data"]
    assert "master" not in found


def test_the_command_line_names_the_recipient(leaked: Leaked, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    command = [sys.executable, "-m", "countermark", "trace", str(leaked.path)]
    command += ["--master", leaked.master, "--json", "-", "--html", str(page)]
    done = subprocess.run(command, env=leaked.service.environ, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert LEAKER in done.stderr.decode()
    document = msgspec.json.decode(done.stdout, type=TraceDocument)
    assert document.report.accused[0].tag == LEAKER
    assert "Zoë &lt;b&gt;🎬&lt;/b&gt;" in page.read_text()


def test_an_unknown_master_is_an_error_in_one_line(leaked: Leaked) -> None:
    command = [sys.executable, "-m", "countermark", "trace", str(leaked.path), "--master", "0" * 24]
    done = subprocess.run(command, env=leaked.service.environ, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"no AutoGraph master has the id" in done.stderr


def test_a_trace_outlives_the_death_of_the_service(leaked: Leaked) -> None:
    backtrace = leaked.trace(leaked.path)
    until(lambda: leaked.show(backtrace)["status"] != "QUEUED")
    leaked.service.kill()
    leaked.service.start()
    found = leaked.ended(backtrace)
    assert found["extracted_data"]["autograph_tag"] == LEAKER


def test_a_trace_that_is_deleted_ends(leaked: Leaked) -> None:
    backtrace = leaked.trace(leaked.path)
    until(lambda: leaked.show(backtrace)["status"] != "QUEUED")
    path = f"/backtraces/{backtrace['id']}"
    assert leaked.service.call("DELETE", path).status_code == 204
    assert leaked.service.call("GET", path).status_code == 404
    folder = leaked.service.data_dir / "spool" / "backtraces" / backtrace["id"]
    until(lambda: not folder.exists())
