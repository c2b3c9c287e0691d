"""What edges sent is in the statistics, whatever edges die."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.service import Service, descendants, running, until

pytestmark = pytest.mark.e2e
SIZE = 3_000_000


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("accounting"), edges=2) as service:
        yield service


@pytest.fixture
def file(service: Service, tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "data.bin"
    path.write_bytes(os.urandom(SIZE))
    return service.put_in(path)


def delivered(service: Service) -> int:
    answer = service.call("GET", "/stats/bandwidth/")
    return int(answer.json()["bandwidth"]["bytes_delivered"])


def edges(service: Service) -> list[int]:
    assert service.process is not None
    return [
        pid
        for pid in descendants(service.process.pid)
        if b"serve\0edge" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def test_ranges_over_two_edges_are_one_download(service: Service, file: dict[str, Any]) -> None:
    before, link = delivered(service), service.link(file["id"])
    step = SIZE // 20
    for start in range(0, SIZE, step):
        # A connection for each, so that the kernel spreads them over the edges.
        answer = httpx.get(link, headers={"Range": f"bytes={start}-{start + step - 1}"})
        assert answer.status_code == 206
    until(lambda: delivered(service) - before == SIZE)
    until(lambda: service.file(file["id"]).get("download_count") == 1)


def test_killed_edges_lose_nothing_but_their_last_second(
    service: Service, file: dict[str, Any]
) -> None:
    before, link = delivered(service), service.link(file["id"])
    half = {"Range": f"bytes=0-{SIZE // 2 - 1}"}
    with httpx.stream("GET", link) as answer:
        assert answer.status_code == 200
        assert httpx.get(link, headers=half).status_code == 206
        # Appended by the edges, and so safe from what follows.
        until(lambda: delivered(service) - before >= SIZE // 2)
        for pid in edges(service):
            os.kill(pid, signal.SIGKILL)
    until(lambda: _answers(service), what="new edges")
    rest = {"Range": f"bytes={SIZE // 2}-"}
    assert httpx.get(link, headers=rest).status_code == 206
    until(lambda: delivered(service) - before >= SIZE)
    until(lambda: service.file(file["id"]).get("download_count") == 1)


def _answers(service: Service) -> bool:
    try:
        return httpx.get(f"{service.edge}/ready").status_code == 200
    except httpx.TransportError:
        return False


def test_a_second_client_of_a_guarded_link_is_on_record(
    service: Service, file: dict[str, Any]
) -> None:
    link = service.link(file["id"], anti_fraud="true")
    assert httpx.get(link).status_code == 200
    with httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.2")) as other:
        assert [other.get(link).status_code for _ in range(2)] == [403, 403]

    def recorded() -> list[dict[str, Any]]:
        answer = service.call("GET", "/stats/refusals/", params={"file_id": file["id"]})
        return list(answer.json()["refusals"])

    until(lambda: sum(one["times"] for one in recorded()) == 2)
    (one,) = recorded()
    assert (one["address"], one["error_code"]) == ("127.0.0.2", "0x0250007")
