"""Reading: a mark laid into noise is read, and what tells nothing is an erasure."""

import numpy as np

from countermark.autograph.amplitudes import Courses
from countermark.autograph.innovation import renewed
from countermark.autograph.reading import Reader, Reading, joined

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
