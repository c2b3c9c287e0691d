"""Writing the MP4 file of one variant, and finding its samples again."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.video.stream import VideoStream
from msgspec import Struct

from countermark.media.avc import byte_stream
from countermark.media.segment_encoder import EncoderSettings, configure
from countermark.media.soundtrack import Soundtrack
from countermark.media.survey import open_input

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream

# Pictures may be shown this much later than decoded: x264's B pyramids need two.
REORDERED = 2


class Sample(Struct, frozen=True):
    """A coded picture on its way into a file.

    Attributes:
        shown_at: time stamp, ticks.
        data: NAL units, each after its length.
        is_sync: whether it is an IDR picture.
    """

    shown_at: int
    data: bytes
    is_sync: bool


def write_variant(
    target: Path,
    source: FileIO,
    origin: Fraction,
    settings: EncoderSettings,
    time_base: Fraction,
    times: Sequence[int],
    samples: Iterable[Sample],
) -> None:
    """Write a whole file: these pictures and the source's sound, its index in front.

    Args:
        target: where to; replaced.
        source: whose sound goes with the pictures.
        origin: the moment in the source that becomes zero, seconds.
        settings: with which they were encoded.
        time_base: seconds of a tick.
        times: time stamps of all pictures in the order of display, ticks; one more for the end.
        samples: in the order of decoding.
    """
    options = {"movflags": "+faststart"}
    with (
        open_input(source) as sound_source,
        av.open(str(target), "w", format="mp4", options=options) as output,
    ):
        video = _video_track(output, settings, time_base)
        sound = Soundtrack(sound_source, output, origin)
        output.start_encoding()
        pictures = _picture_packets(samples, times, video, time_base)
        both = heapq.merge(pictures, sound.packets(), key=_time_of)
        for _, packet in both:
            output.mux_one(packet)


def sample_places(variant: Path) -> Iterator[tuple[int, int]]:
    """Yield (offset, size) of each picture's sample in the order of decoding."""
    with av.open(str(variant)) as container:
        for packet in container.demux(container.streams.video[0]):
            if packet.size:
                yield packet.pos or 0, packet.size


def _video_track(
    output: av.container.OutputContainer, settings: EncoderSettings, time_base: Fraction
) -> VideoStream:
    stream = output.add_stream("libx264")
    configure(stream.codec_context, settings)
    stream.time_base = time_base
    return stream


def _picture_packets(
    samples: Iterable[Sample], times: Sequence[int], stream: VideoStream, time_base: Fraction
) -> Iterator[tuple[Fraction, "Packet[Stream]"]]:
    step = max(1, times[1] - times[0])
    for number, sample in enumerate(samples):
        packet = av.Packet(byte_stream(sample.data))
        packet.stream, packet.time_base = stream, time_base
        early = number - REORDERED
        decoded_at = times[early] if early >= 0 else times[0] + early * step
        packet.pts, packet.dts = sample.shown_at, decoded_at
        packet.duration = times[number + 1] - times[number]
        packet.is_keyframe = sample.is_sync
        yield packet.dts * time_base, packet


def _time_of(timed: tuple[Fraction, "Packet[Stream]"]) -> Fraction:
    return timed[0]
