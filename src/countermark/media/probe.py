"""Understanding a file: what it is, its tracks, and a thumbnail, from its bytes alone.

The name decides only what the bytes leave open. Runs FFmpeg on whatever it is given, so
outside tests it belongs in the process that `countermark.media.sandbox` starts.
"""

import os
from io import FileIO
from itertools import islice
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from countermark.media import mime_types
from countermark.media.demuxing import open_media
from countermark.media.description import Description, Thumbnail, VideoTrack
from countermark.media.frames import first_frame, telling_frame
from countermark.media.labels import container_label
from countermark.media.measuring import Measurement, measure
from countermark.media.orientation import of_frame
from countermark.media.thumbnail import make_thumbnail
from countermark.media.tracks import (
    Timing,
    describe_audio,
    describe_subtitles,
    describe_video,
    is_cover,
    milliseconds,
)
from countermark.media.zip_archive import is_zip

# Elementary streams carry no duration; what FFmpeg reports for them is a guess from a bitrate.
_UNTIMED = frozenset({"aac", "ac3", "eac3", "dts", "h264", "hevc", "m4v", "mjpeg", "mpegvideo"})
# Formats recognized by little more than a sync word, which other data contains by chance too.
_WEAKLY_MARKED = _UNTIMED | {"mp3", "obu", "truehd", "mpeg"}
# Each further video track costs a decoded picture to learn its orientation.
_TURNED_TRACKS = 4
_TRIED_PACKETS = 64
# A HEIF picture may have its transparency as a second stream; more are the tiles of a grid,
# and one tile is no thumbnail.
_PICTURE_STREAMS = 2


def describe(path: Path, name: str) -> Description:
    """Describe a file.

    Args:
        path: The file, opened for reading only.
        name: The user's name for it.

    Returns:
        Never less than a plain description: a type guessed from the name, subtype "other".

    Raises:
        OSError: The file can't be read.
        MemoryError: The file needs more memory than the process may have.
    """
    with open_nameless(path) as file:
        return describe_open(file, name)


def open_nameless(path: Path) -> FileIO:
    """Open a file for reading so that the object doesn't know its path, nor does FFmpeg then.

    Raises:
        OSError: The file can't be opened.
    """
    return FileIO(os.open(path, os.O_RDONLY | os.O_CLOEXEC))


def describe_open(file: FileIO, name: str) -> Description:
    """Describe an open file; see `describe`. The file's position is changed."""
    if is_zip(file):
        mime_type = mime_types.of_zip(name)
        return Description(None, mime_type, "zip" if mime_type == "application/zip" else "other")
    try:
        with open_media(file) as container:
            return _describe_container(container, file) or plain(name)
    except av.error.MemoryError as error:
        raise MemoryError from error
    except av.FFmpegError:
        return plain(name)


def plain(name: str) -> Description:
    """Describe a file by its name alone."""
    return Description(None, mime_types.from_name(name), "other")


def _describe_container(container: InputContainer, file: FileIO) -> Description | None:
    demuxer = container.format.name
    brand = container.metadata.get("major_brand", "").strip().lower()
    if mime_type := mime_types.of_picture(demuxer, brand):
        return _describe_picture(container, mime_type)
    if mime_type := mime_types.of_subtitles(demuxer):
        return _describe_subtitle_file(container, mime_type)
    return _describe_media(container, brand, file)


def _describe_picture(container: InputContainer, mime_type: str) -> Description | None:
    streams = [stream for stream in container.streams.video if stream.codec_context is not None]
    if not streams:
        return None
    whole = len(streams) <= _PICTURE_STREAMS
    thumbnail = _still(container, streams[0], rewind=False) if whole else None
    return Description(None, mime_type, "image", thumbnail=thumbnail)


def _describe_subtitle_file(container: InputContainer, mime_type: str) -> Description | None:
    tracks = tuple(describe_subtitles(stream) for stream in container.streams.subtitles)
    if not tracks:
        return None
    duration = milliseconds(_seconds(container))
    return Description(None, mime_type, "subtitle", duration, subtitle_tracks=tracks)


