"""The form in which clients write and read presets, and what it means for an encoder.

A preset's target format has a codec for pictures, one for sound or both, each with caps: limits
that hold whatever a job asks for. Its settings say how to encode within them, and so may a job's
output. `EncodingSettings` is what comes of all three.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from countermark.media.codecs import Codec, codec_by_id, codec_of
from countermark.media.encoding_settings import (
    AudioSettings,
    Container,
    EncodingSettings,
    VideoSettings,
    overridden,
)
from countermark.media.picture_size import Size, in_pixels

Pixels = Annotated[int, Meta(ge=16, le=16384)]
Kilobits = Annotated[int, Meta(ge=1, le=1_000_000)]
Profile = Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{2,20}$")]
Extension = Annotated[str, Meta(pattern=r"^[a-z0-9]{1,8}$", description="Without a dot.")]
CodecId = Annotated[str, Meta(pattern="^[0-9a-f]{24}$")]


class PresetFormError(Exception):
    """A preset, or what an output asks for beyond it, cannot be; the text says why."""


class CodecName(Struct, frozen=True, kw_only=True):
    """Names a codec."""

    id: CodecId


class VideoCaps(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Limits on pictures; those on reference frames and buffers are kept, and not needed."""

    interlaced: Literal[False] | None = None
    max_key_distance: (
        Annotated[float, Meta(ge=0.1, le=20, description="Seconds from keyframe to keyframe.")]
        | None
    ) = None
    max_width: Pixels | None = None
    max_height: Pixels | None = None
    max_framerate: Annotated[float, Meta(gt=0, le=240)] | None = None
    max_bitrate: Kilobits | None = None
    max_ref_frames: Annotated[int, Meta(ge=1, le=16)] | None = None
    max_buffersize: Kilobits | None = None


