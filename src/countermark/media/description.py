"""What is known about a media file: the fields of the API's file resource that come from its bytes.

The bounds on the fields are not decoration. A description is decoded from the answer of a
process that has touched a hostile file, so nothing passes that these types do not allow.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

# JavaScript clients lose integers above 2**53.
_LARGEST = 2**53

Label = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"\A[ -~]+\Z")]
MimeType = Annotated[str, Meta(max_length=120, pattern=r"\A[a-z]+/[a-z0-9.+-]+\Z")]
Language = Annotated[str, Meta(pattern=r"\A[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z", max_length=35)]
Count = Annotated[int, Meta(ge=1, le=_LARGEST)]
Milliseconds = Annotated[int, Meta(ge=0, le=_LARGEST)]
FrameRate = Annotated[int, Meta(ge=1, le=1000)] | Annotated[float, Meta(gt=0, le=1000)]
PixelAspect = Annotated[str, Meta(max_length=24, pattern=r"\A[1-9][0-9]*:[1-9][0-9]*\Z")]
Orientation = Literal[
    "rotate-90",
    "rotate-180",
    "rotate-270",
    "flip-rotate-0",
    "flip-rotate-90",
    "flip-rotate-180",
    "flip-rotate-270",
]
Subtype = Literal["video", "audio", "image", "subtitle", "zip", "other"]


class VideoTrack(Struct, frozen=True):
    """A video track.

    Attributes:
        video_codec: Label of the codec.
        video_bitrate: Average, kbit/s.
        width: Coded picture width before rotation, pixels.
        height: Coded picture height before rotation, pixels.
        framerate: Average frames per second to two decimals; an int when it is whole.
        aspect_ratio: Shape of one pixel, width:height.
        video_duration: Milliseconds.
        orientation: What to do to the picture before showing it, as a value of GStreamer's
            image-orientation tag: flip left to right first, then turn clockwise. None for
            a picture that is upright already.
    """

    video_codec: Label | None
    video_bitrate: Count | None
    width: Count
    height: Count
    framerate: FrameRate | None
    aspect_ratio: PixelAspect | None
    video_duration: Milliseconds | None
    orientation: Orientation | None


class AudioTrack(Struct, frozen=True):
    """An audio track.

    Attributes:
        audio_codec: Label of the codec.
        audio_bitrate: Average, kbit/s.
        audio_width: Bits of one decoded sample; 16 for codecs that decode to floating point.
        samplingrate: Samples per second.
        nb_channels: Channels.
        audio_duration: Milliseconds.
    """

    audio_codec: Label | None
    audio_bitrate: Count | None
    audio_width: Count | None
    samplingrate: Count | None
    nb_channels: Count | None
    audio_duration: Milliseconds | None


class SubtitleTrack(Struct, frozen=True):
    """A subtitle track.

    Attributes:
        subtitle_codec: Label of the format.
        language: As the file says it, mostly ISO 639-2 ("eng"); None when undetermined.
    """

    subtitle_codec: Label | None
    language: Language | None


class Thumbnail(Struct, frozen=True):
    """A small upright picture with square pixels.

    Attributes:
        mime_type: Always image/jpeg.
        width: Pixels, at most 320.
        height: Pixels, at most 320.
        data: The encoded picture.
    """

    mime_type: Literal["image/jpeg"]
    width: Annotated[int, Meta(ge=1, le=320)]
    height: Annotated[int, Meta(ge=1, le=320)]
    data: Annotated[bytes, Meta(min_length=1, max_length=64 * 1024)]


class Description(Struct, frozen=True):
    """What a file is.

    Attributes:
        container: Label of the container; None for files that are not containers.
        mime_type: Media type as registered with IANA where one is.
        subtype: The file's kind in the API.
        duration: Milliseconds; None for files without a time axis.
        video_tracks: In the file's order; None rather than empty, like the two below.
        audio_tracks: In the file's order.
        subtitle_tracks: In the file's order.
        thumbnail: A telling frame, the picture itself, or an audio file's cover.
    """

    container: Label | None
    mime_type: MimeType
    subtype: Subtype
    duration: Milliseconds | None = None
    video_tracks: Annotated[tuple[VideoTrack, ...], Meta(min_length=1, max_length=1000)] | None = (
        None
    )
    audio_tracks: Annotated[tuple[AudioTrack, ...], Meta(min_length=1, max_length=1000)] | None = (
        None
    )
    subtitle_tracks: (
        Annotated[tuple[SubtitleTrack, ...], Meta(min_length=1, max_length=1000)] | None
    ) = None
    thumbnail: Thumbnail | None = None


MOST_TEXT_TRACKS = 32


class TextTrack(Struct, frozen=True):
    """A subtitle track as a browser reads it.

    Attributes:
        language: As the file says it, mostly ISO 639-2; None when undetermined.
        webvtt: A whole WebVTT file.
    """

    language: Language | None
    webvtt: Annotated[str, Meta(max_length=1 << 21)]


TextTracks = Annotated[tuple[TextTrack, ...], Meta(max_length=MOST_TEXT_TRACKS)]
