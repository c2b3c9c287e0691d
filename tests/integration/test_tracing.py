"""Leaks are traced to whom the copy was issued, and to nobody else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from countermark.autograph.index import decode
from countermark.autograph.report import Report
from countermark.work.leak_reading import Issued
from countermark.work.master_request import Master
from countermark.work.tracing import trace
from support.films import Luma, leaked, pictures_of_copy, textured, write_film
from support.masters import made_master, traced_master

SIZE, RATE, SECONDS = (320, 180), 20, 18
TAGS = ["anna", *(f"guest {number}" for number in range(20))]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return write_film(path, textured(1, SECONDS, SIZE, RATE), RATE)


@pytest.fixture(scope="module")
def master(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Master:
    folder = tmp_path_factory.mktemp("made")
    return made_master(folder, film, segment_seconds=0.25, strength="strong")


def traced(leak: Path, master: Master, tags: list[str] = TAGS) -> Report:
    return trace(leak, [traced_master(master)], lambda _: Issued(len(tags), lambda: tags))


def cut_and_shrunk(luma: Luma) -> Luma:
    return cv2.resize(luma[10:170, 30:310], (210, 120), interpolation=cv2.INTER_AREA)


def mirrored_in_a_letterbox(luma: Luma) -> Luma:
    return cv2.copyMakeBorder(luma[:, ::-1], 30, 30, 0, 0, cv2.BORDER_CONSTANT, value=16)


@pytest.mark.parametrize("change", [cut_and_shrunk, mirrored_in_a_letterbox])
def test_a_changed_copy_names_its_recipient(
    change: Callable[[Luma], Luma], master: Master, tmp_path: Path
) -> None:
    report = traced(leaked(tmp_path / "leak.mp4", master, "anna", RATE, change), master)
    assert [one.tag for one in report.accused] == ["anna"]
    assert report.status == "named"
    assert report.accused[0].probability <= report.bound
    assert report.master == decode(Path(master.index).read_bytes()).master
    assert report.placement is not None
    assert report.placement.mirrored == (change is mirrored_in_a_letterbox)
    assert len(report.pictures) > 0
    assert {len(segment.likelihoods) for segment in report.segments} == {2}


def test_a_copy_whose_tag_was_not_issued_accuses_nobody(master: Master, tmp_path: Path) -> None:
    report = traced(leaked(tmp_path / "leak.mp4", master, "anna", RATE), master, TAGS[1:])
    assert report.accused == ()
    assert report.status == "insufficient evidence"
    assert report.reason


def test_the_unmarked_film_accuses_nobody(film: Path, master: Master) -> None:
    report = traced(film, master)
    assert report.master is not None
    assert report.accused == ()


def test_another_film_shows_no_master(master: Master, tmp_path: Path) -> None:
    other = write_film(tmp_path / "other.mp4", textured(2, 10, SIZE, RATE), RATE)
    report = traced(other, master)
    assert (report.master, report.accused) == (None, ())
    assert report.reason


def test_a_leak_shorter_than_a_segment_accuses_nobody(master: Master, tmp_path: Path) -> None:
    frames = list(textured(1, 1, SIZE, RATE))[:4]
    report = traced(write_film(tmp_path / "short.mp4", frames, RATE), master)
    assert report.accused == ()
    assert report.reason


def test_a_film_of_a_few_pixels_accuses_nobody(master: Master, tmp_path: Path) -> None:
    path = leaked(
        tmp_path / "leak.mp4",
        master,
        "anna",
        RATE,
        lambda luma: cv2.resize(luma, (16, 8), interpolation=cv2.INTER_AREA),
    )
    report = traced(path, master)
    assert report.accused == ()
    assert report.reason


def test_a_still_picture_is_no_leak(master: Master, tmp_path: Path) -> None:
    picture = next(textured(1, 1, SIZE, RATE))
    path = tmp_path / "still.png"
    path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    report = traced(path, master)
    assert report.accused == ()
    assert "single picture" in (report.reason or "")


def test_a_picture_shown_for_long_accuses_nobody(master: Master, tmp_path: Path) -> None:
    picture = next(textured(1, 1, SIZE, RATE))
    report = traced(write_film(tmp_path / "still.mp4", [picture] * 60, RATE), master)
    assert report.accused == ()


@pytest.mark.parametrize("content", [b"", b"no film at all", bytes(range(256)) * 64])
def test_what_is_no_film_is_said_to_be_none(content: bytes, master: Master, tmp_path: Path) -> None:
    path = tmp_path / "leak.mp4"
    path.write_bytes(content)
    report = traced(path, master)
    assert report.accused == ()
    assert "media" in (report.reason or "")


def test_sound_without_a_picture_is_said_to_be_so(master: Master, tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert "no video" in (traced(path, master).reason or "")


def test_a_leak_with_broken_bytes_in_its_middle_is_still_traced(
    master: Master, tmp_path: Path
) -> None:
    path = leaked(tmp_path / "leak.mp4", master, "anna", RATE)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(2000)
    path.write_bytes(data)
    assert [one.tag for one in traced(path, master).accused] == ["anna"]


def test_the_master_is_found_among_many_others(master: Master, tmp_path: Path) -> None:
    film = write_film(tmp_path / "other.mp4", textured(2, 10, SIZE, RATE), RATE)
    other = made_master(tmp_path / "made", film)
    right, stranger = traced_master(master), traced_master(other)
    strangers = [
        replace(stranger, index=replace(stranger.index, master=f"{number:024x}"))
        for number in range(9)
    ]
    leak = leaked(tmp_path / "leak.mp4", master, "anna", RATE)
    report = trace(leak, [*strangers, right], lambda _: Issued(len(TAGS), lambda: TAGS))
    assert report.master == right.index.master
    assert [one.tag for one in report.accused] == ["anna"]


def test_of_a_film_that_repeats_itself_the_right_repeat_is_read(tmp_path: Path) -> None:
    once = list(textured(3, 6, SIZE, RATE))
    film = write_film(tmp_path / "film.mp4", once * 3, RATE)
    repeating = made_master(tmp_path / "made", film, segment_seconds=0.25, strength="strong")
    copy = list(pictures_of_copy(repeating, "anna"))
    leak = write_film(tmp_path / "leak.mp4", copy[6 * RATE :], RATE, 26)
    report = traced(leak, repeating)
    assert [one.tag for one in report.accused] == ["anna"]
    assert report.stretches[0].master_start == pytest.approx(6, abs=0.3)
