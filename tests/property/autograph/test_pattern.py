"""The pattern: fair between variants, secret, and within its bounds."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from countermark.autograph.marking import SegmentMark, Strength, fade
from countermark.autograph.pattern import Pattern, simplex

KEYS = st.binary(min_size=32, max_size=32)
VARIANTS = st.sampled_from([2, 4, 8])
SIZES = st.tuples(st.integers(2, 400), st.integers(2, 400))
LEAST_PSNR = {Strength.LIGHT: 50.0, Strength.NORMAL: 47.0, Strength.STRONG: 44.0}


@given(VARIANTS)
def test_any_two_variants_differ_as_much_as_any_other_two(variants: int) -> None:
    rows = simplex(variants)
    expected = np.full((variants, variants), -1) + variants * np.eye(variants)
    assert (rows @ rows.T == expected).all()
    assert (rows.sum(axis=0) == 0).all()


@given(KEYS, VARIANTS, SIZES, st.integers(0, 2**32 - 1))
def test_the_mean_of_the_variants_is_the_source(
    key: bytes, variants: int, size: tuple[int, int], segment: int
) -> None:
    pattern = Pattern(key, "a" * 24, variants, *size)
    directions = pattern.of_segment(segment)
    assert directions.shape == (variants, *pattern.shape)
    assert set(np.unique(directions)) <= {-1.0, 1.0}
    assert (directions.sum(axis=0) == 0).all()


def test_patterns_of_other_keys_masters_and_segments_have_nothing_in_common() -> None:
    patterns = [
        Pattern(key * 32, master, 2, 854, 480).of_segment(segment)[0]
        for key in (b"a", b"b")
        for master in ("a" * 24, "b" * 24)
        for segment in (0, 1)
    ]
    stacked = np.stack(patterns).reshape(len(patterns), -1)
    likeness = stacked @ stacked.T / stacked.shape[1] - np.eye(len(patterns))
    assert np.abs(likeness).max() < 0.12  # five standard deviations of chance


@settings(deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(list(Strength)), VARIANTS)
def test_no_frame_changes_more_than_its_strength_allows_nor_in_its_mean(
    seed: int, strength: Strength, variants: int
) -> None:
    random = np.random.default_rng(seed)
    frames = random.integers(16, 236, (8, 96, 160)).astype(np.uint8)
    mark = SegmentMark(Pattern(b"k" * 32, "a" * 24, variants, 160, 96), 3, list(frames), strength)
    for number, frame in enumerate(frames):
        marked = np.empty_like(frame)
        mark.lay(variants - 1, number, marked)
        change = marked.astype(np.float64) - frame
        assert np.square(change).mean() <= 255**2 / 10 ** (LEAST_PSNR[strength] / 10)
        assert abs(change.mean()) < 0.1


@given(st.integers(1, 400))
def test_the_mark_fades_alike_at_both_ends(count: int) -> None:
    levels = [fade(number, count) for number in range(count)]
    assert levels == levels[::-1]
    assert max(levels) <= 1
    assert levels[0] == min(levels)


def test_what_stands_perfectly_still_carries_less_than_what_stirs() -> None:
    random = np.random.default_rng(1)
    still = random.integers(60, 180, (96, 160)).astype(np.uint8)
    noise = random.integers(0, 3, (8, 96, 160)).astype(np.uint8)
    pattern = Pattern(b"k" * 32, "a" * 24, 2, 160, 96)
    frozen = SegmentMark(pattern, 0, [still] * 8, Strength.LIGHT)
    stirred = SegmentMark(pattern, 0, list(still + noise), Strength.LIGHT)
    assert 0 < frozen.energy < 0.3 * stirred.energy


def test_what_moves_carries_more_than_what_merely_stirs() -> None:
    random = np.random.default_rng(2)
    texture = random.integers(60, 180, (96, 80)).astype(np.uint8)
    frames = []
    for number in range(8):
        stirs = texture + random.integers(0, 3, texture.shape).astype(np.uint8)
        frames.append(np.hstack([stirs, np.roll(texture, 3 * number, axis=1)]))
    mark = SegmentMark(Pattern(b"k" * 32, "a" * 24, 2, 160, 96), 0, frames, Strength.LIGHT)
    marked = np.empty_like(frames[4])
    mark.lay(0, 4, marked)
    change = np.square(marked.astype(np.float64) - frames[4])
    assert change[:, 88:].mean() > max(0.01, 3 * change[:, :72].mean())
