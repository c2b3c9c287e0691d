"""The calls of a known client, exactly as it makes them: it mounts masters as a file system."""

from collections.abc import Iterator

import httpx
import pytest

from countermark.autograph.index import SIDECAR, decode
from countermark.storage.layout import file_key, sidecar_key
from support.jobs import JobClient
from support.media import make_video
from support.service import running

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobClient]:
    with running(tmp_path_factory.mktemp("client")) as service:
        yield JobClient(service)


@pytest.fixture(scope="module", autouse=True)
def jobs(hub: JobClient, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A master, and a job without one."""
    folder = tmp_path_factory.mktemp("films")
    film = make_video(folder / "Great Film.mp4", seconds=4.0)
    hub.service.put_in(film)
    master = hub.create(film.name, ["h264-360p"], autograph={"watermark_strength": "strong"})
    plain = hub.create(film.name, ["h264-360p"])
    for job in (master, plain):
        ended = hub.done(job)
        assert ended["status"] == "SUCCESS", ended
    return {"master": master["id"], "plain": plain["id"]}


def test_the_client_finds_a_master_and_reads_a_marked_copy(
    hub: JobClient, jobs: dict[str, str]
) -> None:
    http, base = hub.service.http, hub.service.api
    form = {
        "grant_type": "client_credential",
        "client_id": hub.service.credentials["client_id"],
        "client_secret": hub.service.credentials["client_secret"],
    }
    token = http.post(f"{base}/oauth2/token/", data=form).json()
    assert isinstance(token["expires_in"], int)
    headers = {"Authorization": f"Bearer {token['access_token']}"}

    url = (
        f"{base}/jobs/?status=SUCCESS&expand=file&autograph=true&start=0&limit=20"
        "&sort=created_at&direction=-1&input.file.name=gREAT+f"
    )
    page = http.get(url, headers=headers)
    assert page.status_code == 200, page.text
    assert page.json()["total"] == 1
    (job,) = page.json()["jobs"]
    assert job["id"] == jobs["master"]
    assert job["input"]["file"]["name"] == "Great Film.mp4"
    assert job["autograph"] == {"watermark_strength": "strong"}
    (output,) = job["outputs"]
    file = output["file"]
    assert (file["name"], file["mime_type"]) == ("Great Film.mp4", "video/mp4")
    assert file["size_on_disk"] == 2 * file["size"]
    index = hub.service.data_dir / "blobs" / sidecar_key(file_key(file["id"]), SIDECAR)
    assert decode(index.read_bytes()).strength == "strong"

    url = f"{base}/files/downloads/?file_id={file['id']}&autograph_tag=buyer-7&redirect=true"
    redirect = http.get(url, headers=headers)
    assert redirect.status_code == 302, redirect.text
    _check_reading(http, redirect.headers["Location"], file["size"])


def _check_reading(http: httpx.Client, link: str, size: int) -> None:
    head = http.head(link)
    assert head.status_code == 200
    assert head.headers["Accept-Ranges"] == "bytes"
    assert int(head.headers["Content-Length"]) == size
    whole = http.get(link).content
    assert len(whole) == size
    chunk = 65_536
    pieces = []
    for start in range(0, size, chunk):
        stop = min(start + chunk, size) - 1
        part = http.get(link, headers={"Range": f"bytes={start}-{stop}"})
        assert part.status_code == 206
        assert part.headers["Content-Range"] == f"bytes {start}-{stop}/{size}"
        pieces.append(part.content)
    assert b"".join(pieces) == whole


def test_the_client_may_leave_out_what_is_optional(hub: JobClient, jobs: dict[str, str]) -> None:
    page = hub.service.call("GET", "/jobs", params={"status": "SUCCESS", "expand": "file"}).json()
    assert [job["id"] for job in page["jobs"]] == [jobs["master"], jobs["plain"]]
    assert all(job["outputs"][0]["file"]["size"] > 0 for job in page["jobs"])


@pytest.mark.parametrize("what", ["nothing.mp4", "%", "great_film"])
def test_a_name_that_no_input_has_finds_nothing(hub: JobClient, what: str) -> None:
    page = hub.service.call("GET", "/jobs/", params={"input.file.name": what})
    assert (page.status_code, page.json()["jobs"]) == (200, [])
