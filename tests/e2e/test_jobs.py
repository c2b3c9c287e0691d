"""Conversion jobs from end to end: a real service, real media, real processes."""

import io
import random
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from countermark.work.notify import signature
from support.elsewhere import http_server
from support.jobs import JobClient
from support.media import damaged_video, make_bomb, make_encrypted, make_image, make_video
from support.service import running, until

pytestmark = pytest.mark.e2e
_MOST_BYTES = 100 << 20


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobClient]:
    given = {"internal_addresses": "allow", "max_upload_bytes": str(_MOST_BYTES)}
    with running(tmp_path_factory.mktemp("jobs"), **given) as service:
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


def test_a_part_of_the_input_is_made_smaller_with_a_logo_on_it(
    hub: JobClient, source: dict[str, Any], tmp_path: Path
) -> None:
    hub.service.put_in(make_image(tmp_path / "logo.png", codec="png"), "logo.png")
    options = {
        "logos": [{"logo_image": "logo.png", "logo_preset": "logo_30_bottom_right"}],
        "settings": {"video": {"width": "50%"}},
    }
    part = {"input_name": "films/Käse.mp4", "start_time": 0.5, "duration": 1.0}
    job = hub.done(hub.create("", ["h264-360p"], output_options=options, input=part))
    assert job["status"] == "SUCCESS", job
    file = hub.service.file(job["outputs"][0]["file"]["id"])
    assert file["duration"] == pytest.approx(1000, abs=100)
    assert file["video_tracks"][0]["width"] == source["video_tracks"][0]["width"] // 2


def test_how_far_a_job_is_can_be_followed_to_its_end(
    hub: JobClient, source: dict[str, Any]
) -> None:
    job = hub.create("films/Käse.mp4", ["h264-360p"])
    url = f"{hub.service.api}/jobs/{job['id']}/events"
    headers = {"Authorization": f"Bearer {hub.service.token}"}
    with hub.service.http.stream("GET", url, headers=headers, timeout=100) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        lines = list(answer.iter_lines())
    events = [
        msgspec.json.decode(line.removeprefix("data: "))["job"]
        for line in lines
        if line.startswith("data: ")
    ]
    assert [event["id"] for event in events] == [job["id"]] * len(events)
    assert (events[-1]["status"], events[-1]["percentage_completed"]) == ("SUCCESS", 100)
    last = [line.removeprefix("id: ") for line in lines if line.startswith("id: ")][-1]
    again = hub.service.http.get(url, headers=headers | {"Last-Event-ID": last})
    assert again.status_code == 204


