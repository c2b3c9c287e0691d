"""Where a scene is tinted: where little moves, much is busy, and there are colours at all."""

import numpy as np
import pytest
from numpy.typing import NDArray

from countermark.autograph.marking import SegmentMark, Strength
from countermark.autograph.pattern import Pattern
from countermark.autograph.visibility import coloured, halved, rooms_of, tintable

Plane = NDArray[np.uint8]
SHAPE, HALF, FRAMES = (144, 256), (72, 128), 8
PATTERN = Pattern(b"k" * 32, "a" * 24, 2, *SHAPE[::-1])
GREY = np.full(HALF, 128, np.uint8)


def noise(seed: int, low: int, high: int, shape: tuple[int, int] = SHAPE) -> Plane:
    return np.random.default_rng(seed).integers(low, high, shape).astype(np.uint8)


def colours(seed: int = 9) -> tuple[Plane, Plane]:
    return noise(seed, 100, 156, HALF), noise(seed + 1, 100, 156, HALF)


def tints(frames: list[Plane], chroma: tuple[Plane, Plane]) -> list[float]:
    """Largest change of chroma in each frame of a segment."""
    mark = SegmentMark(PATTERN, 0, frames, Strength.LIGHT, chroma=chroma)
    largest, luma = [], np.empty(SHAPE, np.uint8)
    for number in range(len(frames)):
        shown = chroma[0].copy(), chroma[1].copy()
        mark.lay(1, number, luma, shown)
        change = np.stack(shown).astype(int) - np.stack(chroma)
        largest.append(float(np.abs(change).max()))
    return largest


def drawing() -> Plane:
    """A sheet of which a fifth is written on."""
    sheet = np.full(SHAPE, 200, np.uint8)
    sheet[:29] = noise(3, 40, 200)[:29]
    return sheet


def test_a_busy_scene_in_colour_that_hardly_stirs_is_tinted_and_the_tint_fades() -> None:
    stirred = [noise(1, 60, 180) + noise(number, 0, 3) for number in range(FRAMES)]
    assert tints(stirred, colours()) == [1, *[2] * (FRAMES - 2), 1]


def test_a_scene_that_moves_keeps_its_colours_to_the_byte() -> None:
    texture = noise(1, 60, 180)
    frames = [np.roll(texture, 3 * number, axis=1) for number in range(FRAMES)]
    assert tints(frames, colours()) == [0] * FRAMES


def test_a_drawing_that_is_mostly_flat_keeps_its_colours_to_the_byte() -> None:
    assert tints([drawing()] * FRAMES, colours()) == [0] * FRAMES


@pytest.mark.parametrize("stray", [0.0, 0.3])
def test_a_film_in_black_and_white_stays_so(stray: float) -> None:
    random = np.random.default_rng(4)
    planes = [np.rint(128 + stray * random.standard_normal(HALF)).astype(np.uint8) for _ in "uv"]
    assert not coloured(planes)
    assert tints([noise(1, 60, 180)] * FRAMES, (planes[0], planes[1])) == [0] * FRAMES


def test_one_plane_that_varies_is_a_colour() -> None:
    assert coloured((GREY, colours()[0]))
    assert coloured((colours()[0], GREY))


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(np.full(SHAPE, 120, np.uint8), id="flat"),
        pytest.param(noise(5, 4, 16), id="dark"),
        pytest.param(noise(6, 240, 256), id="white"),
    ],
)
def test_cells_that_hide_nothing_are_not_chosen(part: Plane) -> None:
    # The left is busy; the cell beside it sees the edge between the two.
    frame = np.hstack([noise(7, 60, 180)[:, :128], part[:, 128:]])
    rows, columns = PATTERN.chroma_shape
    cells = tintable([halved(frame)] * 3, (rows, columns), rows * columns)
    assert cells[:, : columns // 2].all()
    assert not cells[:, columns // 2 + 1 :].any()


def test_the_busiest_cells_are_chosen_and_no_more_than_asked_for() -> None:
    frame = noise(8, 110, 130)
    frame[48:96, 64:128] = noise(8, 60, 180)[48:96, 64:128]
    cells = tintable([halved(frame)], (6, 8), 4)
    assert cells.sum() == 4
    assert cells[2:4, 2:4].all()


def test_chroma_tells_what_luma_cannot_and_nothing_where_most_is_flat() -> None:
    texture = noise(1, 60, 180)
    stirred = [texture + noise(number, 0, 3) for number in range(FRAMES)]
    moved = [np.roll(texture, 3 * number, axis=1) for number in range(FRAMES)]
    rooms = [
        rooms_of(frames, [halved(frame) for frame in frames], (30, 54))
        for frames in ([texture] * FRAMES, stirred, moved, [drawing()] * FRAMES)
    ]
    assert [one.untold for one in rooms] == [1, 1, 0, 0]
    assert rooms[0].lively < rooms[1].lively == 1


def test_where_nothing_stirs_tints_are_of_one_step() -> None:
    assert tints([noise(1, 60, 180)] * FRAMES, colours()) == [1] * FRAMES
