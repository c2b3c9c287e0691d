"""Pieces of a film, found by time, from files that may be damaged or without any order."""

from collections.abc import Iterator
from io import RawIOBase
from typing import TYPE_CHECKING, NamedTuple

import av
import numpy as np
from av import VideoFrame
from av.video.plane import VideoPlane
from av.video.stream import VideoStream
from numpy.typing import NDArray

from countermark.errors import CountermarkError
from countermark.media.demuxing import open_media

if TYPE_CHECKING:
    from av.packet import Packet

Plane = NDArray[np.uint8]

_EIGHT_BITS = 8
_USUAL_RATE = 25.0
# Packets in a row that don't decode: after so many there is nothing more to hope for.
_PATIENCE = 5000
_TICK = 1e-6


class FootageError(CountermarkError):
    """The file cannot be opened as media, or has no video."""


class Shown(NamedTuple):
    """A frame.

    Attributes:
        time: seconds since the film's first frame.
        luma: in 8 bits, shape (height, width).
        chroma: both planes in 8 bits, as large as luma or smaller; 128 all over if it is grey.
    """

    time: float
    luma: Plane
    chroma: tuple[Plane, Plane]


class Footage:
    """The first video track of a file, cover pictures aside.

    Attributes:
        width: pixels as coded.
        height: pixels as coded.
        rate: mean frames per second, None if unknown.
        duration: seconds, 0 if the file does not say.
        codec: FFmpeg's name of it.
    """

    def __init__(self, file: RawIOBase) -> None:
        """Open it.

        Args:
            file: readable and seekable; closed by the caller.

        Raises:
            FootageError: it is no media, or has no video.
        """
        try:
            self._container = open_media(file)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise FootageError(f"Not a media file that can be read: {error}") from error
        tracks = [track for track in self._container.streams.video if not _is_cover(track)]
        if not tracks:
            self._container.close()
            raise FootageError("The file has no video")
        self._stream: VideoStream = tracks[0]
        self._stream.thread_type = "AUTO"
        self._describe()

    def close(self) -> None:
        """Close the file's container; the file stays open."""
        self._container.close()

    def piece(self, start: float, stop: float) -> Iterator[Shown]:
        """Decode from one time to another; what is damaged is left out.

        Args:
            start: seconds since the film's first frame.
            stop: seconds; the piece ends before it.

        Yields:
            Frames in the order of their times, valid until the next is taken.
        """
        last = -np.inf
        for time, frame in self._timed(start):
            if time >= stop:
                return
            if time > last and time >= start - _TICK:
                last = time
                yield self._shown(time, frame)

    def _describe(self) -> None:
        stream, container = self._stream, self._container
        self.width, self.height = stream.width, stream.height
        rate = stream.average_rate or stream.guessed_rate
        self.rate = float(rate) if rate else None
        self.codec = stream.codec_context.name
        self._base = float(stream.time_base or 0) or 1 / 90_000
        self._origin = (stream.start_time or 0) * self._base
        if stream.duration:
            self.duration = stream.duration * self._base
        else:
            self.duration = (container.duration or 0) / av.time_base

    def _timed(self, start: float) -> Iterator[tuple[float, VideoFrame]]:
        """Frames from the keyframe before `start` on; those without a time follow at the rate."""
        step, next_time = 1 / (self.rate or _USUAL_RATE), 0.0
        self._seek(start)
        for frame in self._frames():
            time = next_time if frame.pts is None else frame.pts * self._base - self._origin
            next_time = time + step
            yield time, frame

    def _seek(self, start: float) -> None:
        place = int((start + self._origin) / self._base)
        try:
            self._container.seek(place, stream=self._stream)
        except (av.FFmpegError, OSError):
            self._container.seek(0)

    def _frames(self) -> Iterator[VideoFrame]:
        damaged = 0
        for packet in self._packets():
            try:
                frames = self._stream.decode(packet)
            except av.FFmpegError:
                damaged += 1
                if damaged > _PATIENCE:
                    return
                continue
            damaged = 0
            yield from frames

    def _packets(self) -> "Iterator[Packet[VideoStream]]":
        try:
            yield from self._container.demux(self._stream)
        except (av.FFmpegError, OSError):
            return  # the rest cannot be read

    def _shown(self, time: float, frame: VideoFrame) -> Shown:
        if (frame.width, frame.height) != (self.width, self.height) or not _has_three_planes(frame):
            frame = frame.reformat(self.width, self.height, "yuv420p")
        luma, *chroma = map(_rows, frame.planes[:3])
        return Shown(time, luma, (chroma[0], chroma[1]))


def _rows(plane: VideoPlane) -> Plane:
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    whole: Plane = rows[: plane.height, : plane.width]
    return whole


def _is_cover(track: VideoStream) -> bool:
    return bool(track.disposition & av.stream.Disposition.attached_pic)


def _has_three_planes(frame: VideoFrame) -> bool:
    """Whether luma and each part of chroma have a plane of their own, as NV12's chroma has not."""
    layout = frame.format
    is_yuv = layout.is_planar and not layout.is_rgb and not layout.has_palette
    return is_yuv and len(frame.planes) > 2 and layout.components[0].bits == _EIGHT_BITS  # noqa: PLR2004 - one of luma, two of chroma
