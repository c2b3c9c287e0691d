"""Recipients' copies, fetched from a running service, in players that we didn't write."""

import subprocess
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from random import Random
from typing import Any

import av
import httpx
import pytest
from playwright.sync_api import ConsoleMessage, Page, sync_playwright

from countermark.media.strict import flawless_pictures
from support.masters import publish_master
from support.media import make_video
from support.programs import program
from support.service import Service, running

SECONDS, RATE = 6, 24
FRAMES = SECONDS * RATE
TAGS = [f"recipient {number}" for number in range(50)]
SEEKS_EACH = 4
AT_ONCE = 10
FLAGS = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]

pytestmark = pytest.mark.e2e


class Copies:
    """The copies of one master for 50 recipients: their links, and their bytes."""

    def __init__(self, service: Service, folder: Path) -> None:
        film = make_video(folder / "film.mp4", seconds=SECONDS, size=(160, 90), rate=RATE)
        self.size, self.file_id = publish_master(service, film, folder)
        self.links = [service.link(self.file_id, autograph_tag=tag) for tag in TAGS]
        self.page = service.link(self.file_id, streaming="true")
        self.paths = []
        for number, link in enumerate(self.links):
            answer = httpx.get(link)
            assert answer.status_code == 200
            assert len(answer.content) == self.size
            path = folder / f"copy {number}.mp4"
            path.write_bytes(answer.content)
            self.paths.append(path)


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copies]:
    folder = tmp_path_factory.mktemp("playback")
    with running(folder) as service:
        yield Copies(service, folder)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    chromium = program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser.new_page()
        browser.close()


def test_copies_differ_and_have_the_listed_size(copies: Copies) -> None:
    contents = {path.read_bytes() for path in copies.paths}
    assert len(contents) > 30
    assert {len(content) for content in contents} == {copies.size}


def test_every_copy_decodes_whole_and_without_a_warning(copies: Copies) -> None:
    for path in copies.paths:
        with FileIO(path) as file:
            assert sum(1 for _ in flawless_pictures(file)) == FRAMES
        with av.open(str(path)) as container:
            assert sum(frame.samples for frame in container.decode(audio=0)) > 40_000 * SECONDS


def test_every_copy_decodes_in_ffmpeg_without_a_warning(copies: Copies) -> None:
    ffmpeg = program("ffmpeg")
    for at in range(0, len(TAGS), AT_ONCE):
        paths = copies.paths[at : at + AT_ONCE]
        inputs = [word for path in paths for word in ("-i", str(path))]
        maps = [word for number in range(len(paths)) for word in ("-map", str(number))]
        command = [ffmpeg, "-v", "warning", "-xerror", *inputs, *maps, "-f", "null", "-"]
        done = subprocess.run(command, capture_output=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_seek_over_http_shows_the_frame_of_the_whole_copy(copies: Copies) -> None:
    random = Random(5)  # noqa: S311 - a test repeats
    for link, path in zip(copies.links, copies.paths, strict=True):
        with av.open(str(path)) as container:
            whole = {frame.pts: bytes(frame.planes[0]) for frame in container.decode(video=0)}
        with av.open(link) as container:
            stream = container.streams.video[0]
            for _ in range(SEEKS_EACH):
                wanted = random.choice(list(whole))
                container.seek(wanted, stream=stream)
                shown = next(one for one in container.decode(video=0) if one.pts == wanted)
                assert bytes(shown.planes[0]) == whole[wanted]


def test_every_copy_plays_and_seeks_in_chromium_without_a_warning(
    copies: Copies, page: Page
) -> None:
    said: list[Any] = []
    page.on("console", lambda message: said.append(_said(message)))
    media = page.context.new_cdp_session(page)
    media.on("Media.playerErrorsRaised", lambda event: said.append(event["errors"]))
    media.on("Media.playerMessagesLogged", lambda event: said.append(_grave(event)))
    page.goto(copies.page)
    media.send("Media.enable")
    random = Random(7)  # noqa: S311 - a test repeats
    for at in range(0, len(TAGS), AT_ONCE):
        jobs = [
            {"link": link, "places": [random.uniform(0, SECONDS) for _ in range(SEEKS_EACH)]}
            for link in copies.links[at : at + AT_ONCE]
        ]
        for job, found in zip(jobs, page.evaluate(_PLAY, jobs), strict=True):
            assert found["duration"] == pytest.approx(SECONDS, abs=0.1)
            assert found["landed"] == pytest.approx(job["places"], abs=1 / RATE)
            assert found["corrupted"] == 0
            assert found["frames"] > 0
    assert not any(said), said


def _said(message: ConsoleMessage) -> str:
    return "" if message.location["url"].endswith("/favicon.ico") else message.text


def _grave(event: dict[str, Any]) -> list[str]:
    return [one["message"] for one in event["messages"] if one["level"] in {"error", "warning"}]


_PLAY = """async (jobs) => Promise.all(jobs.map(async ({link, places}) => {
  const video = document.createElement('video');
  const once = (name) => new Promise((done, fail) => {
    video.addEventListener(name, done, {once: true});
    video.addEventListener('error', () => fail(video.error.message), {once: true});
  });
  const loaded = once('loadeddata');
  video.muted = true;
  video.src = link;
  document.body.append(video);
  await loaded;
  const landed = [];
  for (const place of [...places, 0]) {
    const seeked = once('seeked');
    video.currentTime = place;
    await seeked;
    landed.push(video.currentTime);
  }
  landed.pop();
  const ended = once('ended');
  video.playbackRate = 16;
  await video.play();
  await ended;
  const quality = video.getVideoPlaybackQuality();
  const { duration } = video;
  video.remove();
  return {
    duration, landed, corrupted: quality.corruptedVideoFrames, frames: quality.totalVideoFrames,
  };
}))"""
