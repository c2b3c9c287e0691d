"""Encoding beside decoding and filtering, so that neither waits for the other."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import av
from av import VideoFrame
from av.video.stream import VideoStream

from countermark.media.packets import AnyPacket

# Pictures that wait to be encoded: enough to even out what single ones cost.
_MOST_WAITING = 4


@contextmanager
def lack_told() -> Iterator[None]:
    """Turns what x264 and its like say when memory is lacking into what it is.

    Raises:
        MemoryError: For an encoder's own error, which is no fault of the input.
    """
    try:
        yield
    except av.error.ExternalError as error:
        raise MemoryError from error


class EncodingThread:
    """Encodes a track's pictures in a thread of its own, in their order.

    Whatever the encoder raises is raised by a later call here. One that is given up without
    `finish` ends with the last reference to it.

    Args:
        output: The track to be made.
    """

    def __init__(self, output: VideoStream) -> None:
        self._output = output
        self._executor = ThreadPoolExecutor(1, "encoding")
        self._under_way: deque[Future[list[AnyPacket]]] = deque()
        self._is_open = False

    def take(self, frame: VideoFrame) -> Iterator[AnyPacket]:
        """Encode a picture, which is not to be changed any more; give the packets that are ready.

        Waits while too many pictures wait.
        """
        if not self._is_open:
            # The first picture opens the encoder, which the muxer would open, too.
            self._is_open = True
            yield from self._encode(frame)
            return
        self._under_way.append(self._executor.submit(self._encode, frame))
        while self._under_way and (
            len(self._under_way) > _MOST_WAITING or self._under_way[0].done()
        ):
            yield from self._under_way.popleft().result()

    def finish(self) -> Iterator[AnyPacket]:
        """Give the rest of the packets; to be called once, at the end."""
        while self._under_way:
            yield from self._under_way.popleft().result()
        self._executor.shutdown()
        yield from self._encode(None)

    def _encode(self, frame: VideoFrame | None) -> list[AnyPacket]:
        with lack_told():
            return list(self._output.encode(frame))
