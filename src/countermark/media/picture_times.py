"""Which pictures of an input go into an output, and when each is shown: arithmetic only."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Generic, TypeVar

from countermark.media.lanes import Span

P = TypeVar("P")


class PictureTimes(Generic[P]):
    """Moves pictures to the output's time, in the order in which they are shown.

    Times are kept as they are: nothing is repeated or dropped to make a variable rate constant.
    What was on the screen when the span starts is shown from its start.

    Args:
        span: The part of the input that is used.
        time_base: Unit of the times, seconds.
        most_rate: Pictures per second above which some are left out, the rest moved onto an
            even grid; None for all of them.

    Attributes:
        last: Time of the latest picture; -1 before the first.
        is_done: Whether a picture behind the span was seen.
    """

    def __init__(self, span: Span, time_base: Fraction, most_rate: Fraction | None) -> None:
        self._start = round(span.start / time_base)
        self._end = None if span.length is None else round(span.length / time_base)
        self._step = None if most_rate is None else 1 / (most_rate * time_base)
        self._early: P | None = None
        self.last = -1
        self.is_done = False

    def at(self, time: int, picture: P) -> Iterator[tuple[int, P]]:
        """Take the picture shown at a time of the input's; give what is to be shown, and when."""
        time -= self._start
        if time < 0:
            self._early = picture
            return
        if self._end is not None and time >= self._end:
            self.is_done = True
            return
        if time > 0:
            yield from self.flush()
        self._early = None
        yield from self._shown(time, picture)

    def flush(self) -> Iterator[tuple[int, P]]:
        """Give the picture from before the span, if none was in it yet."""
        early, self._early = self._early, None
        if early is not None and self.last < 0:
            yield from self._shown(0, early)

    def _shown(self, time: int, picture: P) -> Iterator[tuple[int, P]]:
        if self._step is not None:
            time = round(round(time / self._step) * self._step)
        # Two at one time, or one from the past, is a fault of the file; the first one stands.
        if time > self.last:
            self.last = time
            yield time, picture