def test_a_job_that_runs_is_cancelled_leaves_nothing_and_can_be_tried_again(
    hub: JobClient, tmp_path: Path
) -> None:
    hub.service.put_in(make_video(tmp_path / "long.mp4", seconds=60.0), "long.mp4")
    job = hub.create("long.mp4", ["av1-720p"])
    until(lambda: hub.show(job)["status"] == "ENCODING", 60, "the job to run")
    assert hub.service.call("DELETE", f"/jobs/{job['id']}").status_code == 409
    assert hub.service.call("POST", f"/jobs/{job['id']}/cancel").status_code == 200
    ended = hub.done(job)
    assert (ended["status"], ended["error_code"]) == ("FAILURE", "0x0220004")
    until(lambda: not list(hub.service.data_dir.glob("spool/jobs/*")), 30, "the work to be gone")
    listed = hub.service.call("GET", "/files/", params={"job.id": job["id"]}).json()
    assert listed["total"] == 0
    again = hub.service.call("POST", f"/jobs/{job['id']}/retry").json()["job"]
    assert (again["status"], again["attempt"]) == ("QUEUED", 2)
    hub.service.call("POST", f"/jobs/{job['id']}/cancel")
    assert hub.done(job)["status"] == "FAILURE"
    assert hub.service.call("DELETE", f"/jobs/{job['id']}").status_code == 204
    assert hub.service.call("GET", f"/jobs/{job['id']}").status_code == 404


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("text.mp4", "0x0260001"),
        ("zero.mp4", "0x0260001"),
        ("cut.mp4", "0x0260001"),  # what it is stood at its end
        ("cut.mkv", "0x0260002"),
        ("picture.png", "0x0260001"),
        ("noise.mkv", "0x0260001"),
        ("encrypted.mp4", "0x0260003"),
        ("bomb.mov", "0x0260002"),  # of 4 gigapixels, it says
    ],
)
def test_what_cannot_be_converted_fails_with_a_reason_and_leaves_nothing(
    hub: JobClient, video: Path, tmp_path: Path, name: str, code: str
) -> None:
    path = tmp_path / name
    match name:
        case "picture.png":
            make_image(path, codec="png")
        case "cut.mp4":
            path.write_bytes(video.read_bytes()[: video.stat().st_size // 3])
        case "cut.mkv":
            whole = make_video(tmp_path / "whole.mkv", seconds=4.0).read_bytes()
            path.write_bytes(whole[: len(whole) // 2])
        case "zero.mp4":
            path.write_bytes(b"")
        case "text.mp4":
            path.write_bytes(b"this is no film\n" * 1000)
        case "encrypted.mp4":
            make_encrypted(path)
        case "bomb.mov":
            make_bomb(path)
        case _:
            path.write_bytes(random.Random(1).randbytes(100_000))  # noqa: S311 - repeatable
    hub.service.put_in(path, f"bad/{name}")
    before = hub.blobs()
    job = hub.done(hub.create(f"bad/{name}", ["h264-360p"]))
    assert job["status"] == "FAILURE"
    assert job["error_code"] == code, job
    assert job["error_msg"].endswith(".")
    until(lambda: hub.blobs() == before, 30, "only what was there before to be there")


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"output_prefix": "../{job_id}"}, "segment"),
        ({"output_prefix": "{secret}"}, "unknown"),
        ({"outputs": []}, "length"),
        ({"priority": 1000}, "priority"),
        ({"autograph": {"watermark_strength": "loud"}}, "watermark_strength"),
    ],
)
def test_a_job_that_makes_no_sense_is_refused_at_once(
    hub: JobClient, source: dict[str, Any], change: dict[str, Any], detail: str
) -> None:
    job = {
        "pipeline": {"id": hub.service.pipeline_id},
        "input": {"input_name": "films/Käse.mp4"},
        "outputs": [{"preset": {"id": hub.presets["h264-360p"]}}],
    }
    answer = hub.service.call("POST", "/jobs/", json={"job": job | change})
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["error_code"] == "0x0220001"
    assert detail in error["error_detail"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"pipeline": {"id": "0" * 24}}, "0x0210002"),
        ({"input": {"input_name": "nowhere.mp4"}}, "0x0220006"),
        ({"outputs": [{"preset": {"id": "0" * 24}}]}, "0x0270002"),
    ],
)
def test_a_job_of_what_is_not_there_is_refused_at_once(
    hub: JobClient, source: dict[str, Any], change: dict[str, Any], code: str
) -> None:
    job = {
        "pipeline": {"id": hub.service.pipeline_id},
        "input": {"input_name": "films/Käse.mp4"},
        "outputs": [{"preset": {"id": hub.presets["h264-360p"]}}],
    }
    answer = hub.service.call("POST", "/jobs/", json={"job": job | change})
    assert (answer.status_code, answer.json()["error"]["error_code"]) == (404, code)


def test_an_input_elsewhere_is_fetched_and_becomes_a_file_with_the_jobs_success(
    hub: JobClient, video: Path
) -> None:
    async def serve(request: web.Request) -> web.StreamResponse:
        return (
            web.FileResponse(video) if request.path == "/far/away.mp4" else web.Response(status=404)
        )

    with http_server(serve) as url:
        secret = url.replace("http://", "http://user:secret@")
        good = hub.create(f"{secret}/far/away.mp4", ["audio-aac"])
        bad = hub.create(f"{url}/far/nothing.mp4", ["audio-aac"])
        good, bad = hub.done(good), hub.done(bad)
    assert good["status"] == "SUCCESS", good
    assert "secret" not in good["input"]["input_name"]
    assert hub.service.file(good["input"]["file"]["id"])["name"] == "away.mp4"
    assert (bad["status"], bad["error_code"]) == ("FAILURE", "0x0280004")
    assert "file" not in bad["input"]


