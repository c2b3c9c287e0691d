"""Reading: a mark laid into noise is read, and what tells nothing is an erasure."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from countermark.autograph.amplitudes import Courses
from countermark.autograph.innovation import renewed
from countermark.autograph.reading import Reader, Reading, added, joined
from countermark.autograph.registration import Laid, Piece, Registration
from countermark.autograph.timing import Line

SHAPE = (60, 100)
ANEW = np.ones(SHAPE, np.float32)


def test_the_variant_that_was_laid_into_noise_is_read() -> None:
    random = np.random.default_rng(1)
    reader = Reader()
    truth = [0, 1, 1, 0, 1]
    for segment, variant in enumerate(truth):
        mark = random.standard_normal(SHAPE).astype(np.float32) * np.float32(0.4)
        for _ in range(6):
            noise = random.standard_normal(SHAPE).astype(np.float32) * np.float32(2)
            sign = 1 - 2 * variant
            reader.add(segment, np.stack([sign * mark + noise, mark, -mark]), ANEW)
    reading = reader.reading()
    assert reading.segments.tolist() == [0, 1, 2, 3, 4]
    assert reading.correlations.argmax(axis=1).tolist() == truth
    assert (reading.correlations.max(axis=1) > 4 * reading.noise).all()
    assert reading.frames.tolist() == [6] * 5


def test_noise_is_judged_as_it_scatters() -> None:
    random = np.random.default_rng(2)
    reader = Reader()
    for segment in range(200):
        mark = random.standard_normal(SHAPE).astype(np.float32)
        residue = random.standard_normal(SHAPE).astype(np.float32)
        reader.add(segment, np.stack([residue, mark, -mark]), ANEW)
    reading = reader.reading()
    scores = reading.correlations[:, 0] / reading.noise
    assert 0.8 < scores.std() < 1.25


def test_a_black_screen_and_an_unmarked_segment_tell_nothing() -> None:
    reader = Reader()
    nothing = np.zeros(SHAPE, np.float32)
    mark = np.random.default_rng(3).standard_normal(SHAPE).astype(np.float32)
    reader.add(0, np.stack([nothing, mark, -mark]), ANEW)
    reader.add(1, np.stack([mark, nothing, nothing]), ANEW)
    assert (reader.reading().evidence().likelihoods == 1).all()


def test_a_picture_that_a_codec_repeats_says_nothing_about_the_segment_it_is_repeated_in() -> None:
    random = np.random.default_rng(4)
    marks = random.standard_normal((2, *SHAPE)).astype(np.float32) * np.float32(0.2)
    # The second segment's mark resembles the first one's, which is all that is shown of it.
    marks[1] = 0.7 * (marks[0] + marks[1])
    reader, error = Reader(), random.standard_normal(SHAPE).astype(np.float32)
    for segment in (0, 1):
        for _ in range(6):
            flicker = random.standard_normal(SHAPE).astype(np.float32) * np.float32(0.02)
            shown = error + marks[0] + flicker
            reader.add(segment, np.stack([shown, marks[segment], -marks[segment]]), ANEW)
    told, repeated = reader.reading().evidence().likelihoods
    assert told[1] < 0.1
    assert repeated.min() > 0.5


def test_few_blocks_that_a_codec_codes_anew_tell_what_they_show() -> None:
    random = np.random.default_rng(6)
    reader, truth = Reader(), [0, 1, 1, 0, 0, 1]
    shown, before = random.standard_normal(SHAPE).astype(np.float32), None
    for segment, variant in enumerate(truth):
        mark = random.standard_normal(SHAPE).astype(np.float32) * np.float32(0.3)
        for _ in range(6):
            flicker = random.standard_normal(SHAPE).astype(np.float32) * np.float32(0.2)
            row, column = random.integers(0, 13) * 4, random.integers(0, 23) * 4
            block = slice(row, row + 8), slice(column, column + 8)
            error = random.standard_normal((8, 8)).astype(np.float32) * np.float32(0.3)
            picture, shown = shown, shown.copy()
            shown[block] = (1 - 2 * variant) * mark[block] + error
            # What the leak shows is compared with a master that flickers.
            seen = np.stack([shown - flicker, mark, -mark])
            reader.add(segment, seen, renewed(shown, before if before is None else picture))
            before = picture
    reading = reader.reading()
    assert reading.correlations.argmax(axis=1).tolist() == truth
    assert (reading.correlations.max(axis=1) > 2 * reading.noise).all()


def test_a_mark_that_comes_over_an_error_which_lasts_is_read_from_its_first_frame() -> None:
    random = np.random.default_rng(5)
    error = random.standard_normal(SHAPE).astype(np.float32) * np.float32(3)
    way, truth = Courses(), [0, 1, 1, 0]
    for segment, variant in enumerate(truth):
        mark = random.standard_normal(SHAPE).astype(np.float32) * np.float32(0.3)
        for _ in range(6):
            noise = random.standard_normal(SHAPE).astype(np.float32) * np.float32(0.3)
            sign = 1 - 2 * variant
            way.add(segment, np.stack([error + sign * mark + noise, mark, -mark]), ANEW)
    for segment, variant in enumerate(truth[1:], 1):
        amplitudes, noise = way.amplitudes(segment)
        assert amplitudes[variant] > 5 * noise


def test_readings_are_joined_by_what_they_tell() -> None:
    def reading(heights: list[float], noise: list[float]) -> Reading:
        column, spread = np.array(heights), np.array(noise)
        correlations = (
            np.stack([column, -column], axis=1) * np.where(spread < 9, spread, 1)[:, None]
        )
        return Reading(np.arange(3), correlations, spread, np.ones(3, np.int64))

    sure = reading([3.0, -3.0, 0.0], [0.5, 0.5, np.inf])
    unsure = reading([1.0, 1.0, 1.0], [0.1, 0.1, np.inf])
    both = joined([sure, unsure])
    heights = both.correlations[:, 0] / both.noise
    assert 2.5 < heights[0] < 3
    assert -3 < heights[1] < -2.5
    assert np.isinf(both.noise[2])
    assert (both.evidence().likelihoods[2] == 1).all()
    alike = joined([sure, sure])
    assert np.allclose(alike.correlations[:2], sure.correlations[:2])
    assert np.allclose(alike.noise[:2], sure.noise[:2])


def seen(
    truth: NDArray[np.int64], amplitude: float, noise: float, seed: int, segments: int | None = None
) -> Reading:
    """What a channel tells of the first segments, all with a mark so strong in noise so strong."""
    count = len(truth) if segments is None else segments
    sign = 1 - 2 * truth[:count]
    column = amplitude * sign + noise * np.random.default_rng(seed).standard_normal(count)
    correlations = np.stack([column, -column], axis=1)
    return Reading(np.arange(count), correlations, np.full(count, noise), np.full(count, 6))


def heights(reading: Reading, truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Deviations by which the right variant stands out, of each segment."""
    right = reading.correlations[np.arange(len(reading.segments)), truth[reading.segments]]
    return np.asarray(right / reading.noise, np.float64)


