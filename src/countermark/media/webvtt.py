"""A file's own text subtitles as WebVTT, which is what browsers show.

FFmpeg decodes every text format to lines of Advanced SubStation Alpha; what of their styling
WebVTT has no word for is left out. https://www.w3.org/TR/webvtt1/
"""

import re
from collections.abc import Iterable
from io import FileIO

import av

# PyAV loads it at the first subtitle track, which is too late in a probe that may open no file.
import av.subtitles.codeccontext
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle

from countermark.media.demuxing import open_media
from countermark.media.description import MOST_TEXT_TRACKS, TextTrack
from countermark.media.tracks import describe_subtitles

TEXT_CODECS = frozenset({"ass", "mov_text", "ssa", "subrip", "text", "webvtt"})
MOST_BYTES = 1 << 20
_MOST_TOTAL = 3 << 20
_LONGEST_MS = 3_600_000 * 1000
# For a cue that doesn't say when it ends.
_DEFAULT_MS = 5000
_FIELDS_BEFORE_TEXT = 8
_OVERRIDE = re.compile(r"\{[^{}]*\}")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\xa0": "&nbsp;"})


def extract(file: FileIO) -> tuple[TextTrack, ...]:
    """Read the text subtitles of an open file to its end; the file's position is changed.

    A track that would be over 1 MiB, or that puts all of them over 3 MiB, ends there.
    """
    try:
        with open_media(file) as container:
            streams = [one for one in container.streams.subtitles if _is_text(one)][
                :MOST_TEXT_TRACKS
            ]
            if not streams:
                return ()
            cues = _Cues(streams)
            _read(container.demux(*streams), cues)
            return tuple(
                TextTrack(describe_subtitles(stream).language, "WEBVTT\n\n" + "".join(lines))
                for stream in streams
                if (lines := cues.of[stream.index])
            )
    except av.error.MemoryError as error:
        raise MemoryError from error
    except av.FFmpegError:
        return ()


def cue(start_ms: int, stop_ms: int, text: str) -> str:
    """One cue, with what would end it early or mean something taken out; "" if nothing is left."""
    lines = (" ".join(_UNSEEN.sub(" ", line).split(" ")).strip() for line in text.split("\n"))
    # A blank line would end the cue.
    shown = "\n".join(line for line in lines if line).translate(_ESCAPES)
    if not shown or not 0 <= start_ms < stop_ms <= _LONGEST_MS:
        return ""
    return f"{timestamp(start_ms)} --> {timestamp(stop_ms)}\n{shown}\n\n"


def timestamp(ms: int) -> str:
    """A time as WebVTT writes it, such as 01:02:03.004."""
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{ms:03}"


def plain_text(dialogue: str) -> str:
    """The text of an event of Advanced SubStation Alpha, as FFmpeg's decoders give it."""
    text = dialogue.split(",", _FIELDS_BEFORE_TEXT)[-1]
    text = _OVERRIDE.sub("", text)
    return text.replace(r"\N", "\n").replace(r"\n", "\n").replace(r"\h", "\xa0")


class _Cues:
    def __init__(self, streams: list[SubtitleStream]) -> None:
        self.of: dict[int, list[str]] = {stream.index: [] for stream in streams}
        self._sizes = dict.fromkeys(self.of, 0)

    def add(self, index: int, text: str) -> None:
        size = self._sizes[index] + len(text.encode())
        if size <= MOST_BYTES and sum(self._sizes.values()) + len(text) <= _MOST_TOTAL:
            self.of[index].append(text)
            self._sizes[index] = size


def _read(packets: Iterable["av.Packet[av.stream.Stream]"], cues: _Cues) -> None:
    try:
        for packet in packets:
            for text in _texts(packet):
                start, stop = cue_span(packet)
                cues.add(packet.stream.index, cue(start, stop, text))
    except av.FFmpegError:
        return  # cut off in the middle: what came before is of use


def _texts(packet: "av.Packet[av.stream.Stream]") -> list[str]:
    if packet.pts is None or packet.size == 0:
        return []
    try:
        decoded = packet.decode()
    except av.FFmpegError:
        return []
    return [
        plain_text(rect.ass.decode("utf-8", "replace"))
        for rect in decoded
        if isinstance(rect, AssSubtitle)
    ]


def cue_span(packet: "av.Packet[av.stream.Stream]") -> tuple[int, int]:
    """When a cue is shown and hidden, milliseconds of the file's time."""
    start = round((packet.pts or 0) * packet.time_base * 1000)
    length = round((packet.duration or 0) * packet.time_base * 1000)
    return start, start + (length or _DEFAULT_MS)


def _is_text(stream: SubtitleStream) -> bool:
    context = stream.codec_context
    return context is not None and context.codec.canonical_name in TEXT_CODECS
