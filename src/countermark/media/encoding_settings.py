"""What an output is to be: the settings that presets hold and that a job's outputs override.

Every field may be left open. What a job leaves open its preset decides, what both leave open the
defaults of `countermark.media.encoders` and of the field's own text.
"""

from typing import Annotated, Literal, TypeVar

from msgspec import Meta, Struct
from msgspec.structs import fields, replace

Percent = Annotated[str, Meta(pattern=r"\A[1-9][0-9]{0,2}(?:\.[0-9]{1,3})?%\Z")]
Pixels = Annotated[int, Meta(ge=16, le=16384)]
Kilobits = Annotated[int, Meta(ge=1, le=1_000_000)]
Milliseconds = Annotated[int, Meta(ge=0, le=2**53)]

VideoCodec = Literal["h264", "hevc", "av1", "vp9", "copy"]
AudioCodec = Literal["aac", "opus", "mp3", "flac", "copy"]
Container = Literal["mp4", "mov", "mkv", "webm", "m4a", "mp3", "ogg", "flac"]
Speed = Literal["fastest", "fast", "medium", "slow", "slowest"]


class Crop(Struct, frozen=True, forbid_unknown_fields=True):
    """Pixels to cut off the upright picture's sides, before it is scaled."""

    left: Annotated[int, Meta(ge=0, le=16384)] = 0
    right: Annotated[int, Meta(ge=0, le=16384)] = 0
    top: Annotated[int, Meta(ge=0, le=16384)] = 0
    bottom: Annotated[int, Meta(ge=0, le=16384)] = 0


class VideoSettings(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The pictures of an output.

    Attributes:
        codec: The format; "copy" takes the packets as they are.
        profile: The format's profile, such as "high".
        width: Pixels, or percent of the input's upright width.
        height: Pixels, or percent of the input's upright height.
        fit: What becomes of the shape where both are given: "inside" keeps it and fits into the
            box (a portrait picture into the box turned on its side), "pad" fills the rest with
            black, "cut" fills the box and cuts off what stands over, "stretch" distorts.
            Default "inside".
        upscale: Whether a picture may become larger than it was. Default false.
        quality: Constant quality on the encoder's own scale (CRF), lower is better.
        bitrate: Average, kbit/s, or percent of the input track's; instead of a quality, or with
            it the most that quality may cost.
        passes: 2 reads the input twice and spends the average bitrate where it is needed.
        framerate: At most so many frames per second; variable rates stay variable below it.
        keyframe_interval: At most so long from keyframe to keyframe. Default 2000.
        speed: How long the encoder may think. Default "medium".
        bit_depth: Bits per sample. Default 8, or 10 where high dynamic range is kept.
        hdr: What becomes of high dynamic range: "tone-map" makes it look right on ordinary
            screens, "keep" carries it. Default "tone-map".
        deinterlace: "auto" does where the pictures say that they are interlaced. Default "auto".
        crop: What to cut off.
    """

    codec: VideoCodec | None = None
    profile: Annotated[str, Meta(pattern=r"\A[a-z0-9]{2,20}\Z")] | None = None
    width: Pixels | Percent | None = None
    height: Pixels | Percent | None = None
    fit: Literal["inside", "pad", "cut", "stretch"] | None = None
    upscale: bool | None = None
    quality: Annotated[int, Meta(ge=0, le=63)] | None = None
    bitrate: Kilobits | Percent | None = None
    passes: Literal[1, 2] | None = None
    framerate: Annotated[float, Meta(gt=0, le=240)] | None = None
    keyframe_interval: Annotated[int, Meta(ge=100, le=20_000)] | None = None
    speed: Speed | None = None
    bit_depth: Literal[8, 10] | None = None
    hdr: Literal["tone-map", "keep"] | None = None
    deinterlace: Literal["auto", "always", "never"] | None = None
    crop: Crop | None = None


class AudioSettings(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The sound of an output.

    Attributes:
        codec: The format; "copy" takes the packets as they are.
        bitrate: Average, kbit/s, or percent of the input track's.
        channels: At most so many; more are mixed down. Default 2.
        samplingrate: Samples per second. Default the input's, where the format allows it.
        loudness: Integrated loudness to bring the whole to, LUFS (EBU R 128), such as -16.
    """

    codec: AudioCodec | None = None
    bitrate: Annotated[int, Meta(ge=6, le=10_000)] | Percent | None = None
    channels: Annotated[int, Meta(ge=1, le=8)] | None = None
    samplingrate: Annotated[int, Meta(ge=8000, le=192_000)] | None = None
    loudness: Annotated[float, Meta(ge=-60, le=-5)] | None = None


class EncodingSettings(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An output.

    Attributes:
        container: The file's format.
        video: The pictures; None for an output without.
        audio: The sound; None for an output without.
        subtitles: Whether the input's text subtitles are carried over, as far as the container
            has a form for them. Default true.
    """

    container: Container
    video: VideoSettings | None = None
    audio: AudioSettings | None = None
    subtitles: bool | None = None


class Logo(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A picture to lay over an output.

    Attributes:
        corner: Where it is laid. Default "top-right".
        x: Its distance from the corner's side: pixels, or percent of the output's width.
        y: Its distance from the corner's top or bottom: pixels, or percent of the height.
        width: Pixels, or percent of the output's width; its height follows. Default its own.
        opacity: 0 to 1. Default 1.
    """

    corner: Literal["top-left", "top-right", "bottom-left", "bottom-right"] | None = None
    x: Annotated[int, Meta(ge=0, le=16384)] | Percent | None = None
    y: Annotated[int, Meta(ge=0, le=16384)] | Percent | None = None
    width: Annotated[int, Meta(ge=1, le=16384)] | Percent | None = None
    opacity: Annotated[float, Meta(gt=0, le=1)] | None = None


class ThumbnailSettings(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Pictures taken from an output's input, at even distances.

    Attributes:
        number: How many; at most 1,000. Default 10, where no interval is given.
        interval: How far from one to the next instead, milliseconds.
        width: Pixels, or percent of the input's upright width. Default 320.
        height: Pixels, or percent of the input's upright height.
        fit: As of `VideoSettings`.
        format: "jpeg" or "png". Default "jpeg".
        images: Whether there is a file of each. Default true.
        sprite: Whether there is a sheet of all, with a WebVTT file that tells a player's seek bar
            which part of it belongs to which time. Default false.
        poster: Whether there is a large one of the most telling picture. Default false.
    """

    number: Annotated[int, Meta(ge=1, le=1000)] | None = None
    interval: Annotated[int, Meta(ge=100, le=2**53)] | None = None
    width: Pixels | Percent | None = None
    height: Pixels | Percent | None = None
    fit: Literal["inside", "pad", "cut", "stretch"] | None = None
    format: Literal["jpeg", "png"] | None = None
    images: bool | None = None
    sprite: bool | None = None
    poster: bool | None = None


Settings = TypeVar("Settings", bound=Struct)


def overridden(settings: Settings, wishes: Settings | None) -> Settings:
    """The settings with every field that the wishes decide as these have it."""
    if wishes is None:
        return settings
    decided = {
        field.encode_name: value
        for field in fields(wishes)
        if (value := getattr(wishes, field.name)) is not None
    }
    return replace(settings, **decided)
