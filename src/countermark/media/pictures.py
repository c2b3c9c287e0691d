"""A film as upright, progressive pictures of one size, 8 bits, 4:2:0, ready to be encoded."""

from collections.abc import Iterator
from fractions import Fraction
from io import FileIO

import av
from av import VideoFrame
from av.video.stream import VideoStream  # noqa: TC002

from countermark.media.demuxing import open_media
from countermark.media.picture import PIXEL_FORMAT, Picture


class Pictures:
    """The pictures of a file's first video track, in the order in which they are shown.

    Attributes:
        width: pixels, even.
        height: pixels, even.
        time_base: seconds of one tick.
        rate: nominal frames per second.
        pixel_aspect: width of a pixel over its height.
        start: time stamp at which the file begins, ticks.
        seconds: how long the file says that it is; 0 if it does not.
    """

    def __init__(self, file: FileIO) -> None:
        self._container = open_media(file)
        self._stream: VideoStream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self.width = self._stream.width // 2 * 2
        self.height = self._stream.height // 2 * 2
        self.time_base = Fraction(self._stream.time_base or Fraction(1, 90_000))
        self.rate = Fraction(self._stream.average_rate or self._stream.guessed_rate or 25)
        self.pixel_aspect = Fraction(self._stream.sample_aspect_ratio or 1)
        self.start = self._stream.start_time or 0
        self.seconds = (self._container.duration or 0) / av.time_base

    def __iter__(self) -> Iterator[Picture]:
        """Yield pictures whose time stamps ascend."""
        last = None
        for frame in self._container.decode(self._stream):
            if frame.pts is None or (last is not None and frame.pts <= last):
                continue
            last = frame.pts
            yield Picture(self._shaped(frame), frame.pts)

    def close(self) -> None:
        """Close the file's container; the file stays open."""
        self._container.close()

    def _shaped(self, frame: VideoFrame) -> VideoFrame:
        if (frame.width, frame.height, frame.format.name) == (
            self.width,
            self.height,
            PIXEL_FORMAT,
        ):
            return frame
        return frame.reformat(self.width, self.height, PIXEL_FORMAT)
