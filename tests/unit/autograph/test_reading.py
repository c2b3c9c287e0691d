"""Reading: a mark laid into noise is read, and what tells nothing is an erasure."""

import numpy as np

from countermark.autograph.reading import Reader

SHAPE = (60, 100)


def test_the_variant_that_was_laid_into_noise_is_read() -> None:
    random = np.random.default_rng(1)
    reader = Reader()
    truth = [0, 1, 1, 0, 1]
    for segment, variant in enumerate(truth):
        mark = random.standard_normal(SHAPE).astype(np.float32) * np.float32(0.4)
        for _ in range(6):
            noise = random.standard_normal(SHAPE).astype(np.float32) * np.float32(2)
            sign = 1 - 2 * variant
            reader.add(segment, np.stack([sign * mark + noise, mark, -mark]))
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
        reader.add(segment, np.stack([residue, mark, -mark]))
    reading = reader.reading()
    scores = reading.correlations[:, 0] / reading.noise
    assert 0.8 < scores.std() < 1.25


def test_a_black_screen_and_an_unmarked_segment_tell_nothing() -> None:
    reader = Reader()
    nothing = np.zeros(SHAPE, np.float32)
    mark = np.random.default_rng(3).standard_normal(SHAPE).astype(np.float32)
    reader.add(0, np.stack([nothing, mark, -mark]))
    reader.add(1, np.stack([mark, nothing, nothing]))
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
            reader.add(segment, np.stack([shown, marks[segment], -marks[segment]]))
    told, repeated = reader.reading().evidence().likelihoods
    assert told[1] < 0.1
    assert repeated.min() > 0.5