TRUTH = np.random.default_rng(7).integers(0, 2, 1000)


@settings(deadline=None)  # other work shares the cores
@given(
    st.tuples(st.floats(1.0, 4.0), st.floats(0.3, 3.0)),
    st.tuples(st.floats(1.0, 4.0), st.floats(0.3, 3.0)),
    st.integers(0, 2**31),
)
def test_what_two_channels_tell_adds_up_whatever_their_units(
    one: tuple[float, float], other: tuple[float, float], seed: int
) -> None:
    (height, noise), (other_height, other_noise) = one, other
    luma = seen(TRUTH, height * noise, noise, seed)
    chroma = seen(TRUTH, other_height * other_noise, other_noise, seed + 1)
    both = heights(added([luma, chroma]), TRUTH)
    assert both.mean() == pytest.approx(np.hypot(height, other_height), abs=0.25)
    assert both.std() == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("noise", [0.2, 5.0, np.inf])
def test_a_channel_that_tells_nothing_does_no_harm(noise: float) -> None:
    luma = seen(TRUTH, 2.0, 1.0, 1)
    silent = seen(TRUTH, 0.0, min(noise, 1.0), 2)
    silent = replace(silent, noise=np.full(len(TRUTH), noise))
    for both in (added([luma, silent]), added([silent, luma])):
        assert heights(both, TRUTH).mean() > 0.97 * heights(luma, TRUTH).mean()


