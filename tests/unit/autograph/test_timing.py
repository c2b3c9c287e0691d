"""Which frame of a master each frame of a leak shows."""

import numpy as np
import pytest

from countermark.autograph.timing import Guess, Likeness, Line, follow


def alike(shown: np.ndarray, count: int, sure: float = 0.95) -> Likeness:
    """As if each frame of the leak looked like one of the master, and like no other."""
    table = np.full((len(shown), count), 0.2, np.float32)
    table[np.arange(len(shown)), shown] = sure
    return Likeness(table, table)


@pytest.mark.parametrize(("rate", "offset"), [(1.0, 0.0), (1.003, -0.1), (0.996, 0.12)])
def test_the_line_through_a_leak_s_frames_is_found(rate: float, offset: float) -> None:
    master = np.arange(300) / 25
    leak = np.arange(2, 8, 1 / 16)
    truth = Line(rate, 1 + offset)
    shown = np.abs(master[None] - truth.at(leak)[:, None]).argmin(axis=1)
    line, frames = follow(alike(shown, 300), leak, master, Guess(Line(1.0, 1.0), 0.3))
    assert np.abs(frames - shown).max() <= 1
    assert (frames == shown).mean() > 0.9
    # Lines that pass by the same frames are alike; the middle of them is near the truth.
    assert np.abs(line.at(leak) - truth.at(leak)).max() < 0.012
    assert line.rate == pytest.approx(rate, abs=0.002)


def test_where_nothing_tells_lines_apart_the_guess_stands() -> None:
    master, leak = np.arange(200) / 25, np.arange(1, 5, 1 / 12)
    still = Likeness(*(np.zeros((len(leak), 200), np.float32) for _ in range(2)))
    line, _ = follow(still, leak, master, Guess(Line(1.02, 1.5), 0.3))
    assert np.abs(line.at(leak) - Line(1.02, 1.5).at(leak)).max() < 0.01


def test_where_little_tells_lines_apart_the_leak_runs_as_most_do() -> None:
    master, leak = np.arange(200) / 25, np.arange(1, 5, 1 / 12)
    shown = np.abs(master[None] - Line(1.008, 1.5).at(leak)[:, None]).argmin(axis=1)
    faint = alike(shown, 200, 0.203)
    line, _ = follow(faint, leak, master, Guess(Line(1.008, 1.5), 0.3))
    assert line.rate == 1
    assert line.at(leak).mean() == pytest.approx(Line(1.008, 1.5).at(leak).mean(), abs=0.02)


def test_a_rate_that_is_known_is_kept() -> None:
    master, leak = np.arange(300) / 25, np.arange(2, 8, 1 / 16)
    shown = np.abs(master[None] - Line(1.008, 1.0).at(leak)[:, None]).argmin(axis=1)
    guess = Guess(Line(1.0, 1.0), 0.3, stray=0.002)
    line, _ = follow(alike(shown, 300), leak, master, guess)
    assert abs(line.rate - 1) <= 0.002
