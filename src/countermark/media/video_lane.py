"""Pictures on their way from one track to another: decode, time, filter, encode."""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple, cast

from av import VideoFrame
from av.codec.context import Flags
from av.container import OutputContainer
from av.filter import Graph
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from countermark.media import colours
from countermark.media.decoding import Decoder
from countermark.media.encoders import Encoder, VideoNeeds, pixel_format, video_encoder
from countermark.media.encoding_settings import VideoSettings
from countermark.media.filtering import pictures
from countermark.media.lanes import Span
from countermark.media.logo import LogoPicture
from countermark.media.packets import AnyPacket
from countermark.media.picture_size import Size, in_pixels
from countermark.media.picture_times import PictureTimes
from countermark.media.survey import Picture
from countermark.media.video_filters import Look, Shot, placement_of, shot_of, video_graph

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
        self._decoder: Decoder[VideoFrame] = Decoder(stream)
        self._time_base = stream.time_base or _MPEG_TIME_BASE
        self._times: PictureTimes[VideoFrame] = PictureTimes(
            plan.span, self._time_base, _most_rate(plan)
        )
        self._look = _look(plan, self._time_base)
        self._output = _output(target, plan, self._look, self._time_base)
        self._shot: Shot | None = None
        self._graph: Graph | None = None
        self._next = 0

    @property
    def seconds(self) -> float:
        """How far it is in the output's time."""
        return float(max(0, self._times.last) * self._time_base)

    @property
    def is_done(self) -> bool:
        """Whether the span has been seen whole."""
        return self._times.is_done

    def take(self, packet: AnyPacket) -> Iterator[AnyPacket]:
        """Give what comes of a packet; see `Lane`."""
        yield from self._encode(self._decoder.frames(packet))

    def finish(self) -> Iterator[AnyPacket]:
        """Give what is left; see `Lane`."""
        if not self.is_done:
            yield from self._encode(self._decoder.frames(None))
            for time, frame in self._times.flush():
                yield from self._filter(time, frame)
        yield from self._drain()
        yield from self._output.encode(None)

    def warnings(self) -> list[str]:
        """What was not as it should be."""
        if self._decoder.damaged:
            return [f"{self._decoder.damaged} damaged pictures were left out."]
        return []

    def _encode(self, frames: list[VideoFrame]) -> Iterator[AnyPacket]:
        for frame in frames:
            for time, shown in self._times.at(self._time_of(frame), frame):
                yield from self._filter(time, shown)

    def _time_of(self, frame: VideoFrame) -> int:
        time = frame.pts if frame.pts is not None else frame.dts
        if time is None:
            time = self._next
        self._next = time + (frame.duration or 1)
        return time

    def _filter(self, time: int, frame: VideoFrame) -> Iterator[AnyPacket]:
        shot = shot_of(frame)
        if self._graph is None or shot != self._shot:
            yield from self._drain()
            self._shot, self._graph = shot, self._new_graph(shot)
        frame.pts, frame.time_base = time, self._time_base
        self._graph.vpush(frame, at=0)
        yield from self._encoded(self._graph)

    def _new_graph(self, shot: Shot) -> Graph:
        graph = video_graph(shot, self._look)
        for number, logo in enumerate(self._look.logos, start=1):
            graph.vpush(logo.picture, at=number)
            graph.vpush(None, at=number)
        return graph

    def _drain(self) -> Iterator[AnyPacket]:
        if self._graph is not None:
            self._graph.vpush(None, at=0)
            yield from self._encoded(self._graph)
            self._graph = None

    def _encoded(self, graph: Graph) -> Iterator[AnyPacket]:
        for frame in pictures(graph):
            frame.pict_type = 0  # the encoder decides, not the input's
            yield from self._output.encode(frame)


def _most_rate(plan: VideoPlan) -> Fraction | None:
    """The bound on the rate, unless the input keeps it by itself."""
    wish = plan.settings.framerate
    if wish is None:
        return None
    most = Fraction(wish).limit_denominator(1001)
    return most if plan.source.rate > most else None


def _look(plan: VideoPlan, time_base: Fraction) -> Look:
    source, settings = plan.source, plan.settings
    size = Size(source.width, source.height)
    keep_hdr = settings.hdr == "keep" and settings.codec in {"hevc", "av1"}
    placement = placement_of(size, source.pixel_aspect, source.orientation, settings)
    out = colours.for_output(source.colours, keep_hdr=keep_hdr)
    return Look(
        settings,
        source.orientation,
        source.pixel_aspect,
        placement.canvas,
        out,
        pixel_format(settings, hdr=out.is_hdr),
        time_base,
        plan.logos,
    )


def _output(
    target: OutputContainer, plan: VideoPlan, look: Look, time_base: Fraction
) -> VideoStream:
    rate = min(plan.source.rate, _most_rate(plan) or plan.source.rate)
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
    fits = _FINEST <= time_base <= _COARSEST
    stream.codec_context.time_base = time_base if fits else _MPEG_TIME_BASE
    return stream


def _pass_options(plan: VideoPlan, encoder: Encoder) -> dict[str, str]:
    if plan.pass_number is None:
        return {}
    return {"x265-stats" if encoder.name == "libx265" else "stats": plan.pass_path}


def _describe(context: VideoCodecContext, look: Look, encoder: Encoder, muxer: str) -> None:
    context.width, context.height = look.canvas
    context.pix_fmt = look.format
    context.sample_aspect_ratio = Fraction(1)
    context.colorspace = look.colours.matrix
    context.color_primaries = look.colours.primaries
    context.color_trc = look.colours.transfer
    context.color_range = look.colours.range
    if encoder.tag and muxer in _ISO_CONTAINERS:
        context.codec_tag = encoder.tag
