"""The type of a packet of whatever track; PyAV's is generic for type checkers only."""

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from av import Packet
    from av.stream import Stream

AnyPacket: TypeAlias = "Packet[Stream]"
