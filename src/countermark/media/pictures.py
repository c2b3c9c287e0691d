"""A film as upright, progressive pictures of one size, 8 bits, 4:2:0, ready to be marked."""

import math
from collections.abc import Iterator
from fractions import Fraction
from io import FileIO
from typing import TYPE_CHECKING, cast

import av

from countermark.errors import DamagedMediaError, MissingTrackError
from countermark.media.encoding_settings import Speed, VideoSettings
from countermark.media.lanes import Span
from countermark.media.picture import Picture
from countermark.media.reading import packets_of
from countermark.media.segment_encoder import EncoderSettings
from countermark.media.shown_pictures import PicturePlan, ShownPictures
from countermark.media.survey import Survey, open_input

if TYPE_CHECKING:
    from av.video.stream import VideoStream

# x264's presets, and how many pictures each looks ahead.
_PRESETS: dict[Speed, tuple[str, int]] = {
    "fastest": ("superfast", 0),
    "fast": ("veryfast", 10),
    "medium": ("medium", 40),
    "slow": ("slow", 50),
    "slowest": ("slower", 60),
}
_QUALITY = 22
# Time bases finer or coarser than these are replaced by that of MPEG systems.
_MPEG_TIME_BASE = Fraction(1, 90_000)
_FINEST = Fraction(1, 1_000_000)
_COARSEST = Fraction(1, 240)


class Pictures:
    """The pictures of a film in the order in which they are shown, from its beginning.

    Args:
        file: open for reading; closed by the caller.
        source: what a survey of it found.
        settings: what the pictures shall be.
        segment_seconds: about how long the segments are that they are encoded in.

    Attributes:
        time_base: unit of the pictures' times, seconds; zero is where the film begins.
        seconds: how long the film says that it is; None if it does not.
        encoder: the settings of an encoder for them.
        damaged: how many could not be decoded.

    Raises:
        MissingTrackError: there are none.
    """

    def __init__(
        self, file: FileIO, source: Survey, settings: VideoSettings, segment_seconds: float
    ) -> None:
        if source.picture is None:
            raise MissingTrackError("It has no pictures. Use another input.")
        self._container = open_input(file)
        self._stream = cast("VideoStream", self._container.streams[source.picture.index])
        plan = PicturePlan(source.picture, settings, Span(source.origin, None))
        self._shown = ShownPictures(self._stream, plan)
        fits = _FINEST <= self._shown.time_base <= _COARSEST
        self.time_base = Fraction(self._shown.time_base if fits else _MPEG_TIME_BASE)
        self.seconds = source.seconds
        look = self._shown.look
        preset, lookahead = _PRESETS[settings.speed or "medium"]
        rate = plan.rate.limit_denominator(1001)
        self.encoder = EncoderSettings(
            width=look.canvas.width,
            height=look.canvas.height,
            rate=rate.as_integer_ratio(),
            colours=look.colours,
            crf=_QUALITY if settings.quality is None else settings.quality,
            preset=preset,
            # As x264 bounds it for streams that have a keyframe as often.
            lookahead=min(lookahead, math.ceil(rate * Fraction(segment_seconds))),
        )

    @property
    def damaged(self) -> int:
        """Packets that could not be decoded."""
        return self._shown.damaged

    def __iter__(self) -> Iterator[Picture]:
        """Yield the pictures.

        Raises:
            DamagedMediaError: the film is cut off, or much of it is damaged.
        """
        last = -1
        for frame in self._frames():
            # The filter that deinterlaces counts in halves of what it was given.
            shown_at = round((frame.pts or 0) * (frame.time_base or 0) / self.time_base)
            if shown_at > last:
                last = shown_at
                yield Picture(frame, shown_at)

    def close(self) -> None:
        """Close the file's container; the file stays open."""
        self._container.close()

    def _frames(self) -> Iterator[av.VideoFrame]:
        try:
            for packet in packets_of(self._container, [self._stream]):
                yield from self._shown.take(packet)
        except (av.error.InvalidDataError, av.error.EOFError) as error:
            raise DamagedMediaError from error
        yield from self._shown.finish()
