"""Leaks in odd shapes: the right recipient is named or nobody, and the report says why."""

import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from countermark.autograph.report import Report
from countermark.work.leak_reading import Issued
from countermark.work.master_request import Master
from countermark.work.tracing import trace
from support.films import Luma, pictures_of_copy, textured, write_film
from support.masters import made_master, traced_master

SIZE, RATE, SECONDS = (256, 144), 16, 14
TAGS = ["anna", *(f"guest {number}" for number in range(20))]
Frames = list[Luma]


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Master:
    folder = tmp_path_factory.mktemp("made")
    film = write_film(folder / "film.mp4", textured(4, SECONDS, SIZE, RATE), RATE)
    return made_master(folder, film, segment_seconds=0.25, strength="strong")


@pytest.fixture(scope="module")
def copy(master: Master) -> Frames:
    return [np.array(luma) for luma in pictures_of_copy(master, "anna")]


def traced(leak: Path, master: Master) -> Report:
    report = trace(leak, [traced_master(master)], lambda _: Issued(len(TAGS), lambda: TAGS))
    assert report.accused or report.reason
    return report


def encoded(path: Path, frames: Frames, times: list[int], **options: str) -> Path:
    """Frames at times of sixteenths of a frame's time."""
    pixels = options.pop("pixels", "yuv420p")
    codec = options.pop("codec", "libx264")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE)
        stream.height, stream.width = frames[0].shape
        stream.pix_fmt = pixels
        stream.options = {"crf": "18", "preset": "veryfast"} | options
        stream.codec_context.time_base = Fraction(1, 16 * RATE)
        for luma, time in zip(frames, times, strict=True):
            grey = av.VideoFrame.from_ndarray(np.ascontiguousarray(luma), "gray")
            frame = grey.reformat(format=pixels)
            frame.pts, frame.time_base = time, Fraction(1, 16 * RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def steady(frames: Frames) -> list[int]:
    return [16 * number for number in range(len(frames))]


def of_variable_rate(path: Path, copy: Frames) -> Path:
    chance = random.Random(1)  # noqa: S311 - a test repeats
    kept = [number for number in range(len(copy)) if chance.random() < 0.7]
    times = [16 * number + chance.randrange(6) for number in kept]
    return encoded(path, [copy[number] for number in kept], times)


def of_ten_bits(path: Path, copy: Frames) -> Path:
    return encoded(path, copy, steady(copy), codec="libx265", pixels="yuv420p10le")


def interlaced(path: Path, copy: Frames) -> Path:
    woven = [luma.copy() for luma in copy]
    for before, frame in zip(copy, woven[1:], strict=False):
        frame[1::2] = before[1::2]
    return encoded(path, woven, steady(woven), **{"x264-params": "tff=1"})


def with_one_keyframe(path: Path, copy: Frames) -> Path:
    return encoded(path, copy, steady(copy), g="9999", **{"x264-params": "scenecut=0"})


def without_its_first_bytes(path: Path, copy: Frames) -> Path:
    whole = encoded(path.with_suffix(".ts"), copy, steady(copy), g="40")
    data = whole.read_bytes()
    whole.write_bytes(data[188 * (len(data) // 188 // 5) :])
    return whole


@pytest.mark.parametrize(
    "made", [of_variable_rate, of_ten_bits, interlaced, with_one_keyframe, without_its_first_bytes]
)
def test_an_odd_leak_names_its_recipient(
    made: Callable[[Path, Frames], Path], master: Master, copy: Frames, tmp_path: Path
) -> None:
    report = traced(made(tmp_path / "leak.mp4", copy), master)
    assert [one.tag for one in report.accused] == ["anna"]


def test_one_frame_accuses_nobody(master: Master, copy: Frames, tmp_path: Path) -> None:
    report = traced(encoded(tmp_path / "leak.mp4", copy[:1], [0]), master)
    assert report.accused == ()


def test_pictures_that_never_become_whole_accuse_nobody(
    master: Master, copy: Frames, tmp_path: Path
) -> None:
    whole = encoded(tmp_path / "leak.ts", copy, steady(copy), g="9999")
    data = whole.read_bytes()
    whole.write_bytes(data[188 * (len(data) // 188 // 2) :])
    assert {one.tag for one in traced(whole, master).accused} <= {"anna"}


def test_one_moment_over_and_over_accuses_nobody(
    master: Master, copy: Frames, tmp_path: Path
) -> None:
    looped = copy[20:28] * 12
    report = traced(encoded(tmp_path / "leak.mp4", looped, steady(looped)), master)
    assert report.accused == ()
