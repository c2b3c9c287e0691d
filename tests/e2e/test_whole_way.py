"""The whole way of a video, through real processes and clients that we didn't write."""

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.media import make_video
from support.programs import program
from support.service import Service, running

MEDIA = Path(__file__).parents[3] / "shared" / "media"
CLIPS = ["big-buck-bunny-480p-30s.mp4", "car-detection-432p-30s.mp4"]

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("whole-way"), edges=2) as service:
        yield service


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("video") / "Käse & Wein.mp4", seconds=4.0)


@pytest.fixture(scope="module")
def file_id(service: Service, video: Path) -> str:
    return str(service.put_in(video, "films/Käse & Wein.mp4")["id"])


def test_an_upload_is_understood(service: Service, video: Path, file_id: str) -> None:
    file = service.file(file_id, bin_data="true")
    assert file["name"] == "Käse & Wein.mp4"
    assert file["title"] == "Käse & Wein"
    assert file["container"] == "ISO MP4/M4A"
    assert file["mime_type"] == "video/mp4"
    assert file["subtype"] == "video"
    assert file["size"] == video.stat().st_size == file["size_on_disk"]
    assert file["md5_checksum"] == hashlib.md5(video.read_bytes()).hexdigest()  # noqa: S324 - compared
    assert file["duration"] == pytest.approx(4000, abs=100)
    (track,) = file["video_tracks"]
    assert track["video_codec"] == "H.264 / AVC"
    assert (track["width"], track["height"], track["aspect_ratio"]) == (320, 180, "1:1")
    (sound,) = file["audio_tracks"]
    assert sound["audio_codec"] == "MPEG-4 AAC"
    assert file["thumbnail"].startswith("data:image/jpeg;base64,")


def test_it_is_listed_in_its_folder(service: Service, file_id: str) -> None:
    listed = service.call("GET", "/files/", params={"type": "file"}).json()
    assert file_id in [file["id"] for file in listed["files"]]
    (parent,) = service.file(file_id)["parents"]
    folder = service.file(parent["id"])
    assert (folder["type"], folder["name"]) == ("folder", "films")


@pytest.mark.parametrize("redirect", ["false", "true"])
def test_curl_fetches_it(
    service: Service, video: Path, file_id: str, tmp_path: Path, redirect: str
) -> None:
    url = f"{service.api}/files/downloads/?file_id={file_id}&redirect=true"
    if redirect == "false":
        url = service.link(file_id)
    headers = ["-H", f"Authorization: Bearer {service.token}"] if redirect == "true" else []
    command = [program("curl"), "-sSfL", *headers, "-o", "out", url]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert (tmp_path / "out").read_bytes() == video.read_bytes()


def test_wget_resumes_and_names_it(
    service: Service, video: Path, file_id: str, tmp_path: Path
) -> None:
    content = video.read_bytes()
    target = tmp_path / "Käse & Wein.mp4"
    target.write_bytes(content[: len(content) // 3])
    command = [program("wget"), "-q", "-c", service.link(file_id)]
    subprocess.run(command, cwd=tmp_path, check=True, env={"LC_ALL": "C.UTF-8"})
    assert target.read_bytes() == content


def test_aria2c_fetches_it_with_16_connections(
    service: Service, video: Path, file_id: str, tmp_path: Path
) -> None:
    command = [program("aria2c", "aria2"), "-q", "-x16", "-s16", "-k1M", "--min-split-size=1M"]
    large = tmp_path / "large.bin"
    large.write_bytes(video.read_bytes() * (1 + (24 << 20) // video.stat().st_size))
    link = service.link(service.put_in(large)["id"])
    subprocess.run([*command, "-o", "out", link], cwd=tmp_path, check=True)
    assert (tmp_path / "out").read_bytes() == large.read_bytes()


def test_ffmpeg_plays_it_from_the_middle(service: Service, file_id: str) -> None:
    link = service.link(file_id, streaming="true")
    command = [program("ffmpeg"), "-v", "error", "-ss", "2", "-i", link, "-f", "null", "-"]
    done = subprocess.run(command, check=True, capture_output=True)
    assert done.stderr == b""


def test_a_link_bound_to_another_address_is_refused(service: Service, file_id: str) -> None:
    assert service.http.get(service.link(file_id, ip="3232236033")).status_code == 403
    assert service.http.get(service.link(file_id, ip="127.0.0.1")).status_code == 200


@pytest.mark.parametrize("clip", CLIPS)
def test_a_real_clip_probes_as_ffprobe_says(service: Service, clip: str) -> None:
    path = MEDIA / clip
    if not path.exists():
        pytest.skip("needs the shared clips")
    query = "stream=codec_type,width,height,sample_rate,channels:format=duration"
    command = [program("ffprobe", "ffmpeg"), "-v", "error", "-show_entries", query]
    done = subprocess.run(
        [*command, "-of", "default=nk=0:nw=1", str(path)], check=True, capture_output=True
    )
    said = dict(line.split("=", 1) for line in done.stdout.decode().split())
    file = service.put_in(path)
    (video,) = file["video_tracks"]
    (audio,) = file["audio_tracks"]
    assert (video["width"], video["height"]) == (int(said["width"]), int(said["height"]))
    assert audio["samplingrate"] == int(said["sample_rate"])
    assert audio["nb_channels"] == int(said["channels"])
    # FFmpeg's versions differ here: older ones repeat the movie header, which may count the
    # sound's padding; newer ones and we tell how long the tracks play by their edit lists.
    assert file["duration"] == pytest.approx(float(said["duration"]) * 1000, abs=60)
