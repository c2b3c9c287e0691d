"""A lane takes the packets of one input track and gives those of one output track."""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple, Protocol

from av.stream import Stream

from countermark.media.packets import AnyPacket


class Span(NamedTuple):
    """The part of the input that is used.

    Attributes:
        start: The input's time that becomes zero, seconds.
        length: Seconds; None for all the rest.
    """

    start: Fraction
    length: Fraction | None


def carry_language(source: Stream, output: Stream) -> None:
    """Have a track of the output say the language that the input's says."""
    if source.language:
        output.metadata["language"] = source.language


class Lane(Protocol):
    """One track on its way."""

    @property
    def seconds(self) -> float:
        """How far it is in the output's time."""
        ...

    @property
    def is_done(self) -> bool:
        """Whether the rest of the input's packets is of no use to it."""
        ...

    def take(self, packet: AnyPacket) -> Iterator[AnyPacket]:
        """Give what comes of a packet, which is not empty."""
        ...

    def finish(self) -> Iterator[AnyPacket]:
        """Give what is left; to be called once, at the end."""
        ...

    def warnings(self) -> list[str]:
        """Sentences on what was not as it should be."""
        ...
