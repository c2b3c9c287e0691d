"""A first look at an input: what an output can be made of, learned from its first frames.

The header alone doesn't tell how a picture is turned, what its colours mean, or whether it
decodes at all; the encoders must know before the first packet is written.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from io import FileIO
from pathlib import Path

import av
from av import AudioFrame, VideoFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.subtitles.stream import SubtitleStream
from av.video.stream import VideoStream
from msgspec import Struct

from countermark.errors import DamagedMediaError, EncryptedMediaError, NotMediaError
from countermark.media import colours, hdr_metadata
from countermark.media.colours import Colours
from countermark.media.demuxing import open_media
from countermark.media.description import Orientation
from countermark.media.hdr_metadata import HdrMetadata
from countermark.media.orientation import of_frame
from countermark.media.packets import AnyPacket
from countermark.media.probe import open_nameless
from countermark.media.tracks import is_cover
from countermark.media.webvtt import TEXT_CODECS

# No room, and no memory: not the input's fault.
_OF_THIS_MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.ENOMEM})
MOST_RATE = 240
DEFAULT_RATE = Fraction(25)
# Where sound and pictures are stored one after the other, or hardly anything decodes.
_MOST_PACKETS = 20_000
# Not all of them: where it was filmed is nobody's business, and a device's name says nothing.
_TAGS = frozenset(
    {"title", "artist", "album", "album_artist", "track", "genre", "date", "composer", "copyright"}
)


class Picture(Struct, frozen=True):
    """The video track that is used.

    Attributes:
        index: Of the stream.
        width: Before turning, pixels.
        height: Before turning, pixels.
        pixel_aspect: Width of a pixel over its height.
        orientation: How to turn it.
        colours: What its numbers mean.
        hdr: Its metadata, if it is of high dynamic range.
        rate: Frames per second, on average.
        bitrate: Bit/s by the header; None if that doesn't say.
    """

    index: int
    width: int
    height: int
    pixel_aspect: Fraction
    orientation: Orientation | None
    colours: Colours
    hdr: HdrMetadata
    rate: Fraction
    bitrate: int | None


class Sound(Struct, frozen=True):
    """The audio track that is used.

    Attributes:
        index: Of the stream.
        channels: How many.
        samplingrate: Samples per second.
        bitrate: Bit/s by the header; None if that doesn't say.
    """

    index: int
    channels: int
    samplingrate: int
    bitrate: int | None


class Survey(Struct, frozen=True):
    """What an input has.

    Attributes:
        origin: The file's time at which it begins, seconds.
        seconds: How long it is by its header; None if that doesn't say.
        picture: The first video track that is no cover.
        sound: The audio track that is marked as default, or the first.
        texts: The streams of text subtitles.
        tags: What it says of itself, as far as an output may repeat it.
    """

    origin: Fraction
    seconds: float | None
    picture: Picture | None
    sound: Sound | None
    texts: tuple[int, ...]
    tags: dict[str, str]


def open_input(file: FileIO) -> InputContainer:
    """Open an input.

    Raises:
        NotMediaError: It is none.
    """
    try:
        with damage_told():
            return open_media(file)
    except DamagedMediaError as error:
        raise NotMediaError from error


@contextmanager
def damage_told() -> Iterator[None]:
    """Turns what reading a damaged input raises into a public error.

    Raises:
        DamagedMediaError: Whatever was wrong with the input.
        MemoryError, OSError: What was wrong with this machine.
    """
    try:
        yield
    except av.error.MemoryError as error:
        raise MemoryError from error
    except (av.FFmpegError, OSError, OverflowError) as error:
        number = getattr(error, "errno", None)
        # From Python itself comes only that a header led to where no file can have a place.
        is_ours = number in _OF_THIS_MACHINE
        if is_ours or not (isinstance(error, av.FFmpegError) or number in {None, errno.EINVAL}):
            raise
        raise DamagedMediaError from error


def survey(path: Path, *, pictures: bool, sound: bool) -> Survey:
    """Look at an input.

    Args:
        path: The file.
        pictures: Whether its pictures are to be decoded.
        sound: Whether its sound is to be decoded.

    Raises:
        NotMediaError: It is none, or has no track that can be shown or heard.
        EncryptedMediaError: Its tracks are encrypted.
        DamagedMediaError: Nothing of a track can be decoded.
    """
    with open_nameless(path) as file:
        if path.stat().st_size == 0:
            raise NotMediaError("It is empty. Upload it again, whole.")
        with open_input(file) as container:
            if not (container.streams.video or container.streams.audio):
                raise NotMediaError("It has neither pictures nor sound.")
            return _survey(
                container,
                _video(container) if pictures else None,
                _audio(container) if sound else None,
            )


def _survey(
    container: InputContainer, video: VideoStream | None, audio: AudioStream | None
) -> Survey:
    wanted = [stream for stream in (video, audio) if stream is not None]
    frames = _first_frames(container, wanted)
    return Survey(
        origin=Fraction(container.start_time or 0, av.time_base),
        seconds=container.duration / av.time_base if container.duration else None,
        picture=_picture(video, frames.get(video.index)) if video else None,
        sound=_sound(audio, frames.get(audio.index)) if audio else None,
        texts=tuple(s.index for s in container.streams.subtitles if _is_text(s)),
        tags={name: text for name, text in container.metadata.items() if name.lower() in _TAGS},
    )


def _video(container: InputContainer) -> VideoStream | None:
    for stream in container.streams.video:
        if stream.codec_context is not None and not is_cover(stream):
            return stream
    return None


def _audio(container: InputContainer) -> AudioStream | None:
    known = [stream for stream in container.streams.audio if stream.codec_context is not None]
    marked = (stream for stream in known if stream.disposition & Disposition.default)
    return next(marked, known[0] if known else None)


def _is_text(stream: SubtitleStream) -> bool:
    context = stream.codec_context
    return context is not None and context.codec.canonical_name in TEXT_CODECS


def _first_frames(
    container: InputContainer, streams: list[VideoStream | AudioStream]
) -> dict[int, VideoFrame | AudioFrame]:
    found: dict[int, VideoFrame | AudioFrame] = {}
    wanted = {stream.index for stream in streams}
    with damage_told():
        for count, packet in enumerate(container.demux(streams)):
            if packet.has_sidedata("encryption_info"):
                raise EncryptedMediaError
            index = packet.stream_index
            # Tracks that appear on the way come unasked.
            if index in wanted and index not in found and (frames := _decoded(packet)):
                found[index] = frames[0]
            if len(found) == len(streams) or count > _MOST_PACKETS:
                break
    return found


def _decoded(packet: AnyPacket) -> list[VideoFrame | AudioFrame]:
    try:
        return [f for f in packet.decode() if isinstance(f, VideoFrame | AudioFrame)]
    except av.error.MemoryError as error:
        raise MemoryError from error
    except av.FFmpegError:
        return []


def _picture(stream: VideoStream, frame: object) -> Picture:
    if not isinstance(frame, VideoFrame):
        raise DamagedMediaError("Nothing of its pictures can be decoded. Make it anew.")
    rate = stream.average_rate or stream.guessed_rate
    aspect = stream.sample_aspect_ratio
    return Picture(
        index=stream.index,
        width=frame.width,
        height=frame.height,
        pixel_aspect=aspect if aspect and aspect > 0 else Fraction(1),
        orientation=of_frame(frame),
        colours=colours.of_frame(frame),
        hdr=hdr_metadata.of_frame(frame),
        rate=rate if rate and 0 < rate <= MOST_RATE else DEFAULT_RATE,
        bitrate=stream.bit_rate or None,
    )


def _sound(stream: AudioStream, frame: object) -> Sound:
    if not isinstance(frame, AudioFrame):
        raise DamagedMediaError("Nothing of its sound can be decoded. Make it anew.")
    return Sound(stream.index, frame.layout.nb_channels, frame.sample_rate, stream.bit_rate or None)