def _describe_media(container: InputContainer, brand: str, file: FileIO) -> Description | None:
    demuxer, webm = container.format.name, _declares_webm(file)
    videos = [s for s in container.streams.video if not is_cover(s) and _has_picture(s)]
    audios = [s for s in container.streams.audio if s.codec_context is None or s.sample_rate]
    subtitles = container.streams.subtitles
    if not (videos or audios or subtitles):
        return None
    timing = _timing(container, [*videos, *audios], file)
    if demuxer in _WEAKLY_MARKED and not _decodes(file):
        return None
    audio_bitrate = sum(timing.bitrate_of(stream) or 0.0 for stream in audios)
    tracks, thumbnail = _describe_videos(container, videos, audio_bitrate, timing)
    return Description(
        container=container_label(demuxer, brand, webm=webm),
        mime_type=mime_types.of_media(demuxer, brand, webm=webm, pictures=bool(videos)),
        subtype="video" if videos else "audio" if audios else "subtitle",
        duration=milliseconds(timing.duration()),
        video_tracks=tracks or None,
        audio_tracks=tuple(describe_audio(stream, timing) for stream in audios) or None,
        subtitle_tracks=tuple(describe_subtitles(stream) for stream in subtitles) or None,
        thumbnail=thumbnail or _cover(container, rewind=bool(videos)),
    )


def _timing(container: InputContainer, streams: list[Stream], file: FileIO) -> Timing:
    trusted = container.format.name not in _UNTIMED
    seconds = _seconds(container) if trusted else None
    size = os.fstat(file.fileno()).st_size
    headed = all(stream.codec_context and stream.codec_context.bit_rate for stream in streams)
    measurement = None if seconds and headed else _measured(file)
    return Timing(size, seconds, trusted, measurement)


def _measured(file: FileIO) -> Measurement | None:
    try:
        return measure(file)
    except av.FFmpegError:
        return None  # cut off in the middle; the header's numbers stand


def _describe_videos(
    container: InputContainer, videos: list[VideoStream], audio_bitrate: float, timing: Timing
) -> tuple[tuple[VideoTrack, ...], Thumbnail | None]:
    """Describe the video tracks and make a thumbnail of the first."""
    tracks: list[VideoTrack] = []
    thumbnail = None
    for place, stream in enumerate(videos):
        frame = None
        if place == 0:
            seconds = timing.duration_of(stream) if timing.trusted else None
            frame = telling_frame(container, stream, seconds)
            thumbnail = _thumbnail_of(frame, stream)
        elif place < _TURNED_TRACKS:
            frame = first_frame(container, stream, rewind=True)
        turn = of_frame(frame) if frame else None
        tracks.append(describe_video(stream, timing, turn, audio_bitrate))
    return tuple(tracks), thumbnail


def _cover(container: InputContainer, *, rewind: bool) -> Thumbnail | None:
    covers = [stream for stream in container.streams.video if is_cover(stream)]
    return _still(container, covers[0], rewind=rewind) if covers else None


def _still(container: InputContainer, stream: VideoStream, *, rewind: bool) -> Thumbnail | None:
    if not _has_picture(stream):
        return None
    return _thumbnail_of(first_frame(container, stream, rewind=rewind), stream)


def _thumbnail_of(frame: av.VideoFrame | None, stream: VideoStream) -> Thumbnail | None:
    if frame is None:
        return None
    try:
        return make_thumbnail(frame, stream.sample_aspect_ratio)
    except (av.FFmpegError, ValueError):
        return None  # a pixel format that nothing converts; the file is described all the same


def _decodes(file: FileIO) -> bool:
    """Tell whether anything near the beginning decodes; the file's position is kept."""
    position = file.tell()
    try:
        with open_media(file) as container:
            return any(_frames(packet) for packet in islice(container.demux(), _TRIED_PACKETS))
    except av.FFmpegError:
        return False
    finally:
        file.seek(position)


def _frames(packet: "av.Packet[Stream]") -> bool:
    try:
        return bool(packet.decode())
    except (av.FFmpegError, AttributeError):  # damage; a data stream, which has no decoder
        return False


def _has_picture(stream: VideoStream) -> bool:
    return stream.codec_context is not None and stream.width > 0 and stream.height > 0


def _seconds(container: InputContainer) -> float | None:
    return container.duration / av.time_base if container.duration else None


def _declares_webm(file: FileIO) -> bool:
    """Look for the DocType element (RFC 8794, 11.2.4) "webm" in the EBML header."""
    return b"\x42\x82\x84webm" in os.pread(file.fileno(), 128, 0)