def test_what_one_channel_alone_was_told_stays_as_it_is() -> None:
    luma, chroma = seen(TRUTH, 2.0, 1.0, 1), seen(TRUTH, 0.6, 0.2, 2, segments=400)
    luma.noise[:100] = np.inf
    both = added([luma, chroma])
    assert (both.segments == luma.segments).all()
    apart = heights(both, TRUTH)
    assert np.allclose(apart[:100], heights(chroma, TRUTH)[:100])
    assert np.allclose(apart[400:], heights(luma, TRUTH)[400:])
    assert apart[100:400].mean() == pytest.approx(np.hypot(2, 3), abs=0.2)
    # All in one unit: of how much of the mark the leak shows.
    right = both.correlations[np.arange(len(TRUTH)), TRUTH]
    assert right[:100].mean() == pytest.approx(1, abs=0.2)
    assert right[400:].mean() == pytest.approx(1, abs=0.2)


def test_nothing_told_in_any_channel_is_nothing_told() -> None:
    silent = seen(TRUTH[:5], 0.0, 1.0, 1)
    nothing = replace(silent, noise=np.full(5, np.inf))
    assert (added([nothing, nothing]).evidence().likelihoods == 1).all()


def slide() -> tuple[Piece, Registration, Laid, list[int]]:
    """A still piece of five segments, a leak of it, and its variants: only chroma is marked."""
    random = np.random.default_rng(8)
    truth, frames = [0, 1, 1, 0, 1], 6
    segments = np.repeat(np.arange(len(truth)), frames)
    count, times = len(segments), np.arange(len(segments)) / 12
    picture = 120 + 20 * random.standard_normal(SHAPE).astype(np.float32)
    colours = 128 + 10 * random.standard_normal(SHAPE).astype(np.float32)
    marks = random.standard_normal((len(truth), *SHAPE)).astype(np.float32) * np.float32(0.4)
    signs = np.array([1 - 2 * variant for variant in truth], np.float32)[segments, None, None]
    mark = marks[segments]
    piece = Piece(
        times,
        segments,
        [np.zeros(SHAPE, np.uint8)] * count,
        np.stack([picture] * count),
        np.zeros((count, 2, *SHAPE), np.float32),
        np.stack([colours] * count),
        np.stack([mark, -mark], axis=1),
    )
    noise = random.standard_normal((2, count, *SHAPE)).astype(np.float32)
    whole, alike = np.ones(SHAPE, np.float32), np.ones(count, np.float32)
    line, shown = Line(1.0, 0.0), np.arange(count)
    found = Registration(
        np.eye(3), line, shown, alike, alike, np.stack([picture] * count) + noise[0], whole
    )
    leak = np.stack([colours] * count) + signs * mark + noise[1]
    return piece, found, Laid(np.asarray(leak, np.float32), whole), truth


def test_a_mark_in_chroma_alone_is_read() -> None:
    piece, found, chroma, truth = slide()
    reader = Reader()
    reader.take(piece, found, chroma)
    reading = reader.reading()
    assert reading.segments.tolist() == [0, 1, 2, 3, 4]
    assert reading.correlations.argmax(axis=1).tolist() == truth
    assert (reading.correlations.max(axis=1) > 3 * reading.noise).all()
    assert reader.clear() == len(reader) == 5


def test_frames_under_an_overlay_are_left_out_of_chroma_as_of_luma() -> None:
    piece, found, chroma, truth = slide()
    # Most frames of each segment resemble nothing, and show its other variant in chroma.
    overlaid = np.arange(len(piece.times)) % 6 > 1
    found = replace(found, likeness=np.where(overlaid, np.float32(0.1), found.likeness))
    chroma.frames[overlaid] = 2 * piece.chroma_means[0] - chroma.frames[overlaid]
    reader = Reader()
    reader.take(piece, found, chroma)
    reading = reader.reading()
    assert reading.frames.tolist() == [2] * len(truth)
    assert reading.correlations.argmax(axis=1).tolist() == truth


def test_a_grey_leak_is_read_by_its_luma_alone() -> None:
    piece, found, marked, truth = slide()
    piece = replace(piece, means=piece.chroma_means, deviations=piece.chroma_deviations)
    found = replace(found, laid=marked.frames)
    readings = []
    for chroma in (None, marked._replace(frames=np.full_like(marked.frames, 128))):
        reader = Reader()
        reader.take(piece, found, chroma)
        readings.append(reader.reading().evidence().likelihoods)
    assert readings[0].argmax(axis=1).tolist() == truth
    assert np.allclose(*readings)
