"""The tint of a still scene: fair, secret, two steps at most, and only where it was to be."""

import math

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from countermark.autograph.chroma_marking import ChromaMark
from countermark.autograph.pattern import Pattern

KEYS = st.binary(min_size=32, max_size=32)
VARIANTS = st.sampled_from([2, 4, 8])
SIZES = st.tuples(st.integers(2, 400), st.integers(2, 400))
SEEDS = st.integers(0, 2**32 - 1)
Planes = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def tinted(mark: ChromaMark, variant: int, planes: Planes, level: float = 1.0) -> NDArray[np.int64]:
    """By how much each pixel changes, shape (2, rows, columns)."""
    copies = planes[0].copy(), planes[1].copy()
    mark.lay(variant, level, copies)
    return np.stack(copies).astype(np.int64) - np.stack(planes)


def random_mark(
    seed: int, variants: int = 2, shape: tuple[int, int] = (48, 72)
) -> tuple[ChromaMark, NDArray[np.float32], NDArray[np.float32]]:
    """A mark of some cells, its directions, and its cells."""
    pattern = Pattern(seed.to_bytes(32), "a" * 24, variants, 2 * 18, 2 * 12)
    random = np.random.default_rng(seed)
    directions = pattern.of_chroma(seed)
    cells = (random.random(pattern.chroma_shape) < 0.2).astype(np.float32)
    return ChromaMark(directions, 2 * cells, shape), directions, cells


@given(KEYS, VARIANTS, SIZES, SEEDS)
def test_the_mean_of_the_variants_is_the_source(
    key: bytes, variants: int, size: tuple[int, int], segment: int
) -> None:
    pattern = Pattern(key, "a" * 24, variants, *size)
    directions = pattern.of_chroma(segment)
    assert directions.shape == (variants, 2, *pattern.chroma_shape)
    assert set(np.unique(directions)) <= {-1.0, 1.0}
    assert (directions.sum(axis=0) == 0).all()


def test_planes_keys_masters_segments_and_luma_have_nothing_in_common() -> None:
    patterns = [
        Pattern(key * 32, master, 2, 854, 480)
        for key in (b"a", b"b")
        for master in ("a" * 24, "b" * 24)
    ]
    count = math.prod(patterns[0].chroma_shape)
    planes = [
        directions.ravel()[first : first + count]
        for pattern in patterns
        for segment in (0, 1)
        for directions in (pattern.of_chroma(segment)[0], pattern.of_segment(segment)[0])
        for first in (0, count)
    ]
    stacked = np.stack(planes)
    likeness = stacked @ stacked.T / stacked.shape[1] - np.eye(len(planes))
    assert np.abs(likeness).max() < 5 / np.sqrt(stacked.shape[1])  # deviations of chance


@settings(deadline=None)  # other work shares the cores
@given(SEEDS, VARIANTS, st.tuples(st.integers(12, 300), st.integers(18, 300)))
def test_a_tint_is_two_steps_at_most_and_only_around_cells_that_were_chosen(
    seed: int, variants: int, shape: tuple[int, int]
) -> None:
    mark, _, cells = random_mark(seed, variants, shape)
    plain = np.full(shape, 128, np.uint8)
    change = tinted(mark, variants - 1, (plain, plain))
    assert np.abs(change).max() <= 2
    rows, columns = (
        (np.arange(pixels) + 0.5) * count / pixels - 0.5
        for pixels, count in zip(shape, cells.shape, strict=True)
    )
    for row, column in np.argwhere(cells):
        near = np.ix_(np.abs(rows - row) < 1, np.abs(columns - column) < 1)
        change[(slice(None), *near)] = 0
    assert not change.any()


@settings(deadline=None)  # other work shares the cores
@given(SEEDS)
def test_the_middle_of_a_cell_that_was_chosen_goes_where_its_variant_says(seed: int) -> None:
    mark, directions, cells = random_mark(seed)
    plain = np.full((48, 72), 128, np.uint8)
    size = 48 // cells.shape[0], 72 // cells.shape[1]
    for variant in range(2):
        change = tinted(mark, variant, (plain, plain))
        middles = change[:, size[0] // 2 :: size[0], size[1] // 2 :: size[1]]
        assert (np.sign(middles) == directions[variant] * cells)[:, cells > 0].all()


@settings(deadline=None)  # other work shares the cores
@given(SEEDS, st.floats(0, 1), st.floats(0, 1))
def test_two_variants_are_opposites_and_fade_alike(seed: int, one: float, other: float) -> None:
    mark, directions, cells = random_mark(seed)
    plain = np.full((48, 72), 128, np.uint8)
    weak, strong = (tinted(mark, 0, (plain, plain), level) for level in sorted((one, other)))
    assert (np.abs(weak) <= np.abs(strong)).all()
    assert (np.abs(strong) <= np.ceil(2 * max(one, other))).all()
    # What is reckoned in eight bits may round otherwise where it is next to half a step.
    unlike = tinted(mark, 1, (plain, plain), max(one, other)) + strong
    tints = 2 * max(one, other) * directions[0] * cells
    exact = np.abs([cv2.resize(tint, (72, 48), interpolation=cv2.INTER_LINEAR) for tint in tints])
    assert (np.abs(unlike) <= (np.abs(exact % 1 - 0.5) < 0.06)).all()


@settings(deadline=None)  # other work shares the cores
@given(SEEDS, st.sampled_from([0, 1, 16, 240, 254, 255]))
def test_a_plane_at_its_ends_clips_and_never_wraps(seed: int, level: int) -> None:
    mark, _, _ = random_mark(seed)
    free, ended = np.full((48, 72), 128, np.uint8), np.full((48, 72), level, np.uint8)
    wanted = tinted(mark, 0, (free, free))
    shown = tinted(mark, 0, (ended, ended))
    assert (shown == np.clip(wanted + level, 0, 255) - level).all()
