"""What a transfer from or to elsewhere may cost."""

from typing import NamedTuple


class TransferLimits(NamedTuple):
    """What one transfer may cost.

    Attributes:
        most_bytes: Size of the file.
        wall_seconds: All of it.
        stall_seconds: Without a byte.
        least_rate: Bytes per second on average, once a minute has passed; below, it would hold
            a worker for days.
        retry_seconds: Before the first new attempt; each further one waits twice as long.
        internal: Whether the place may lie at an address that is not public.
    """

    most_bytes: int = 1 << 40
    wall_seconds: float = 24 * 3600.0
    stall_seconds: float = 30.0
    least_rate: float = 8192.0
    retry_seconds: float = 1.0
    internal: bool = False
