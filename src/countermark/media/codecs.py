"""The codecs that an output can have, as clients name and see them.

Their ids never change and are the same everywhere, so that a client may keep them.
"""

from typing import Literal

from msgspec import Struct

from countermark.media.encoding_settings import AudioCodec, VideoCodec


class Codec(Struct, frozen=True):
    """A codec.

    Attributes:
        id: 24 hex digits.
        key: Its name in `EncodingSettings`.
        name: Its label, as in the tracks of files.
        type: What it is for.
        profiles: Names that an output may ask for; none where there is nothing to choose.
        description: For people.
    """

    id: str
    key: VideoCodec | AudioCodec
    name: str
    type: Literal["video", "audio"]
    profiles: tuple[str, ...]
    description: str


_AS_IT_IS = "Takes the input's track as it is: no loss and next to no time"

CODECS: tuple[Codec, ...] = (
    Codec(
        "00000000000000c0dec00001",
        "h264",
        "H.264 / AVC",
        "video",
        ("baseline", "main", "high", "high10"),
        "Plays everywhere",
    ),
    Codec(
        "00000000000000c0dec00002",
        "hevc",
        "H.265 / HEVC",
        "video",
        ("main", "main10"),
        "Half the size of H.264, for newer televisions and Apple's devices",
    ),
    Codec(
        "00000000000000c0dec00003",
        "av1",
        "AV1",
        "video",
        ("main",),
        "Smallest, free, for newer browsers and devices",
    ),
    Codec("00000000000000c0dec00004", "vp9", "VP9", "video", (), "Free, for all browsers"),
    Codec("00000000000000c0dec00005", "copy", "Video as it is", "video", (), _AS_IT_IS),
    Codec("00000000000000c0dec00011", "aac", "MPEG-4 AAC", "audio", ("lc",), "Plays everywhere"),
    Codec(
        "00000000000000c0dec00012",
        "opus",
        "Opus",
        "audio",
        (),
        "The best sound at every bitrate, free, for all browsers",
    ),
    Codec(
        "00000000000000c0dec00013",
        "mp3",
        "MPEG-1 Layer 3 (MP3)",
        "audio",
        (),
        "Plays everywhere, old devices too",
    ),
    Codec(
        "00000000000000c0dec00014",
        "flac",
        "Free Lossless Audio Codec (FLAC)",
        "audio",
        (),
        "Without any loss",
    ),
    Codec("00000000000000c0dec00015", "copy", "Audio as it is", "audio", (), _AS_IT_IS),
)
_BY_ID = {codec.id: codec for codec in CODECS}
_BY_KEY: dict[tuple[str, str], Codec] = {(codec.type, codec.key): codec for codec in CODECS}


def codec_by_id(codec_id: str) -> Codec | None:
    """The codec of this id."""
    return _BY_ID.get(codec_id)


def codec_of(kind: Literal["video", "audio"], key: str) -> Codec:
    """The codec that `EncodingSettings` calls so."""
    return _BY_KEY[kind, key]
