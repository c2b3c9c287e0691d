"""A streaming link in headless Chromium: the picture moves, and seeking works."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from support.media import make_video
from support.programs import program
from support.service import Service, running, until

MEDIA = Path(__file__).parents[3] / "shared" / "media"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("browser")) as service:
        yield service


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    chromium = program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser.new_page()
        browser.close()


@pytest.mark.parametrize(
    "clip", ["generated", "big-buck-bunny-480p-30s.mp4", "car-detection-432p-30s.mp4"]
)
def test_a_clip_plays_and_seeks(service: Service, page: Page, clip: str, tmp_path: Path) -> None:
    path = MEDIA / clip
    if clip == "generated":
        path = make_video(tmp_path / "generated.mp4", seconds=8.0)
    elif not path.exists():
        pytest.skip("needs the shared clips")
    file = service.put_in(path)
    answer = page.goto(service.link(file["id"], streaming="true"))
    assert answer is not None
    assert answer.status in {200, 206}
    state = _play_and_seek(page, file["duration"] / 2000)
    assert state["error"] is None
    assert state["duration"] == pytest.approx(file["duration"] / 1000, abs=0.2)
    assert state["width"] == file["video_tracks"][0]["width"]
    assert state["after_play"] > 0
    assert state["after_seek"] > file["duration"] / 2000


def _play_and_seek(page: Page, seconds: float) -> dict[str, Any]:
    """Play until time passes, seek, play until time passes again."""
    return dict(
        page.evaluate(
            """async (target) => {
              const video = document.querySelector('video');
              const passes = (from) => new Promise((done, fail) => {
                video.onerror = () => fail(video.error.message);
                video.ontimeupdate = () => { if (video.currentTime > from) done(); };
              });
              video.muted = true;
              await video.play();
              await passes(0);
              const after_play = video.currentTime;
              video.currentTime = target;
              await passes(target);
              return {
                error: video.error && video.error.message, duration: video.duration,
                width: video.videoWidth, after_play, after_seek: video.currentTime,
              };
            }""",
            seconds,
        )
    )


def test_a_wrong_link_shows_a_readable_page(service: Service, page: Page, tmp_path: Path) -> None:
    file = service.put_in(make_video(tmp_path / "small.mp4", seconds=1.0))
    link = service.link(file["id"], streaming="true")
    answer = page.goto(link.replace("/d/", "/d/A"))
    assert answer is not None
    assert answer.status == 403
    assert "0x0250001" in page.inner_text("body")


def test_a_video_opens_in_a_player_with_poster_subtitles_and_keyboard(
    service: Service, page: Page, tmp_path: Path
) -> None:
    film = make_video(tmp_path / "film.mp4", seconds=20.0, subtitles=True, language="ger")
    file = service.put_in(film)
    outside: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: outside.append(request.url))
    page.on("console", lambda message: errors.append(message.text))
    link = service.link(file["id"], streaming="true")
    page.goto(link)
    assert page.title() == "film.mp4"
    found = page.evaluate(_SHOWN)
    assert found == {"poster": 320, "label": "German", "cues": ["Hello"]}
    page.keyboard.press("5")
    until(lambda: page.evaluate(_TIME) >= 9.9)
    page.keyboard.press("ArrowRight")
    until(lambda: page.evaluate(_TIME) >= 14.9)
    page.keyboard.press("m")
    page.keyboard.press("k")
    until(lambda: page.evaluate(_TIME) > 15.3)
    assert page.evaluate("document.querySelector('video').muted")
    assert all(url.startswith((link, "data:")) for url in outside)
    assert not [text for text in errors if "Content Security Policy" in text]


_TIME = "document.querySelector('video').currentTime"
_SHOWN = """async () => {
  const video = document.querySelector('video');
  const picture = new Image();
  picture.src = video.poster;
  await picture.decode();
  const track = video.textTracks[0];
  const element = document.querySelector('track');
  const loaded = new Promise((done, fail) => { element.onload = done; element.onerror = fail; });
  track.mode = 'showing';
  await loaded;
  return {
    poster: picture.naturalWidth, label: track.label, cues: [...track.cues].map((one) => one.text),
  };
}"""
