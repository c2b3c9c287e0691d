"""Decoding a file that must be flawless: whatever FFmpeg would forgive is an error here."""

from collections.abc import Iterator
from io import RawIOBase

import av

from countermark.media.demuxing import open_media
from countermark.media.picture import Picture


class FlawError(Exception):
    """The file does not decode without complaint."""


def flawless_pictures(file: RawIOBase, *, referenced: bool = False) -> Iterator[Picture]:
    """Decode the first video track.

    Args:
        file: readable and seekable.
        referenced: whether to leave out pictures that no other is predicted from.

    Raises:
        FlawError: FFmpeg failed or warned; the text is what it said.
    """
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture() as said, open_media(file) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1  # so that it says it in this thread
            # Every bit is read just the same without smoothing the blocks' edges.
            stream.codec_context.options = {"err_detect": "explode", "skip_loop_filter": "all"}
            if referenced:
                stream.codec_context.skip_frame = "NONREF"
            for frame in container.decode(stream):
                _raise(said)
                yield Picture(frame, frame.pts or 0)
            _raise(said)
    except av.FFmpegError as error:
        raise FlawError(str(error)) from error
    finally:
        # A threaded decoder that has something to say while it is freed would wait for the
        # interpreter's lock, which whoever frees it holds.
        av.logging.set_level(None)


def _raise(said: list[tuple[int, str, str]]) -> None:
    if said:
        raise FlawError("; ".join(message.strip() for _, _, message in said[:3]))
