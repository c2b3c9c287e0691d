"""Chroma lies on its grid where luma lies on its own, however a leak is laid."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from countermark.autograph.canvas import Canvas, Homography, chroma_sketch, sketch

Plane = NDArray[np.uint8]
SIZE = 640, 360
CANVAS = Canvas(*SIZE)
SHAPES = {"4:2:0": (2, 2), "4:2:2": (1, 2), "4:4:4": (1, 1)}
# Levels by which cells of the same picture differ; a shift by two of its pixels makes it three.
NEAR = 1.0


def picture() -> Plane:
    """Soft blots, steep enough that a shift shows."""
    random = np.random.default_rng(1)
    blots = random.standard_normal((12, 21)).astype(np.float32)
    wide = cv2.resize(blots, SIZE, interpolation=cv2.INTER_CUBIC)
    return (128 + 40 * wide).clip(0, 255).astype(np.uint8)


def filmed(size: tuple[int, int], move: Homography) -> tuple[Plane, Homography]:
    """A leak of this size, and the way from its sketch to the canvas.

    Args:
        size: of the leak, width and height.
        move: from the master's pixels to the leak's.
    """
    leak = cv2.warpPerspective(picture(), move, size, borderMode=cv2.BORDER_REPLICATE)
    small = sketch(leak)
    to_leak = scaled(leak.shape[1] / small.shape[1], leak.shape[0] / small.shape[0])
    to_canvas = np.linalg.inv(scaled(CANVAS.scale, CANVAS.scale))
    return leak, to_canvas @ np.linalg.inv(move) @ to_leak


def scaled(x: float, y: float) -> Homography:
    """From positions in a smaller picture to those in a larger one."""
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1.0]])


def subsampled(luma: Plane, by: tuple[int, int]) -> tuple[Plane, Plane]:
    """Chroma of a film whose colours are its brightness, and their negative."""
    size = -(-luma.shape[1] // by[1]), -(-luma.shape[0] // by[0])
    small = cv2.resize(luma, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return small, 255 - small


def in_half(grid: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = CANVAS.chroma_shape
    small = cv2.resize(
        grid[: 2 * rows, : 2 * columns], (columns, rows), interpolation=cv2.INTER_AREA
    )
    return np.asarray(small, np.float32)


MOVES = {
    "as it is": (SIZE, np.eye(3)),
    "at two thirds": ((426, 240), scaled(426 / 640, 240 / 360)),
    "larger": ((1280, 720), scaled(2, 2)),
    "of an odd size": ((319, 179), scaled(319 / 640, 179 / 360)),
    "cut": ((500, 300), np.array([[1.0, 0, -63], [0, 1, -41], [0, 0, 1]])),
    "mirrored": (SIZE, np.array([[-1.0, 0, 639], [0, 1, 0], [0, 0, 1]])),
    "upright": ((360, 640), np.array([[0, -1.0, 359], [1, 0, 0], [0, 0, 1]])),
    "filmed askew": (
        (800, 600),
        np.array([[1.1, -0.12, 60], [0.09, 1.2, 40], [0.00012, -0.0001, 1]]),
    ),
}


@pytest.mark.parametrize("how", SHAPES)
@pytest.mark.parametrize("name", MOVES)
def test_a_leak_s_chroma_is_laid_where_its_luma_is(name: str, how: str) -> None:
    leak, homography = filmed(*MOVES[name])
    small = sketch(leak)
    planes = chroma_sketch(subsampled(leak, SHAPES[how]), small.shape)
    laid = CANVAS.lay_chroma(planes, small.shape, homography)
    assert laid.shape == (2 * CANVAS.chroma_shape[0], CANVAS.chroma_shape[1])
    wanted = in_half(CANVAS.cells(CANVAS.lay(small, homography)))
    covered = CANVAS.covered_chroma(CANVAS.covered(np.full(small.shape, 255, np.uint8), homography))
    upper, lower = np.split(covered == 1, 2)
    assert (upper == lower).all()
    assert upper.mean() > 0.4
    u, v = np.split(laid, 2)
    assert np.abs(u - wanted)[upper].max() < NEAR
    assert np.abs(255 - v - wanted)[upper].max() < NEAR


def test_a_master_s_chroma_is_drawn_where_a_leak_s_is_laid() -> None:
    planes = subsampled(picture(), (2, 2))
    _, homography = filmed(*MOVES["as it is"])
    laid = CANVAS.lay_chroma(chroma_sketch(planes, SIZE[::-1]), SIZE[::-1], homography)
    assert np.abs(CANVAS.chroma_cells(planes) - laid).max() < NEAR
    wanted = in_half(CANVAS.cells(CANVAS.draw(picture())))
    assert np.abs(np.split(CANVAS.chroma_cells(planes), 2)[0] - wanted).max() < NEAR


def test_a_cell_of_chroma_is_covered_if_all_four_of_luma_are() -> None:
    covered = np.ones(CANVAS.grid_shape, np.float32)
    covered[5, 8] = covered[20, 31] = 0
    rows, columns = CANVAS.chroma_shape
    wanted = np.ones((rows, columns))
    wanted[2, 4] = wanted[10, 15] = 0
    assert (CANVAS.covered_chroma(covered) == np.concatenate([wanted, wanted])).all()


@pytest.mark.parametrize("size", [(2, 2), (16, 8), (90, 500), (161, 91)])
def test_small_and_narrow_masters_have_a_chroma_grid(size: tuple[int, int]) -> None:
    canvas = Canvas(*size)
    planes = [np.full((-(-size[1] // 2), -(-size[0] // 2)), level, np.uint8) for level in (90, 170)]
    cells = canvas.chroma_cells(planes)
    laid = canvas.lay_chroma(planes, size[::-1], np.eye(3))
    assert cells.shape == laid.shape
    assert canvas.covered_chroma(np.ones(canvas.grid_shape, np.float32)).shape == cells.shape
    for level, part in zip((90, 170), np.split(cells, 2), strict=True):
        assert (part == level).all()
