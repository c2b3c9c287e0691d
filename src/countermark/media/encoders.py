"""Which of FFmpeg's encoders makes a format, and what our settings are called there."""

from fractions import Fraction

from msgspec import Struct

from countermark.errors import MediaSettingsError
from countermark.media.encoding_settings import (
    AudioCodec,
    AudioSettings,
    Container,
    Speed,
    VideoCodec,
    VideoSettings,
)
from countermark.media.hdr_metadata import HdrMetadata, svt_parameters, x265_parameters

DEFAULT_KEYFRAME_MS = 2000

# FFmpeg's muxers.
MUXERS: dict[Container, str] = {
    "mp4": "mp4",
    "mov": "mov",
    "m4a": "ipod",
    "mkv": "matroska",
    "webm": "webm",
    "mp3": "mp3",
    "ogg": "ogg",
    "flac": "flac",
}
VIDEO_CODECS: dict[Container, frozenset[VideoCodec]] = {
    "mp4": frozenset({"h264", "hevc", "av1", "vp9"}),
    "mov": frozenset({"h264", "hevc"}),
    "mkv": frozenset({"h264", "hevc", "av1", "vp9"}),
    "webm": frozenset({"av1", "vp9"}),
}
AUDIO_CODECS: dict[Container, frozenset[AudioCodec]] = {
    "mp4": frozenset({"aac", "opus", "mp3", "flac"}),
    "mov": frozenset({"aac", "mp3"}),
    "m4a": frozenset({"aac"}),
    "mkv": frozenset({"aac", "opus", "mp3", "flac"}),
    "webm": frozenset({"opus"}),
    "mp3": frozenset({"mp3"}),
    "ogg": frozenset({"opus", "flac"}),
    "flac": frozenset({"flac"}),
}


class Encoder(Struct, frozen=True):
    """An encoder with its options.

    Attributes:
        name: FFmpeg's name for it.
        options: FFmpeg's options, generic and its own.
        tag: The sample entry in the ISO base media family; "" for the usual one.
    """

    name: str
    options: dict[str, str]
    tag: str = ""


class VideoNeeds(Struct, frozen=True):
    """What the encoder of the pictures must know beside its settings.

    Attributes:
        bitrate: Average or most, bit/s; None without a bound.
        rate: Frames per second, on average.
        hdr: Metadata to carry.
    """

    bitrate: int | None
    rate: Fraction
    hdr: HdrMetadata | None


_QUALITIES: dict[VideoCodec, int] = {"h264": 22, "hevc": 25, "av1": 32, "vp9": 32}
_X26X: dict[Speed, str] = {
    "fastest": "ultrafast",
    "fast": "veryfast",
    "medium": "medium",
    "slow": "slow",
    "slowest": "veryslow",
}
_SVT: dict[Speed, str] = {"fastest": "12", "fast": "10", "medium": "8", "slow": "6", "slowest": "4"}
_VPX: dict[Speed, str] = {"fastest": "5", "fast": "4", "medium": "3", "slow": "2", "slowest": "1"}


def video_encoder(settings: VideoSettings, needs: VideoNeeds) -> Encoder:
    """The encoder of the pictures.

    Raises:
        MediaSettingsError: It has no such setting.
    """
    codec = settings.codec or "h264"
    _check(settings, codec)
    interval = settings.keyframe_interval or DEFAULT_KEYFRAME_MS
    options = {"g": str(max(1, round(needs.rate * interval / 1000)))}
    options |= _rate_control(settings, codec, needs.bitrate)
    speed = settings.speed or "medium"
    match codec:
        case "hevc":
            own = {"preset": _X26X[speed], "x265-params": _x265(needs.hdr)}
            return Encoder("libx265", options | own | _profile(settings), "hvc1")
        case "av1":
            parameters = svt_parameters(needs.hdr) if needs.hdr else {}
            own = {"preset": _SVT[speed]}
            own |= {"svtav1-params": _joined(parameters)} if parameters else {}
            return Encoder("libsvtav1", options | own)
        case "vp9":
            own = {"deadline": "good", "cpu-used": _VPX[speed], "row-mt": "1", "tile-columns": "2"}
            return Encoder("libvpx-vp9", options | own)
        case _:
            own = {"preset": _X26X[speed]}
            return Encoder("libx264", options | own | _profile(settings))


def pixel_format(settings: VideoSettings, *, hdr: bool) -> str:
    """FFmpeg's name of the pixel format to encode."""
    bits = settings.bit_depth or (10 if hdr else 8)
    return "yuv420p10le" if bits > 8 else "yuv420p"  # noqa: PLR2004 - bits of a byte