def test_a_source_without_end_fails_with_a_reason_and_leaves_nothing(hub: JobClient) -> None:
    async def serve(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(bytes(1 << 20))

    before = hub.blobs()
    with http_server(serve) as url:
        job = hub.done(hub.create(f"{url}/endless.mp4", ["h264-360p"]))
    assert (job["status"], job["error_code"]) == ("FAILURE", "0x0280005"), job
    assert str(_MOST_BYTES) in job["error_msg"]
    until(lambda: hub.blobs() == before, 30, "only what was there before to be there")


def test_a_pipeline_fetches_sends_keeps_and_tells_as_it_says(
    hub: JobClient, tmp_path: Path
) -> None:
    damaged = damaged_video(tmp_path / "a.mov", lambda number: number in {40, 41})
    told: list[tuple[str, dict[str, Any]]] = []
    sent: dict[str, bytes] = {}

    async def serve(request: web.Request) -> web.StreamResponse:
        if request.path == "/in/my film #1.mov" and request.query_string == "key=secret":
            return web.FileResponse(damaged)
        if request.path.startswith("/out/") and request.query_string == "key=secret":
            sent[request.path] = await request.read()
            return web.Response(status=201)
        if request.method != "POST":
            return web.Response(status=404)
        body = await request.read()
        given = request.headers["Countermark-Signature"]
        assert given == signature(body, hub.secret, int(given[2:].partition(",")[0]) * 1000)
        told.append((request.path, msgspec.json.decode(body)["job"]))
        return web.Response()

    with http_server(serve) as url:
        pings = {event: f"{url}/{event}" for event in ("started", "warning", "error", "finished")}
        pipeline = {
            "name": "elsewhere",
            "input_download_dir": f"{url}/in?key=secret",
            "output_upload_dir": f"{url}/out?key=secret",
            "store_options": {"mode": "temporary"},
            "default_object_timeout": 3600,
            "ping_urls": pings,
        }
        answer = hub.service.call("POST", "/pipelines/", json={"pipeline": pipeline})
        assert "secret" not in answer.text
        with hub.in_pipeline(answer.json()["pipeline"]["id"]):
            good = hub.done(hub.create("my film #1.mov", ["h264-360p"]))
            bad = hub.done(hub.create("none.mov", ["h264-360p"]))
            half = hub.done(hub.create("my film #1.mov", ["h264-360p", "audio-aac"]))
        until(lambda: len(told) >= 7, 30, "all events to be told")
    assert good["status"] == "SUCCESS", good
    assert good["warnings"] == ["2 damaged pictures were left out."]
    file = hub.service.file(good["outputs"][0]["file"]["id"])
    content = hub.service.http.get(hub.service.link(file["id"])).content
    assert sent == {f"/out/{good['id']}/my film #1.mp4": content}
    for one in (file, hub.service.file(good["input"]["file"]["id"])):
        assert one["expires_at"] == pytest.approx(good["finished_at"] + 3_600_000, abs=60_000)
        for reference in ("pipeline", "application", "user"):
            assert one[reference] == good[reference]
        assert one["job"]["id"] == good["id"]
    assert (bad["status"], bad["error_code"]) == ("FAILURE", "0x0280004")
    assert (half["status"], half["error_code"]) == ("FAILURE", "0x0260004")
    assert sorted((job["id"], path, job["status"] == "SUCCESS") for path, job in told) == sorted(
        [
            (good["id"], "/started", False),
            (good["id"], "/warning", True),
            (good["id"], "/finished", True),
            (bad["id"], "/started", False),
            (bad["id"], "/error", False),
            (half["id"], "/started", False),
            (half["id"], "/error", False),
        ]
    )
    assert "key=secret" not in hub.service.log.read_text()


def test_a_download_that_runs_outlives_its_file(hub: JobClient, tmp_path: Path) -> None:
    content = random.Random(7).randbytes(64 << 20)  # noqa: S311 - repeatable; more than sockets hold
    path = tmp_path / "noise.bin"
    path.write_bytes(content)
    before = hub.blobs()
    file = hub.service.put_in(path, expires_at=str(int(time.time()) + 3))
    (blob,) = hub.blobs() - before
    with hub.service.http.stream("GET", hub.service.link(file["id"]), timeout=60) as answer:
        pieces = answer.iter_bytes()
        received = next(pieces)
        until(lambda: blob not in hub.blobs(), 30, "the file to be pruned")
        shown = hub.service.call("GET", f"/files/{file['id']}")
        assert shown.status_code == 404
        received += b"".join(pieces)
    assert received == content
