"""Making one time axis of a stream whose clock jumps: arithmetic only.

Broadcasts and joined recordings (MPEG systems, ISO/IEC 13818-1, 2.4.3.4) may set their clock to
anything in the middle. Each track then goes on where it was, and tracks that jump together stay
together.
"""

# Larger than any gap that is meant, and as FFmpeg has it for its own tool.
_JUMP_SECONDS = 10.0
# Tracks end a little apart from each other before a jump.
_TOGETHER_SECONDS = 2.0


class Timeline:
    """Follows the tracks of one input."""

    def __init__(self) -> None:
        self._shifts: dict[int, float] = {}
        self._expected: dict[int, float] = {}

    def shift(self, track: int, time: float, duration: float) -> float:
        """Tell what to add to the times of a packet.

        Args:
            track: Of the packet.
            time: When it is to be decoded by the input's clock, seconds.
            duration: How long it lasts, seconds; 0 if unknown.
        """
        shift = self._shifts.get(track)
        if shift is None:
            shift = next(iter(self._shifts.values()), 0.0)
        expected = self._expected.get(track)
        if expected is not None and abs(time + shift - expected) > _JUMP_SECONDS:
            shift = self._new_shift(track, time, expected)
        self._shifts[track] = shift
        self._expected[track] = time + shift + duration
        return shift

    def _new_shift(self, track: int, time: float, expected: float) -> float:
        for other, shift in self._shifts.items():
            if other != track and abs(time + shift - expected) < _TOGETHER_SECONDS:
                return shift
        return expected - time
