"""Reading an input's packets to its end, on one time axis, and seeing that none are missing."""

from collections.abc import Iterator, Sequence

from av.container import InputContainer
from av.stream import Stream

from countermark.media.completeness import Completeness
from countermark.media.packets import AnyPacket
from countermark.media.timeline import Timeline

# Formats whose clock may jump.
_JUMPING = frozenset({"mpegts", "mpeg"})


def packets_of(source: InputContainer, streams: Sequence[Stream]) -> Iterator[AnyPacket]:
    """Yield the packets of some streams, none of them empty, in the order of the file.

    Raises:
        DamagedMediaError: the file ends before its header says so.
    """
    completeness = Completeness(source, streams)
    clock = Timeline() if source.format.name in _JUMPING else None
    wanted = {stream.index for stream in streams}
    for packet in source.demux(streams):
        # Empty is the demuxer's sign for the end; tracks that appear on the way come unasked.
        if packet.size == 0 or packet.stream_index not in wanted:
            continue
        if clock is None:
            completeness.note(packet)
        else:
            _put_on(clock, packet)
        yield packet
    if clock is None:  # otherwise the header promises nothing to hold it to
        completeness.check()


def _put_on(clock: Timeline, packet: AnyPacket) -> None:
    time_base = packet.time_base
    time = packet.dts if packet.dts is not None else packet.pts
    if time is None or not time_base:
        return
    seconds = clock.shift(
        packet.stream_index, float(time * time_base), float((packet.duration or 0) * time_base)
    )
    if seconds:
        ticks = round(seconds / time_base)
        packet.pts = None if packet.pts is None else packet.pts + ticks
        packet.dts = None if packet.dts is None else packet.dts + ticks
