"""Telling an input that is cut off from one that is whole, once its packets were read."""

import re
from collections.abc import Iterable

import av
from av.container import InputContainer
from av.stream import Stream

from countermark.errors import DamagedMediaError
from countermark.media.packets import AnyPacket

# Headers round, and the end of a last picture is often a guess.
_SLACK_SECONDS = 2.0
_SLACK_PART = 0.05
# A demuxer that met the end of the file within a packet leaves no doubt.
_SLACK_IF_CUT = 0.5
_MATROSKA_DURATION = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


class Completeness:
    """Compares how far packets reached with what the header promised.

    Args:
        source: The input, for its promises.
        streams: Those whose packets will be told.
    """

    def __init__(self, source: InputContainer, streams: Iterable[Stream]) -> None:
        self._start = (source.start_time or 0) / av.time_base
        self._whole = source.duration / av.time_base if source.duration else None
        self._promised = {stream.index: _promised(stream) for stream in streams}
        self._reached = dict.fromkeys(self._promised, 0.0)
        self._is_cut = False

    def note(self, packet: AnyPacket) -> None:
        """Take note of a packet."""
        self._is_cut = self._is_cut or packet.is_corrupt
        if packet.pts is not None and packet.time_base:
            end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
            index = packet.stream_index
            self._reached[index] = max(self._reached[index], end)

    def check(self) -> None:
        """Compare.

        Raises:
            DamagedMediaError: Much is missing at the end.
        """
        for reached, promised in self._pairs():
            missing = promised - reached
            slack = max(_SLACK_SECONDS, _SLACK_PART * (promised - self._start))
            if missing > (_SLACK_IF_CUT if self._is_cut else slack):
                raise DamagedMediaError(
                    f"It is cut off: it ends after {reached - self._start:.1f} of "
                    f"{promised - self._start:.1f} seconds. Upload it again, whole."
                )

    def _pairs(self) -> Iterable[tuple[float, float]]:
        for index, promised in self._promised.items():
            if promised is not None:
                yield self._reached[index], promised
        if self._whole and all(promised is None for promised in self._promised.values()):
            yield max(self._reached.values()), self._start + self._whole


def _promised(stream: Stream) -> float | None:
    """The time at which a track says to end."""
    if stream.duration and stream.time_base:
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    if match := _MATROSKA_DURATION.match(stream.metadata.get("DURATION", "")):
        hours, minutes, seconds = match.groups()
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    return None
