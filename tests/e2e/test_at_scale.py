"""The same service on PostgreSQL, S3 and Valkey: only settings differ."""

import base64
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from countermark.links.hmac_request import sign
from support.databases import PostgreSql
from support.media import make_video
from support.scale import running_at_scale
from support.service import Service, until

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def service(postgresql: PostgreSql, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_at_scale(tmp_path_factory.mktemp("scale"), postgresql) as service:
        yield service


def test_the_whole_way_works(service: Service, tmp_path: Path) -> None:
    video = make_video(tmp_path / "video.mp4", seconds=2.0)
    file = service.put_in(video, "films/video.mp4")
    assert file["video_tracks"][0]["video_codec"] == "H.264 / AVC"
    content = video.read_bytes()
    link = service.link(file["id"])
    assert service.http.get(link).content == content
    part = service.http.get(link, headers={"Range": "bytes=1000-4999"})
    assert (part.status_code, part.content) == (206, content[1000:5000])
    assert not list(service.data_dir.rglob("*.sqlite")), "nothing is kept on this machine"


def test_chunks_become_one_file(service: Service) -> None:
    upload = service.announce("chunks.bin")
    for number in (2, 0, 1):
        data = bytes([number]) * (300_000 + number)
        answer = service.post(upload, data, chunk=str(number), chunks="3")
        assert answer.status_code == 201
    assert service.finish(upload, nb_chunks=3).status_code == 200
    assert service.ended(upload)["status"] == "COMPLETED"
    content = service.http.get(service.link(upload["file"]["id"])).content
    assert content == b"".join(bytes([n]) * (300_000 + n) for n in range(3))


def test_a_signed_url_for_one_use_works_once(service: Service) -> None:
    file = service.call("GET", "/files/", params={"type": "file"}).json()["files"][0]
    target = _signed(service, file["id"])
    answers = [httpx.get(service.api.removesuffix("/v1") + target) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 403, 403]


def test_a_deleted_file_is_gone_everywhere(service: Service) -> None:
    upload = service.announce("gone.txt")
    assert service.post(upload, b"soon gone").status_code == 201
    service.finish(upload)
    service.ended(upload)
    link = service.link(upload["file"]["id"])
    assert service.call("DELETE", f"/files/{upload['file']['id']}").status_code in {200, 204}
    until(lambda: service.http.get(link).status_code == 404, what="the link to end")


def _signed(service: Service, file_id: str) -> str:
    return sign(
        f"/v1/files/downloads/?file_id={file_id}",
        service.credentials["client_id"],
        base64.b64decode(service.credentials["client_secret"]),
        int(time.time()) + 600,
        multi_use=False,
    )
