"""Pictures on their way from one track to another: decode, time, filter, encode."""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple, cast

from av import VideoFrame
from av.codec.context import Flags
from av.container import OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from countermark.media.encoders import Encoder, VideoNeeds, video_encoder
from countermark.media.encoding_settings import VideoSettings
from countermark.media.encoding_thread import EncodingThread
from countermark.media.lanes import Span
from countermark.media.logo import LogoPicture
from countermark.media.packets import AnyPacket
from countermark.media.picture_size import in_pixels
from countermark.media.shown_pictures import PicturePlan, ShownPictures
from countermark.media.survey import Picture
from countermark.media.video_filters import Look

# Time bases finer or coarser than these are replaced by that of MPEG systems.
_MPEG_TIME_BASE = Fraction(1, 90_000)
_FINEST = Fraction(1, 1_000_000)
_COARSEST = Fraction(1, 240)
_PASS_FLAGS = {1: Flags.pass1, 2: Flags.pass2}
_ISO_CONTAINERS = frozenset({"mp4", "mov"})


class VideoPlan(NamedTuple):
    """What to make of the pictures.

    Attributes:
        source: What they are.
        settings: What they shall be.
        span: The part of the input.
        logos: What is laid over them.
        pass_number: Which of two passes this is; None for the only one.
        pass_path: Where the first tells the second what it learned.
    """

    source: Picture
    settings: VideoSettings
    span: Span
    logos: tuple[LogoPicture, ...]
    pass_number: int | None
    pass_path: str


class VideoLane:
    """Decodes, times, filters and encodes pictures; a `Lane`."""

    def __init__(self, stream: VideoStream, target: OutputContainer, plan: VideoPlan) -> None:
        shown = PicturePlan(plan.source, plan.settings, plan.span, plan.logos)
        self._pictures = ShownPictures(stream, shown)
        self._encoder = EncodingThread(_output(target, plan, self._pictures, shown.rate))

    @property
    def seconds(self) -> float:
        """How far it is in the output's time."""
        return self._pictures.seconds

    @property
    def is_done(self) -> bool:
        """Whether the span has been seen whole."""
        return self._pictures.is_done

    def take(self, packet: AnyPacket) -> Iterator[AnyPacket]:
        """Give what comes of a packet; see `Lane`."""
        yield from self._encoded(self._pictures.take(packet))

    def finish(self) -> Iterator[AnyPacket]:
        """Give what is left; see `Lane`."""
        yield from self._encoded(self._pictures.finish())
        yield from self._encoder.finish()

    def warnings(self) -> list[str]:
        """What was not as it should be."""
        if self._pictures.damaged:
            return [f"{self._pictures.damaged} damaged pictures were left out."]
        return []

    def _encoded(self, frames: Iterator[VideoFrame]) -> Iterator[AnyPacket]:
        for frame in frames:
            frame.pict_type = 0  # the encoder decides, not the input's
            yield from self._encoder.take(frame)


def _output(
    target: OutputContainer, plan: VideoPlan, shown: ShownPictures, rate: Fraction
) -> VideoStream:
    look = shown.look
    bitrate = in_pixels(plan.settings.bitrate, (plan.source.bitrate or 0) // 1000)
    needs = VideoNeeds(
        bitrate * 1000 if bitrate else None,
        rate,
        plan.source.hdr if look.colours.is_hdr else None,
    )
    encoder = video_encoder(plan.settings, needs)
    options = {**encoder.options, **_pass_options(plan, encoder)}
    stream = cast("VideoStream", target.add_stream(encoder.name, rate=rate, options=options))
    if plan.pass_number is not None:
        stream.codec_context.flags |= _PASS_FLAGS[plan.pass_number]
    _describe(stream.codec_context, look, encoder, target.format.name)
    fits = _FINEST <= shown.time_base <= _COARSEST
    stream.codec_context.time_base = shown.time_base if fits else _MPEG_TIME_BASE
    return stream


def _pass_options(plan: VideoPlan, encoder: Encoder) -> dict[str, str]:
    if plan.pass_number is None:
        return {}
    return {"x265-stats" if encoder.name == "libx265" else "stats": plan.pass_path}


def _describe(context: VideoCodecContext, look: Look, encoder: Encoder, muxer: str) -> None:
    # PyAV asks for slices: x264 then waits for each picture's to end, and predicts worse.
    context.thread_type = "AUTO"
    context.width, context.height = look.canvas
    context.pix_fmt = look.format
    context.sample_aspect_ratio = Fraction(1)
    context.colorspace = look.colours.matrix
    context.color_primaries = look.colours.primaries
    context.color_trc = look.colours.transfer
    context.color_range = look.colours.range
    if encoder.tag and muxer in _ISO_CONTAINERS:
        context.codec_tag = encoder.tag
