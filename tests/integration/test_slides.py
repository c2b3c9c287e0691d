"""Slides, of which nothing moves: the mark in their colours is read where luma tells little."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from countermark.autograph.report import Report
from countermark.work.leak_reading import Issued
from countermark.work.master_request import Master
from countermark.work.tracing import trace
from support.films import choice_of, frames_of_copy, slides, write_frames
from support.masters import made_master, traced_master

SIZE, RATE, HELD = (640, 360), 12, (30, 24, 37, 28, 33, 26)
TAGS = ["anna", *(f"guest {number}" for number in range(20))]


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Master:
    folder = tmp_path_factory.mktemp("made")
    film = write_frames(folder / "film.mp4", slides(HELD, SIZE), RATE)
    return made_master(folder, film, strength="light")


def halved(frame: av.VideoFrame) -> av.VideoFrame:
    return frame.reformat(frame.width // 2, frame.height // 2)


def halved_and_grey(frame: av.VideoFrame) -> av.VideoFrame:
    return halved(frame).reformat(format="gray")


def traced(
    path: Path, master: Master, change: Callable[[av.VideoFrame], av.VideoFrame]
) -> tuple[Report, float]:
    """The report, and the share of all segments that are read right."""
    leak = write_frames(path, map(change, frames_of_copy(master, "anna")), RATE, 28)
    report = trace(leak, [traced_master(master)], lambda _: Issued(len(TAGS), lambda: TAGS))
    choice = choice_of(master, "anna")
    right = [np.argmax(one.likelihoods) == choice[one.segment] for one in report.segments]
    return report, sum(right) / len(choice)


def test_slides_are_read_by_their_colours_and_without_them_accuse_nobody_else(
    master: Master, tmp_path: Path
) -> None:
    report, right = traced(tmp_path / "leak.mp4", master, halved)
    assert right > 0.85
    assert {one.tag for one in report.accused} <= {"anna"}
    grey, still_right = traced(tmp_path / "grey.mp4", master, halved_and_grey)
    assert grey.master == report.master
    assert still_right < right - 0.2
    assert {one.tag for one in grey.accused} <= {"anna"}
