"""Durations and bitrates of tracks whose headers lack them, found by counting packets."""

import math
from io import FileIO

from av.container import InputContainer
from msgspec import Struct

from countermark.media.demuxing import open_media

BYTE_BUDGET = 32 * 2**20
PACKET_BUDGET = 60_000


class Tally(Struct):
    """What the packets of one track add up to.

    Attributes:
        size: Bytes of payload.
        start: Earliest presentation time, seconds.
        end: Latest end of a packet, seconds.
        untimed: Sum of the durations of packets that carry no time, seconds.
    """

    size: int = 0
    start: float = math.inf
    end: float = -math.inf
    untimed: float = 0.0

    @property
    def seconds(self) -> float:
        """Time from the first to the end of the last packet; 0 when nothing is known."""
        return max(self.end - self.start, 0.0) if self.end > self.start else self.untimed

    def add(self, size: int, time: int | None, duration: int, time_base: float) -> None:
        """Count one packet; time and duration in units of time_base seconds."""
        self.size += size
        if time is None:
            self.untimed += duration * time_base
            return
        self.start = min(self.start, time * time_base)
        self.end = max(self.end, (time + duration) * time_base)


class Measurement(Struct, frozen=True):
    """The tallies of a file's tracks.

    Attributes:
        tallies: By stream index.
        complete: Whether the whole file was read; otherwise only its beginning was.
    """

    tallies: dict[int, Tally]
    complete: bool

    @property
    def size(self) -> int:
        """Bytes of payload counted, all tracks together."""
        return sum(tally.size for tally in self.tallies.values())


def measure(file: FileIO) -> Measurement:
    """Count packets from the beginning, without decoding.

    At most 32 MiB of payload or 60,000 packets are read, so the cost has a bound whatever the
    file's length; the caller extrapolates from an incomplete measurement. The file's position
    is kept, because a container that is open on it relies on it.

    Raises:
        av.FFmpegError: The file can't be opened, or its packets can't be read.
    """
    position = file.tell()
    try:
        with open_media(file) as container:
            return _tally_packets(container)
    finally:
        file.seek(position)


def _tally_packets(container: InputContainer) -> Measurement:
    tallies = {stream.index: Tally() for stream in container.streams}
    units = {s.index: float(s.time_base or 0) for s in container.streams}
    size = 0
    for count, packet in enumerate(container.demux()):
        size += packet.size
        if size > BYTE_BUDGET or count > PACKET_BUDGET:
            return Measurement(tallies, complete=False)
        if packet.size:
            index = packet.stream_index
            time = packet.pts if packet.pts is not None else packet.dts
            tallies[index].add(packet.size, time, packet.duration or 0, units[index])
    return Measurement(tallies, complete=True)
