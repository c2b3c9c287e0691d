"""The sound of a film, as packets that an MP4 file can hold: copied if it can be, else encoded."""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream

# What MP4 holds and every FFmpeg writes there without asking for experimental options.
COPIED = frozenset({"aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"})
_BITS_PER_CHANNEL = 96_000
_RATES = (96_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)


class Soundtrack:
    """All audio tracks of a file, on their way into another.

    Args:
        source: open, nothing read from it yet.
        target: open; tracks are added to it.
    """

    def __init__(self, source: InputContainer, target: OutputContainer) -> None:
        self._source = source
        self._tracks = {
            stream.index: _Track(stream, target)
            for stream in source.streams.audio
            if stream.codec_context is not None and stream.sample_rate
        }

    def packets(self, origin: Fraction) -> Iterator[tuple[Fraction, "Packet[Stream]"]]:
        """Yield packets of all tracks, each with its time.

        Args:
            origin: the moment in the source that becomes zero, seconds.
        """
        if not self._tracks:
            return
        streams = [track.source for track in self._tracks.values()]
        for packet in self._source.demux(streams):
            for made in self._tracks[packet.stream.index].take(packet, origin):
                yield Fraction(made.dts or 0) * made.time_base, made


class _Track:
    def __init__(self, source: AudioStream, target: OutputContainer) -> None:
        self.source = source
        self._copies = source.codec_context.codec.canonical_name in COPIED
        if self._copies:
            self._target = target.add_stream_from_template(source)
        else:
            self._target = self._encoder(target)
        for key in ("language", "title", "handler_name"):
            if key in source.metadata:
                self._target.metadata[key] = source.metadata[key]

    def take(self, packet: "Packet[Stream]", origin: Fraction) -> Iterator["Packet[Stream]"]:
        if self._copies:
            yield from self._copied(packet, origin)
            return
        for frame in self.source.decode(packet):
            if frame.pts is not None and frame.time_base is not None:
                frame.pts -= round(origin / frame.time_base)
            yield from self._target.encode(frame)
        if packet.size == 0:
            yield from self._target.encode(None)

    def _copied(self, packet: "Packet[Stream]", origin: Fraction) -> Iterator["Packet[Stream]"]:
        if packet.dts is None or packet.pts is None:
            return
        shift = round(origin / packet.time_base)
        packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
        packet.stream = self._target
        yield packet

    def _encoder(self, target: OutputContainer) -> AudioStream:
        rate = next((r for r in _RATES if r <= self.source.sample_rate), _RATES[-1])
        stream = target.add_stream("aac", rate=rate, layout=self.source.layout)
        stream.bit_rate = _BITS_PER_CHANNEL * self.source.channels
        return stream