class AudioCaps(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Limits on sound; that on the bit depth is kept, and not needed."""

    max_bitdepth: Annotated[int, Meta(ge=8, le=32)] | None = None
    max_channels: Annotated[int, Meta(ge=1, le=8)] | None = None
    max_samplingrate: Annotated[int, Meta(ge=8000, le=192_000)] | None = None
    max_bitrate: Annotated[int, Meta(ge=6, le=10_000)] | None = None


class VideoFormat(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The codec of pictures."""

    codec: CodecName
    profile: Profile | None = None
    passes: Literal[1, 2] | None = None
    caps: VideoCaps = VideoCaps()


class AudioFormat(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The codec of sound; there is one pass, whatever is asked for."""

    codec: CodecName
    profile: Profile | None = None
    passes: Literal[1, 2] | None = None
    caps: AudioCaps = AudioCaps()


class TargetFormat(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What kind of file comes out; without a codec for something, it has none of that."""

    extension: Extension | None = None
    container: Container
    vcodec: VideoFormat | None = None
    acodec: AudioFormat | None = None


class FormSettings(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How to encode, in a preset or in an output that departs from its preset."""

    video: VideoSettings | None = None
    audio: AudioSettings | None = None
    subtitles: bool | None = None


class Wanted(Struct, frozen=True, kw_only=True):
    """What an output is to be, before the input is known.

    Attributes:
        extension: Of the file's name, without a dot.
        settings: As they were asked for.
        video_caps: Limits on the pictures.
        audio_caps: Limits on the sound.
    """

    extension: str
    settings: EncodingSettings
    video_caps: VideoCaps = VideoCaps()
    audio_caps: AudioCaps = AudioCaps()


def want(target: TargetFormat, *settings: FormSettings) -> Wanted:
    """Put together a preset's format, its settings, and an output's, the last word the last.

    Raises:
        PresetFormError: they contradict each other.
    """
    if target.vcodec is None and target.acodec is None:
        raise PresetFormError("target_format: give vcodec, acodec or both")
    video, audio, subtitles = _video(target), _audio(target), None
    for one in settings:
        _check_words(one, target)
        video = overridden(video, one.video) if video else None
        audio = overridden(audio, one.audio) if audio else None
        subtitles = subtitles if one.subtitles is None else one.subtitles
    return Wanted(
        extension=target.extension or target.container,
        settings=EncodingSettings(target.container, video, audio, subtitles),
        video_caps=target.vcodec.caps if target.vcodec else VideoCaps(),
        audio_caps=target.acodec.caps if target.acodec else AudioCaps(),
    )


def within_caps(
    wanted: Wanted, picture: Size | None, video_bitrate: int | None, audio_bitrate: int | None
) -> EncodingSettings:
    """The settings with every limit kept.

    Args:
        wanted: What the output is to be.
        picture: The input's upright picture, if it has one; percentages are of it.
        video_bitrate: The input's, kbit/s, if known; percentages are of it, too.
        audio_bitrate: Likewise.
    """
    settings = wanted.settings
    video, audio = settings.video, settings.audio
    if video and video.codec != "copy":
        video = _video_within(video, wanted.video_caps, picture, video_bitrate)
    if audio and audio.codec != "copy":
        audio = _audio_within(audio, wanted.audio_caps, audio_bitrate)
    return replace(settings, video=video, audio=audio)


def form_of(settings: EncodingSettings, extension: str) -> tuple[TargetFormat, FormSettings]:
    """The form of a preset that is given as an encoder's settings."""
    video, audio = settings.video, settings.audio
    target = TargetFormat(
        extension=extension,
        container=settings.container,
        vcodec=_video_format(video) if video else None,
        acodec=_audio_format(audio) if audio else None,
    )
    # What the format says is not said again.
    said = FormSettings(
        video=video and replace(video, codec=None, profile=None, passes=None),
        audio=audio and replace(audio, codec=None),
        subtitles=settings.subtitles,
    )
    return target, said


def _video_format(video: VideoSettings) -> VideoFormat:
    codec = CodecName(id=codec_of("video", video.codec or "h264").id)
    caps = VideoCaps(
        max_width=video.width if isinstance(video.width, int) else None,
        max_height=video.height if isinstance(video.height, int) else None,
    )
    return VideoFormat(codec=codec, profile=video.profile, passes=video.passes, caps=caps)


def _audio_format(audio: AudioSettings) -> AudioFormat:
    caps = AudioCaps(max_channels=audio.channels, max_samplingrate=audio.samplingrate)
    return AudioFormat(codec=CodecName(id=codec_of("audio", audio.codec or "aac").id), caps=caps)


def _video(target: TargetFormat) -> VideoSettings | None:
    if target.vcodec is None:
        return None
    given, codec = target.vcodec, _codec(target.vcodec.codec.id, "video", "vcodec")
    _check_profile(codec, given.profile, "vcodec")
    distance = given.caps.max_key_distance
    return VideoSettings(
        codec=codec.key,  # type: ignore[arg-type]  # a video codec has a key of video codecs
        profile=given.profile.lower() if given.profile else None,
        passes=given.passes,
        keyframe_interval=round(distance * 1000) if distance else None,
    )


def _audio(target: TargetFormat) -> AudioSettings | None:
    if target.acodec is None:
        return None
    codec = _codec(target.acodec.codec.id, "audio", "acodec")
    _check_profile(codec, target.acodec.profile, "acodec")
    return AudioSettings(codec=codec.key)  # type: ignore[arg-type]  # as above, of audio codecs


def _codec(codec_id: str, kind: str, name: str) -> Codec:
    codec = codec_by_id(codec_id)
    if codec is None or codec.type != kind:
        raise PresetFormError(f"target_format.{name}.codec: {codec_id} is no codec for {kind}")
    return codec


def _check_profile(codec: Codec, profile: str | None, name: str) -> None:
    if profile is not None and profile.lower() not in codec.profiles:
        accepted = " or ".join(codec.profiles) or "none"
        raise PresetFormError(
            f"target_format.{name}.profile: {profile!r} is not accepted; accepted: {accepted}"
        )


def _check_words(settings: FormSettings, target: TargetFormat) -> None:
    """The codec is the format's to say, so that the container always fits it."""
    if settings.video and settings.video.codec is not None:
        raise PresetFormError("settings.video.codec: the preset's target_format has it")
    if settings.audio and settings.audio.codec is not None:
        raise PresetFormError("settings.audio.codec: the preset's target_format has it")
    if settings.video and target.vcodec is None:
        raise PresetFormError("settings.video: the preset has no video")
    if settings.audio and target.acodec is None:
        raise PresetFormError("settings.audio: the preset has no audio")


def _video_within(
    video: VideoSettings, caps: VideoCaps, picture: Size | None, bitrate: int | None
) -> VideoSettings:
    width = in_pixels(video.width, picture.width) if picture else video.width
    height = in_pixels(video.height, picture.height) if picture else video.height
    size = (width, height)
    if caps.max_width is not None or caps.max_height is not None:
        size = (_least(width, caps.max_width), _least(height, caps.max_height))
    return replace(
        video,
        width=size[0],
        height=size[1],
        framerate=_least(video.framerate, caps.max_framerate),
        bitrate=_least(_in_kilobits(video.bitrate, bitrate), caps.max_bitrate),
    )


def _audio_within(audio: AudioSettings, caps: AudioCaps, bitrate: int | None) -> AudioSettings:
    return replace(
        audio,
        channels=_least(audio.channels, caps.max_channels),
        samplingrate=_least(audio.samplingrate, caps.max_samplingrate),
        bitrate=_least(_in_kilobits(audio.bitrate, bitrate), caps.max_bitrate),
    )


def _in_kilobits(wanted: int | str | None, of: int | None) -> int | str | None:
    if isinstance(wanted, str) and of:
        return max(1, round(of * float(wanted.removesuffix("%")) / 100))
    return wanted


def _least(wanted: Any, cap: float | None) -> Any:
    """The smaller one; a percentage of something unknown gives way to the cap."""
    if cap is None:
        return wanted
    if wanted is None or isinstance(wanted, str):
        return cap
    return min(wanted, cap)
