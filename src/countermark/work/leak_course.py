"""How a leak runs through its master, learnt from the pieces that were put on it."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from countermark.autograph.timing import Guess, Line

# How far apart two pieces are, in seconds, for their times to tell the rate better than each
# alone; and how far off that rate may be from theirs before there is a cut between them.
_APART = 20.0
_SAME_RATE = 0.025
# How far off a line may be: seconds, and the share of a rate that several pieces tell.
_REACH, _STRAY = 0.3, 0.002


class Course:
    """Where in the master each time of the leak lies.

    Cuts shift what follows them, so a time is reckoned from the nearest piece that is known; only
    the rate comes from all of them, as one piece of a few seconds tells it to a thousandth or so.

    Args:
        lines: where the leak may lie, likeliest first, at least one.
    """

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = list(lines)
        self._known: list[tuple[float, float]] = []

    def learn(self, middle: float, line: Line) -> None:
        """Take a piece in that was put on the master.

        Args:
            middle: of the piece, seconds of the leak.
            line: on which it lies.
        """
        self._known.append((middle, line.rate * middle + line.offset))
        self._known.sort()

    def near(self, middle: float) -> Guess:
        """The likeliest line for a piece around this time of the leak."""
        if not self._known:
            return Guess(self._lines[0], _REACH)
        leak, master = min(self._known, key=lambda one: abs(one[0] - middle))
        rates = self._rates()
        rate = float(np.median(rates)) if rates else self._lines[0].rate
        stray = {"stray": _STRAY} if rates else {}
        return Guess(Line(rate, master - rate * leak), _REACH, **stray)

    def elsewhere(self, count: int) -> list[Guess]:
        """So many of the lines that were given."""
        return [Guess(line, _REACH) for line in self._lines[:count]]

    def _rates(self) -> list[float]:
        """What pairs tell that have no cut between them; their median is safe (Theil 1950)."""
        usual = self._lines[0].rate
        far = [
            (after[1] - before[1]) / (after[0] - before[0])
            for before, after in combinations(self._known, 2)
            if after[0] - before[0] > _APART
        ]
        return [rate for rate in far if abs(rate / usual - 1) < _SAME_RATE]