def _check(settings: VideoSettings, codec: VideoCodec) -> None:
    if settings.profile and codec not in {"h264", "hevc"}:
        raise MediaSettingsError(f"video.profile: {codec} has none to choose.")
    if settings.passes == 2 and codec not in {"h264", "hevc"}:  # noqa: PLR2004 - passes
        raise MediaSettingsError(f"video.passes: {codec} is encoded in one pass only.")
    if settings.passes == 2 and settings.bitrate is None:  # noqa: PLR2004 - passes
        raise MediaSettingsError("video.passes: two passes need a bitrate to aim at.")
    if settings.bit_depth == 10 and codec == "vp9":  # noqa: PLR2004 - bits
        raise MediaSettingsError("video.bit_depth: vp9 is encoded with 8 bits only.")


def _profile(settings: VideoSettings) -> dict[str, str]:
    return {"profile": settings.profile} if settings.profile else {}


def _x265(hdr: HdrMetadata | None) -> str:
    parameters = {"log-level": "none"}
    if hdr:
        parameters |= {"hdr10": "1", "repeat-headers": "1", **x265_parameters(hdr)}
    return _joined(parameters)


def _joined(parameters: dict[str, str]) -> str:
    return ":".join(f"{name}={value}" for name, value in parameters.items())


def _rate_control(
    settings: VideoSettings, codec: VideoCodec, bitrate: int | None
) -> dict[str, str]:
    quality = _QUALITIES[codec] if settings.quality is None else settings.quality
    if bitrate is None:
        return {"crf": str(quality), "b": "0"}
    if settings.quality is None:
        return {"b": str(bitrate), "maxrate": str(bitrate * 3 // 2), "bufsize": str(bitrate * 2)}
    if codec == "vp9":  # here the average is the most that a quality may cost
        return {"crf": str(quality), "b": str(bitrate)}
    return {"crf": str(quality), "maxrate": str(bitrate), "bufsize": str(bitrate * 2)}


class SoundFormat(Struct, frozen=True):
    """What an encoder of sound takes.

    Attributes:
        encoder: FFmpeg's name for it.
        sample: FFmpeg's name of the form of a sample.
        rates: Samples per second, ascending.
        layouts: Arrangements of channels, by their number, ascending.
        bitrate: Bit/s for each channel; 0 where none can be chosen.
    """

    encoder: str
    sample: str
    rates: tuple[int, ...]
    layouts: tuple[tuple[int, str], ...]
    bitrate: int


_MONO_STEREO = ((1, "mono"), (2, "stereo"))
_SURROUND = (*_MONO_STEREO, (3, "3.0"), (4, "4.0"), (5, "5.0"), (6, "5.1"), (8, "7.1"))
_VORBIS = (*_MONO_STEREO, (3, "3.0"), (4, "quad"), (5, "5.0"), (6, "5.1"), (8, "7.1"))
_MPEG_RATES = (16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
SOUND_FORMATS: dict[AudioCodec, SoundFormat] = {
    "aac": SoundFormat("aac", "fltp", (8000, 11_025, 12_000, *_MPEG_RATES), _SURROUND, 64_000),
    "opus": SoundFormat("libopus", "flt", (48_000,), _VORBIS, 64_000),
    "mp3": SoundFormat("libmp3lame", "fltp", _MPEG_RATES, _MONO_STEREO, 96_000),
    "flac": SoundFormat(
        "flac", "s32", (*_MPEG_RATES, 88_200, 96_000, 176_400, 192_000), _SURROUND, 0
    ),
}


def audio_encoder(settings: AudioSettings, bitrate: int | None, channels: int) -> Encoder:
    """The encoder of the sound.

    Args:
        settings: The output's.
        bitrate: Bit/s; None for what the number of channels asks for.
        channels: How many there are.
    """
    format_ = SOUND_FORMATS[settings.codec or "aac"]
    if not format_.bitrate:
        return Encoder(format_.encoder, {})
    return Encoder(format_.encoder, {"b": str(bitrate or format_.bitrate * channels)})


def check_container(
    container: Container, video: VideoCodec | None, audio: AudioCodec | None
) -> None:
    """Refuse what a container can't hold; copied tracks are the muxer's to judge.

    Raises:
        MediaSettingsError: It can't hold one of them.
    """
    for kind, codec, held in (
        ("video", video, VIDEO_CODECS.get(container, frozenset())),
        ("audio", audio, AUDIO_CODECS[container]),
    ):
        if codec not in {None, "copy"} and codec not in held:
            accepted = ", ".join(sorted(held)) or "nothing"
            raise MediaSettingsError(
                f"{kind}.codec: {container} can't hold {codec}; accepted: {accepted}, copy"
            )
