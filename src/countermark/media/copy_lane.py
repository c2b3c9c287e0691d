"""Packets on their way from one container to another, as they are."""

from collections.abc import Iterator
from fractions import Fraction

import av
from av.container import OutputContainer
from av.stream import Disposition, Stream

from countermark.errors import EncryptedMediaError, MediaSettingsError
from countermark.media.lanes import Span, carry_language
from countermark.media.packets import AnyPacket


class CopyLane:
    """Hands packets on with their times moved; a `Lane`.

    A copy can only begin at a keyframe: what comes before the first is left out.

    Raises:
        MediaSettingsError: The container can't hold the track's format.
    """

    def __init__(self, stream: Stream, target: OutputContainer, span: Span) -> None:
        self._stream = stream
        self._time_base = stream.time_base or Fraction(1, av.time_base)
        self._start = round(span.start / self._time_base)
        self._end = None if span.length is None else round(span.length / self._time_base)
        self._output = _output(stream, target)
        self._has_begun = False
        self._latest = 0
        self.is_done = False

    @property
    def seconds(self) -> float:
        """How far it is in the output's time."""
        return float(self._latest * self._time_base)

    def take(self, packet: AnyPacket) -> Iterator[AnyPacket]:
        """Give what comes of a packet; see `Lane`."""
        if packet.has_sidedata("encryption_info"):
            raise EncryptedMediaError
        self._has_begun = self._has_begun or packet.is_keyframe
        time = packet.dts if packet.dts is not None else packet.pts
        if not self._has_begun or time is None:
            return
        time -= self._start
        if self._end is not None and time >= self._end:
            self.is_done = True
            return
        self._latest = max(self._latest, time)
        packet.pts = None if packet.pts is None else packet.pts - self._start
        packet.dts = None if packet.dts is None else packet.dts - self._start
        packet.stream = self._output
        yield packet

    def finish(self) -> Iterator[AnyPacket]:
        """Give what is left; see `Lane`."""
        return iter(())

    def warnings(self) -> list[str]:
        """What was not as it should be."""
        return []


def _output(stream: Stream, target: OutputContainer) -> Stream:
    try:
        output = target.add_stream_from_template(stream, opaque=True)
    except ValueError as error:
        raise MediaSettingsError(
            f"container: {target.format.name} can't hold this input's {stream.type} as it is"
        ) from error
    carry_language(stream, output)
    output.disposition = stream.disposition & ~Disposition.attached_pic
    return output
