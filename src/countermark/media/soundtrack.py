"""The sound of a film on its way into another file: copied if MP4 can hold it, else encoded."""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer

from countermark.media.audio_lane import AudioLane, AudioPlan
from countermark.media.copy_lane import CopyLane
from countermark.media.encoding_settings import AudioSettings
from countermark.media.lanes import Lane, Span
from countermark.media.packets import AnyPacket
from countermark.media.reading import packets_of
from countermark.media.survey import Sound

if TYPE_CHECKING:
    from av.stream import Stream

# What MP4 holds and browsers and FFmpeg play from there.
_COPIED = frozenset({"aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"})
_AAC = AudioSettings(codec="aac", channels=8)

TimedPacket = tuple[Fraction, AnyPacket]


class Soundtrack:
    """All audio tracks of a file.

    Args:
        source: open, nothing read from it yet.
        target: open; tracks are added to it.
        origin: the moment in the source that becomes zero, seconds.
    """

    def __init__(self, source: InputContainer, target: OutputContainer, origin: Fraction) -> None:
        self._source = source
        streams = [
            stream
            for stream in source.streams.audio
            if stream.codec_context is not None and stream.sample_rate
        ]
        self._lanes: dict[int, Lane] = {
            stream.index: _lane(stream, target, Span(origin, None)) for stream in streams
        }
        self._streams: list[Stream] = list(streams)

    def packets(self) -> Iterator[TimedPacket]:
        """Yield packets of all tracks with their times, in the order of the source."""
        if not self._lanes:
            return
        for packet in packets_of(self._source, self._streams):
            yield from map(_timed, self._lanes[packet.stream_index].take(packet))
        for lane in self._lanes.values():
            yield from map(_timed, lane.finish())


def _lane(stream: AudioStream, target: OutputContainer, span: Span) -> Lane:
    context = stream.codec_context
    if context.codec.canonical_name in _COPIED:
        return CopyLane(stream, target, span)
    sound = Sound(stream.index, context.layout.nb_channels, stream.sample_rate, None)
    return AudioLane(stream, target, AudioPlan(sound, _AAC, span))


def _timed(packet: AnyPacket) -> TimedPacket:
    return Fraction(packet.dts or 0) * (packet.time_base or Fraction(1, av.time_base)), packet
