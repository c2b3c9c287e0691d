"""The presets that are there without anybody making them.

H.264 and AAC in MP4 plays everywhere. Its ladder aims at a constant quality and spends at most
what is usual for the size: quiet pictures cost less, and nothing is upscaled. Where the bound
bites is where a fixed bitrate would have been too low as well.
"""

from typing import NamedTuple

from msgspec.structs import replace

from countermark.media.encoding_settings import (
    AudioSettings,
    EncodingSettings,
    VideoCodec,
    VideoSettings,
)


class BuiltinPreset(NamedTuple):
    """A preset under a name that stays.

    Attributes:
        key: Lower case and hyphens, for commands.
        name: For people.
        description: What it is good for.
        extension: Of the output's name.
        settings: What the output is.
    """

    key: str
    name: str
    description: str
    extension: str
    settings: EncodingSettings


class _Rung(NamedTuple):
    name: str
    width: int
    height: int
    bitrate: int  # the most that H.264 may cost, kbit/s
    audio: int


_LADDER = (
    _Rung("360p", 640, 360, 1000, 96),
    _Rung("480p", 854, 480, 1800, 128),
    _Rung("720p", 1280, 720, 4000, 128),
    _Rung("1080p", 1920, 1080, 7500, 160),
    _Rung("1440p", 2560, 1440, 14_000, 192),
    _Rung("2160p", 3840, 2160, 28_000, 192),
)


def _video(rung: _Rung, codec: VideoCodec, quality: int, share: float) -> VideoSettings:
    """The pictures of a rung, in a format that needs a share of H.264's bitrate."""
    return VideoSettings(
        codec=codec,
        width=rung.width,
        height=rung.height,
        quality=quality,
        bitrate=round(rung.bitrate * share),
    )


def _h264(rung: _Rung) -> BuiltinPreset:
    return BuiltinPreset(
        f"h264-{rung.name}",
        f"H.264 {rung.name}",
        f"MP4 for every player, at most {rung.width} x {rung.height}; starts while it loads.",
        "mp4",
        EncodingSettings(
            "mp4", _video(rung, "h264", 22, 1.0), AudioSettings("aac", bitrate=rung.audio)
        ),
    )


def _hevc(rung: _Rung) -> BuiltinPreset:
    return BuiltinPreset(
        f"hevc-{rung.name}",
        f"HEVC {rung.name}",
        "MP4 for Apple devices and television sets, about two thirds of H.264's size; high dynamic "
        "range is kept.",
        "mp4",
        EncodingSettings(
            "mp4", _keeping_hdr(_video(rung, "hevc", 24, 0.65)), AudioSettings("aac", rung.audio)
        ),
    )


def _av1(rung: _Rung) -> BuiltinPreset:
    return BuiltinPreset(
        f"av1-{rung.name}",
        f"AV1 {rung.name}",
        "MP4 for today's browsers and phones, about half of H.264's size; high dynamic range is "
        "kept.",
        "mp4",
        EncodingSettings(
            "mp4", _keeping_hdr(_video(rung, "av1", 30, 0.55)), AudioSettings("aac", rung.audio)
        ),
    )


def _vp9(rung: _Rung) -> BuiltinPreset:
    return BuiltinPreset(
        f"vp9-{rung.name}",
        f"VP9 {rung.name}",
        "WebM with Opus for browsers, about two thirds of H.264's size.",
        "webm",
        EncodingSettings(
            "webm", _video(rung, "vp9", 31, 0.7), AudioSettings("opus", bitrate=rung.audio)
        ),
    )


def _keeping_hdr(settings: VideoSettings) -> VideoSettings:
    return replace(settings, hdr="keep")


_SOUND = (
    BuiltinPreset(
        "audio-aac",
        "Sound: AAC",
        "The sound alone, as M4A.",
        "m4a",
        EncodingSettings("m4a", audio=AudioSettings("aac", bitrate=160)),
    ),
    BuiltinPreset(
        "audio-mp3",
        "Sound: MP3",
        "The sound alone, for every player.",
        "mp3",
        EncodingSettings("mp3", audio=AudioSettings("mp3", bitrate=192)),
    ),
    BuiltinPreset(
        "audio-opus",
        "Sound: Opus",
        "The sound alone, as Ogg; best at low bitrates.",
        "ogg",
        EncodingSettings("ogg", audio=AudioSettings("opus", bitrate=128)),
    ),
    BuiltinPreset(
        "audio-flac",
        "Sound: FLAC",
        "The sound alone, without loss.",
        "flac",
        EncodingSettings("flac", audio=AudioSettings("flac", channels=8)),
    ),
)
_REMUX = (
    BuiltinPreset(
        "remux-mp4",
        "Remux to MP4",
        "The same pictures and sound in an MP4 that starts while it loads; nothing is encoded.",
        "mp4",
        EncodingSettings("mp4", VideoSettings("copy"), AudioSettings("copy")),
    ),
    BuiltinPreset(
        "remux-mkv",
        "Remux to Matroska",
        "The same pictures and sound in a Matroska file; nothing is encoded.",
        "mkv",
        EncodingSettings("mkv", VideoSettings("copy"), AudioSettings("copy")),
    ),
)

PRESETS: tuple[BuiltinPreset, ...] = (
    *(_h264(rung) for rung in _LADDER),
    *(_hevc(rung) for rung in _LADDER[2:]),
    *(_av1(rung) for rung in _LADDER[2:]),
    *(_vp9(rung) for rung in _LADDER[1:4]),
    *_SOUND,
    *_REMUX,
)
