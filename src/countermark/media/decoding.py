"""Decoding a track that may be damaged here and there."""

from typing import TYPE_CHECKING, Generic, TypeVar, cast

import av
from av import AudioFrame, VideoFrame
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from countermark.errors import DamagedMediaError, EncryptedMediaError
from countermark.media.demuxing import MAX_PIXELS

if TYPE_CHECKING:
    from countermark.media.packets import AnyPacket

# A file with more damage than this is not what its owner wants to see converted.
_MOST_DAMAGE = 0.1
_FEW = 25


Frame = TypeVar("Frame", VideoFrame, AudioFrame)


class Decoder(Generic[Frame]):
    """Decodes one track's packets, and counts those that can't be.

    Attributes:
        stream: The track.
        damaged: Packets that couldn't be decoded.
    """

    def __init__(self, stream: VideoStream | AudioStream) -> None:
        self.stream = stream
        self.damaged = 0
        self._packets = 0
        if isinstance(stream, VideoStream):
            stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
            stream.thread_type = "AUTO"

    def frames(self, packet: "AnyPacket | None") -> list[Frame]:
        """Decode a packet; None for what the decoder still holds at the end.

        Raises:
            EncryptedMediaError: The packet is encrypted.
            DamagedMediaError: Too much is damaged.
        """
        if packet is not None:
            self._packets += 1
            if packet.has_sidedata("encryption_info"):
                raise EncryptedMediaError
        try:
            return cast("list[Frame]", self.stream.decode(packet))
        except av.error.MemoryError as error:
            raise MemoryError from error
        except av.error.EOFError:
            return []  # flushed already
        except av.FFmpegError as error:
            self.damaged += 1
            if self.damaged > max(_FEW, _MOST_DAMAGE * self._packets):
                raise DamagedMediaError from error
            return []
