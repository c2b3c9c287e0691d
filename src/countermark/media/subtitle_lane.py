"""Text subtitles on their way into the form that a container has for them."""

from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import av
from av.container import OutputContainer
from av.subtitles.codeccontext import SubtitleCodecContext
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle, SubtitleSet

from countermark.media.encoding_settings import Container
from countermark.media.lanes import Span, carry_language
from countermark.media.packets import AnyPacket
from countermark.media.webvtt import cue_span

# FFmpeg's encoders; other containers have no form for subtitles.
TEXT_ENCODERS: dict[Container, str] = {
    "mp4": "mov_text",
    "mov": "mov_text",
    "mkv": "subrip",
    "webm": "webvtt",
}
_MILLISECOND = Fraction(1, 1000)
# What the encoders read before the first event: a style for it to name.
_HEADER = (
    b"[Script Info]\r\nScriptType: v4.00+\r\n\r\n[V4+ Styles]\r\n"
    b"Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour,"
    b" Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline,"
    b" Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\r\n"
    b"Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1"
    b"\r\n\r\n[Events]\r\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV,"
    b" Effect, Text\r\n"
)
_FIELDS_BEFORE_TEXT = 8
_STYLE = 2


class SubtitleLane:
    """Decodes and encodes text subtitles; a `Lane`.

    Italics and the like are kept as far as the container's form has a word for them.
    """

    def __init__(
        self, stream: SubtitleStream, target: OutputContainer, encoder: str, span: Span
    ) -> None:
        self._stream = stream
        self._start = round(span.start * 1000)
        self._length = None if span.length is None else round(span.length * 1000)
        self._output = cast("SubtitleStream", target.add_stream(encoder))
        carry_language(stream, self._output)
        self._output.time_base = _MILLISECOND
        self._encoder.subtitle_header = _HEADER
        self._latest = 0

    @property
    def seconds(self) -> float:
        """How far it is in the output's time."""
        return self._latest / 1000

    @property
    def is_done(self) -> bool:
        """Whether the span has been seen whole."""
        # Nobody waits for a cue that may never come.
        return True

    def take(self, packet: AnyPacket) -> Iterator[AnyPacket]:
        """Give what comes of a packet; see `Lane`."""
        if packet.pts is None:
            return
        start, stop = (time - self._start for time in cue_span(packet))
        stop = stop if self._length is None else min(stop, self._length)
        start = max(start, 0)
        if start >= stop or start < self._latest:
            return
        self._latest = start
        for line in self._lines(packet):
            yield self._packet(line, start, stop)

    def finish(self) -> Iterator[AnyPacket]:
        """Give what is left; see `Lane`."""
        return iter(())

    def warnings(self) -> list[str]:
        """What was not as it should be."""
        return []

    @property
    def _encoder(self) -> SubtitleCodecContext:
        return self._output.codec_context

    def _lines(self, packet: AnyPacket) -> list[bytes]:
        try:
            rects = self._stream.decode(packet)
        except av.FFmpegError:
            return []
        return [rect.ass for rect in rects if isinstance(rect, AssSubtitle)]

    def _packet(self, line: bytes, start: int, stop: int) -> AnyPacket:
        fields = line.split(b",", _FIELDS_BEFORE_TEXT)
        fields[_STYLE] = b"Default"
        made = self._encoder.encode_subtitle(
            SubtitleSet.create(b",".join(fields), start=0, end=stop - start, pts=start)
        )
        made.stream, made.time_base = self._output, _MILLISECOND
        made.pts = made.dts = start
        made.duration = stop - start
        return cast("AnyPacket", made)
