"""Conversion jobs from end to end: a real service, real media, real processes."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.jobs import JobClient
from support.media import make_image, make_video
from support.service import running

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobClient]:
    with running(tmp_path_factory.mktemp("jobs")) as service:
        yield JobClient(service)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("media") / "Käse.mp4", seconds=2.0)


@pytest.fixture(scope="module")
def source(hub: JobClient, video: Path) -> dict[str, Any]:
    return hub.service.put_in(video, "films/Käse.mp4")


def test_an_upload_becomes_two_outputs_in_a_folder_of_the_job(
    hub: JobClient, source: dict[str, Any]
) -> None:
    job = hub.done(hub.create("films/Käse.mp4", ["h264-360p", "audio-aac"], user_data="mine"))
    assert job["status"] == "SUCCESS", job
    assert job["percentage_completed"] == 100
    assert job["input"]["file"]["id"] == source["id"]
    small, sound = (hub.service.file(one["file"]["id"]) for one in job["outputs"])
    assert (small["name"], small["mime_type"]) == ("Käse_h264-360p.mp4", "video/mp4")
    assert small["job"]["id"] == job["id"]
    assert small["video_tracks"][0]["video_codec"] == "H.264 / AVC"
    assert small["duration"] == pytest.approx(2000, abs=100)
    assert sound["video_tracks"] if "video_tracks" in sound else sound["subtype"] == "audio"
    assert [one["id"] for one in small["parents"]] == [job["folder"]["id"]]
    archive = hub.service.file(job["archive"]["id"])
    assert [one["id"] for one in archive["elements"]] == [small["id"], sound["id"]]
    assert hub.service.http.get(hub.service.link(small["id"])).status_code == 200


def test_thumbnails_come_as_a_zip_and_what_players_show_as_files_of_their_own(
    hub: JobClient, source: dict[str, Any]
) -> None:
    thumbnails = [{"thumbnail_preset": "thumbnails_small"}, {"thumbnail_preset": "sprite"}]
    thumbnails[0]["settings"] = {"number": 3, "poster": True}
    job = hub.create("films/Käse.mp4", ["h264-360p"], output_options={"thumbnails": thumbnails})
    job = hub.done(job)
    assert job["status"] == "SUCCESS", job
    (output,) = job["outputs"]
    archive = hub.service.file(output["thumbnail_zip"]["file"]["id"])
    assert (archive["type"], archive["subtype"]) == ("file", "zip")
    assert archive["expires_at"] > archive["created_at"]
    content = hub.service.http.get(hub.service.link(archive["id"])).content
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        names = opened.namelist()
    assert [name for name in names if name.startswith("1/thumb_160x90_")] == [
        f"1/thumb_160x90_000{number}.jpg" for number in (1, 2, 3)
    ]
    images = [hub.service.file(one["file"]["id"]) for one in output["images"]]
    assert {image["name"] for image in images} == {
        name.rpartition("/")[2] for name in names if "thumb_" not in name
    }
    assert "text/vtt" in {image["mime_type"] for image in images}


def test_a_logo_lies_on_the_output(hub: JobClient, source: dict[str, Any], tmp_path: Path) -> None:
    hub.service.put_in(make_image(tmp_path / "logo.png", codec="png"), "logo.png")
    logos = [{"logo_image": "logo.png", "logo_preset": "logo_30_bottom_right"}]
    job = hub.done(hub.create("films/Käse.mp4", ["h264-360p"], output_options={"logos": logos}))
    assert job["status"] == "SUCCESS", job
