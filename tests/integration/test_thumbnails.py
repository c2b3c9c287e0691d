"""Pictures from a video: each shows its time, in its place."""

import re
from pathlib import Path

import av
import pytest

from countermark.errors import MissingTrackError
from countermark.media.encoding_settings import ThumbnailSettings
from countermark.media.picture_size import Size
from countermark.media.sprite_map import LARGEST_SIDE, grid_for, sprite_map
from countermark.media.thumbnailing import MadeThumbnails, ThumbnailsRequest
from countermark.media.thumbnails import make_thumbnails
from support.media import luma_at, make_audio, make_video


def clock(second: float, _x: int, _y: int) -> int:
    """A luma that tells the time."""
    return 40 + int(second * 24 + 0.5) * 3


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_video(tmp_path / "a.mp4", luma=clock, audio=False, gop=12)


def make(source: Path, settings: ThumbnailSettings, **more: int) -> tuple[Path, MadeThumbnails]:
    folder = source.with_name("made")
    folder.mkdir()
    request = ThumbnailsRequest(str(source), str(folder), settings, **more)
    return folder, make_thumbnails(request, lambda _: None)


def picture(path: Path) -> av.VideoFrame:
    with av.open(str(path)) as container:
        return next(container.decode(video=0))


@pytest.mark.parametrize("format_", ["jpeg", "png"])
def test_images_show_even_times(clip: Path, format_: str) -> None:
    settings = ThumbnailSettings(number=4, width=160, format=format_)
    folder, made = make(clip, settings)
    assert made.times == (250, 750, 1250, 1750)
    assert sorted(path.name for path in folder.iterdir()) == list(made.images)
    for name, time in zip(made.images, made.times, strict=True):
        shown = picture(folder / name)
        assert (shown.width, shown.height) == (160, 90)
        assert luma_at(shown, 0.5, 0.5) == pytest.approx(clock(time / 1000, 0, 0), abs=4)


def test_an_interval_and_a_span_choose_the_times(clip: Path) -> None:
    settings = ThumbnailSettings(interval=250)
    folder, made = make(clip, settings, start_time=1000, duration=500)
    assert made.times == (125, 375)
    first = luma_at(picture(folder / made.images[0]), 0.5, 0.5)
    assert first == pytest.approx(clock(1.125, 0, 0), abs=4)


def test_a_turned_video_gives_upright_images(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mp4", seconds=0.2, audio=False, rotation=(90, False, False))
    folder, made = make(source, ThumbnailSettings(number=1, height=64))
    shown = picture(folder / made.images[0])
    assert (shown.width, shown.height) == (36, 64)


def test_a_sprite_map_leads_to_the_picture_of_each_time(clip: Path) -> None:
    settings = ThumbnailSettings(number=12, width=80, images=False, sprite=True)
    folder, made = make(clip, settings)
    assert made.images == ()
    assert (made.sprites, made.sprite_map) == (("sprite-01.jpg",), "sprite.vtt")
    sheet = picture(folder / "sprite-01.jpg")
    text = (folder / "sprite.vtt").read_text()
    cues = re.findall(r"^(\S+) --> \S+\nsprite-01.jpg#xywh=(\d+),(\d+),80,44$", text, re.MULTILINE)
    assert (len(cues), cues[0][0]) == (12, "00:00:00.000")
    assert text.startswith("WEBVTT\n\n")
    assert "--> 00:00:02.000" in text
    for time, (_, x, y) in zip(made.times, cues, strict=True):
        place = ((int(x) + 40) / sheet.width, (int(y) + 22) / sheet.height)
        assert luma_at(sheet, *place) == pytest.approx(clock(time / 1000, 0, 0), abs=6)


def test_a_poster_is_as_large_as_the_video(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mp4", size=(640, 360), seconds=0.5, audio=False)
    folder, made = make(source, ThumbnailSettings(images=False, poster=True))
    assert made == MadeThumbnails(poster="poster.jpg")
    shown = picture(folder / "poster.jpg")
    assert (shown.width, shown.height) == (640, 360)


def test_sound_has_no_thumbnails(tmp_path: Path) -> None:
    source = make_audio(tmp_path / "a.mp3", codec="libmp3lame", seconds=0.2)
    with pytest.raises(MissingTrackError):
        make(source, ThumbnailSettings())


def test_many_pictures_take_several_sheets_that_phones_can_decode() -> None:
    tile = Size(640, 360)
    grid = grid_for(tile, 200)
    assert grid.columns * tile.width <= LARGEST_SIDE
    assert grid.rows * tile.height <= LARGEST_SIDE
    sheets = [f"s{n}" for n in range(-(-200 // (grid.columns * grid.rows)))]
    text = sprite_map(sheets, tile, grid, [n * 1000 for n in range(200)], 200_000)
    assert text.count("#xywh=") == 200
    assert f"{sheets[-1]}#xywh=" in text
