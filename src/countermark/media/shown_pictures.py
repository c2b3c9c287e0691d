"""The pictures of a track as an output shows them: decoded, at their times, filtered."""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from av import VideoFrame
from av.filter import Graph
from av.video.stream import VideoStream

from countermark.media import colours
from countermark.media.decoding import Decoder
from countermark.media.encoders import pixel_format
from countermark.media.encoding_settings import VideoSettings
from countermark.media.filtering import pictures
from countermark.media.lanes import Span
from countermark.media.logo import LogoPicture
from countermark.media.packets import AnyPacket
from countermark.media.picture_size import Size
from countermark.media.picture_times import PictureTimes
from countermark.media.survey import Picture
from countermark.media.video_filters import Look, Shot, placement_of, shot_of, video_graph

_MPEG_TIME_BASE = Fraction(1, 90_000)


class PicturePlan(NamedTuple):
    """What to show.

    Attributes:
        source: What the pictures are.
        settings: What they shall be.
        span: The part of the input.
        logos: What is laid over them.
    """

    source: Picture
    settings: VideoSettings
    span: Span
    logos: tuple[LogoPicture, ...] = ()

    @property
    def most_rate(self) -> Fraction | None:
        """The bound on the rate, unless the input keeps it by itself."""
        wish = self.settings.framerate
        if wish is None:
            return None
        most = Fraction(wish).limit_denominator(1001)
        return most if self.source.rate > most else None

    @property
    def rate(self) -> Fraction:
        """Frames per second, on average."""
        return min(self.source.rate, self.most_rate or self.source.rate)


class ShownPictures:
    """Makes an output's pictures of a track's packets.

    Attributes:
        look: What they become.
        time_base: Unit of their times, seconds; zero is the span's start.
    """

    def __init__(self, stream: VideoStream, plan: PicturePlan) -> None:
        self._decoder: Decoder[VideoFrame] = Decoder(stream)
        self.time_base = stream.time_base or _MPEG_TIME_BASE
        self._times: PictureTimes[VideoFrame] = PictureTimes(
            plan.span, self.time_base, plan.most_rate
        )
        self.look = _look(plan, self.time_base)
        self._shot: Shot | None = None
        self._graph: Graph | None = None
        self._next = 0

    @property
    def seconds(self) -> float:
        """How far it is in the output's time."""
        return float(max(0, self._times.last) * self.time_base)

    @property
    def is_done(self) -> bool:
        """Whether the span has been seen whole."""
        return self._times.is_done

    @property
    def damaged(self) -> int:
        """Packets that couldn't be decoded."""
        return self._decoder.damaged

    def take(self, packet: AnyPacket) -> Iterator[VideoFrame]:
        """Give what comes of a packet."""
        yield from self._shown(self._decoder.frames(packet))

    def finish(self) -> Iterator[VideoFrame]:
        """Give what is left; to be called once, at the end."""
        if not self.is_done:
            yield from self._shown(self._decoder.frames(None))
            for time, frame in self._times.flush():
                yield from self._filter(time, frame)
        yield from self._drain()

    def _shown(self, frames: list[VideoFrame]) -> Iterator[VideoFrame]:
        for frame in frames:
            for time, shown in self._times.at(self._time_of(frame), frame):
                yield from self._filter(time, shown)

    def _time_of(self, frame: VideoFrame) -> int:
        time = frame.pts if frame.pts is not None else frame.dts
        if time is None:
            time = self._next
        self._next = time + (frame.duration or 1)
        return time

    def _filter(self, time: int, frame: VideoFrame) -> Iterator[VideoFrame]:
        shot = shot_of(frame)
        if self._graph is None or shot != self._shot:
            yield from self._drain()
            self._shot, self._graph = shot, self._new_graph(shot)
        frame.pts, frame.time_base = time, self.time_base
        self._graph.vpush(frame, at=0)
        yield from pictures(self._graph)

    def _new_graph(self, shot: Shot) -> Graph:
        graph = video_graph(shot, self.look)
        for number, logo in enumerate(self.look.logos, start=1):
            graph.vpush(logo.picture, at=number)
            graph.vpush(None, at=number)
        return graph

    def _drain(self) -> Iterator[VideoFrame]:
        if self._graph is not None:
            self._graph.vpush(None, at=0)
            yield from pictures(self._graph)
            self._graph = None


def _look(plan: PicturePlan, time_base: Fraction) -> Look:
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
