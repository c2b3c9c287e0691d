"""Which frame of the master each frame of a leak shows.

The leak's clock runs along a line of the master's: rate and offset. Near a first guess every line
is tried, and the one whose frames resemble each other most is taken. Then each frame may leave the
line by a frame or two, as frames are doubled, dropped and blended when the rate is changed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from countermark.autograph.canvas import Grid, flattened

Seconds = NDArray[np.float64]
Frames = NDArray[np.int64]

_RATES = np.linspace(-1, 1, 41)
# Clipped, so that neither one edge nor the codec's floor decides.
_STEEPEST = 30.0
_FLOOR = 0.005
_CELLS = 100
# Mean change of a cell, in luma steps, that is hardly more than a codec's own.
_FAINT = 0.15
# Master frames by which a frame of the leak may be off the line.
_STRAY = 0.7
# Rates of leaks whose speed nobody changed on purpose: as it was, or from 24 frames a second to 25
# or back. Any other must be better by so many nats: where little moves, codecs lag behind.
_USUAL = np.array([24 / 25, 1, 25 / 24])
_UNUSUAL = 60.0
# Nats by which lines may differ and still be as good.
_ALIKE = 0.5


@dataclass(frozen=True)
class Line:
    """The master's time as a function of the leak's: `rate * leak + offset`, seconds."""

    rate: float
    offset: float

    def at(self, leak: Seconds) -> Seconds:
        """The master's time at times of the leak."""
        return self.rate * leak + self.offset


@dataclass(frozen=True)
class Guess:
    """A line that is near the truth.

    Attributes:
        line: the guess.
        reach: by how many seconds it may be off.
        stray: by which share its rate may be off.
    """

    line: Line
    reach: float
    stray: float = 0.01


@dataclass(frozen=True)
class Likeness:
    """How much each of n frames of a leak resembles each of m frames of a master.

    Attributes:
        whole: correlations of the pictures without slow changes of brightness, shape (n, m).
        moving: of what differs from the mean over the frames, shape (n, m): it tells moments apart,
            and is near 0 where nothing moves.
    """

    whole: NDArray[np.float32]
    moving: NDArray[np.float32]


def likeness(leak: NDArray[np.float32], master: NDArray[np.float32], covered: Grid) -> Likeness:
    """Compare frames.

    Args:
        leak: grids of n frames laid on the master's, shape (n, rows, columns).
        master: grids of m frames, shape (m, rows, columns).
        covered: cells to compare, shape (rows, columns).
    """
    one, other = _rows(leak, covered), _rows(master, covered)
    whole = _directions(one) @ _directions(other).T
    # A static picture is the same in both; it goes with the leak's gain.
    still = one.mean(axis=0), other.mean(axis=0)
    moving = _directions(one - still[0]) @ _directions(other - still[1]).T
    return Likeness(whole, moving)


def _rows(grids: NDArray[np.float32], covered: Grid) -> NDArray[np.float32]:
    inside = covered > 0
    rows = np.stack([flattened(grid, covered)[inside] for grid in grids])
    return np.clip(rows, -_STEEPEST, _STEEPEST)


def _directions(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, _FAINT * np.sqrt(rows.shape[1])), np.float32)


def _odds(similar: Likeness) -> NDArray[np.float32]:
    """How much likeness speaks for two frames being the same, nats up to a constant."""
    return np.asarray(-_CELLS * np.log(1 + _FLOOR - np.clip(similar.moving, 0, 1)), np.float32)


def follow(similar: Likeness, leak: Seconds, master: Seconds, guess: Guess) -> tuple[Line, Frames]:
    """The best line near a guess, and the frame of the master that each of the leak shows.

    Args:
        similar: of the frames.
        leak: times of the leak's frames, shape (n,).
        master: times of the master's frames, ascending, shape (m,).
        guess: near the truth.

    Returns:
        The line, and indices into the master's frames, shape (n,).
    """
    odds = _odds(similar)
    step = _spacing(master)
    middle = float(leak.mean())
    since, at_middle = leak - middle, guess.line.rate * middle + guess.line.offset
    shifts = np.arange(-guess.reach, guess.reach + step / 4, step / 4)
    near = np.abs(_USUAL / guess.line.rate - 1) <= guess.stray
    rates = np.concatenate((guess.line.rate * (1 + guess.stray * _RATES), _USUAL[near]))
    # All lines at once, shape (rates, shifts, n).
    wanted = at_middle + shifts[:, None] + (rates[:, None] * since)[:, None]
    scores = odds[np.arange(len(leak)), _nearest(master, wanted)].sum(axis=2)
    scores[: len(_RATES)] -= _UNUSUAL
    # Many lines pass by the same frames; the truth is nearest to the middle of them.
    best, moved = np.nonzero(scores >= scores.max() - _ALIKE)
    rate = float(rates[best].mean())
    line = Line(rate, float(at_middle + shifts[moved].mean() - rate * middle))
    off = (master[None, :] - line.at(leak)[:, None]) / step
    return line, (odds - (off / _STRAY) ** 2 * 5).argmax(axis=1)


def _spacing(times: Seconds) -> float:
    return float(np.median(np.diff(times))) if len(times) > 1 else 0.04


def _nearest(times: Seconds, wanted: Seconds) -> Frames:
    """Index of the time nearest to each wanted one."""
    after = np.clip(np.searchsorted(times, wanted), 1, max(len(times) - 1, 1))
    before = after - 1
    if len(times) == 1:
        return np.zeros(wanted.shape, np.int64)
    return np.where(wanted - times[before] <= times[after] - wanted, before, after)
