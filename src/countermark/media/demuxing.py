"""Opening a file's own bytes, and nothing else, with FFmpeg's demuxers.

Some demuxers follow addresses found inside a file: playlists (HLS, DASH, concat), image
sequences, SDP, subtitles with a companion file. A hostile upload could so make the server read
its own files or call into its network. Three bars, each enough alone: the demuxer must be on
our list, no protocol is allowed to open anything, and FFmpeg is handed an open file object
without a name, so that it knows no directory to start from and no suffix to believe.
"""

from io import RawIOBase

import av
from av.container import InputContainer

from countermark.media.mime_types import DEMUXERS

# 134 Mpixel, such as 16384 x 8192: a picture that claims more is refused before it is allocated.
MAX_PIXELS = 2**27

_OPTIONS = {
    "format_whitelist": ",".join(DEMUXERS),
    "protocol_whitelist": "none",
    "max_pixels": str(MAX_PIXELS),
}


def open_media(file: RawIOBase) -> InputContainer:
    """Open a media file for demuxing.

    Args:
        file: Readable and seekable, opened from a descriptor; rewound first, closed by the caller.

    Raises:
        av.FFmpegError: The bytes are not media of a known kind, or are damaged beyond reading.
    """
    file.seek(0)
    # Python's hook makes metadata decoding strict by default; titles in other encodings abound.
    return av.open(
        file, mode="r", options=_OPTIONS, metadata_errors="replace", buffer_size=128 * 1024
    )
