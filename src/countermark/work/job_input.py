"""A job's input: found in the store, or fetched from elsewhere into it; and what it is."""

import posixpath
from fractions import Fraction
from pathlib import Path
from time import monotonic, sleep

import msgspec

from countermark.catalog.readers import files as read_files
from countermark.catalog.readers import uploads as read_uploads
from countermark.errors import JobInputMissingError, NotMediaError
from countermark.media.description import Description, VideoTrack
from countermark.media.picture_size import Size, squared
from countermark.work.job_execution import Execution
from countermark.work.job_files import MadeFile, keep_file
from countermark.work.places import transfer
from countermark.work.workspace import bring_input, workspace

INGEST_SECONDS = 600.0
LOOK_SECONDS = 0.2
_TURNED = frozenset({"rotate-90", "rotate-270", "flip-rotate-90", "flip-rotate-270"})


class Source(msgspec.Struct, frozen=True):
    """The input.

    Attributes:
        fetched: The file that it becomes with the job's success, if it was fetched.
    """

    blob_key: str
    name: str
    fetched: MadeFile | None = None


class Probed(msgspec.Struct, frozen=True):
    """What of the input the outputs depend on.

    Attributes:
        picture: Its upright picture with square pixels; None without pictures.
        video_bitrate: kbit/s, if known.
        audio_bitrate: Likewise.
    """

    picture: Size | None
    video_bitrate: int | None
    audio_bitrate: int | None


def fetch(execution: Execution) -> Source:
    """Find the input, or fetch it.

    Raises:
        JobInputMissingError: it is a file that is not there.
        PublicError: it cannot be had from elsewhere.
    """
    execution.check()
    uri = execution.job.input.get("uri")
    return _fetched(execution, uri) if uri else _stored(execution)


def probe(execution: Execution, source: Source) -> Probed:
    """Look at the input.

    What is no media, or is damaged, is told by the encoder, which knows best; a picture by itself
    is media to it.

    Raises:
        NotMediaError: it is a picture.
    """
    execution.check()
    with workspace(execution.parts.spool, execution.job.id) as folder:
        path = bring_input(folder, execution.parts.store, source.blob_key)
        outcome = execution.parts.sandbox.describe(path, source.name)
    description = outcome.description
    if description.subtype == "image":
        raise NotMediaError("The input is a picture. Use a video or sound file.")
    return probed(description)


def probed(description: Description) -> Probed:
    """What of a description the outputs depend on."""
    video = description.video_tracks[0] if description.video_tracks else None
    audio = description.audio_tracks[0] if description.audio_tracks else None
    return Probed(
        upright(video) if video else None,
        video.video_bitrate if video else None,
        audio.audio_bitrate if audio else None,
    )


def upright(track: VideoTrack) -> Size:
    """A track's picture as it is shown: turned upright, its pixels square."""
    width, height = map(int, (track.aspect_ratio or "1:1").split(":"))
    size = squared(track.width, track.height, Fraction(width, height))
    return Size(size.height, size.width) if track.orientation in _TURNED else size


def fetch_uri(execution: Execution, uri: str, path: Path) -> None:
    """Fetch what lies elsewhere; what has arrived of it before is not fetched again."""
    if not path.exists():
        transfer.fetch(uri, path, execution.parts.transfers, lambda _done, _size: execution.tick())


def _stored(execution: Execution) -> Source:
    """A file of the catalog; one whose upload is just being finished is waited for."""
    job, deadline = execution.job, monotonic() + INGEST_SECONDS
    while monotonic() < deadline and job.input_file_id:
        with execution.parts.database.read() as connection:
            file = read_files.file_to_use(connection, job.user_id, job.input_file_id)
            if file is not None and file.autograph:
                raise JobInputMissingError(
                    "The input is an AutoGraph master, of which no unmarked copy is made. "
                    "Use the file that it was made of."
                )
            if file is not None and file.blob_key:
                return Source(file.blob_key, file.name)
            if not read_uploads.awaited_file_ids(connection, [job.input_file_id]):
                break
        execution.check()
        sleep(LOOK_SECONDS)
    raise JobInputMissingError


def _fetched(execution: Execution, uri: str) -> Source:
    job = execution.job
    name = job.input_file_name or "input"
    with workspace(execution.parts.spool, job.id) as folder:
        path = folder / "fetched"
        fetch_uri(execution, uri, path)
        key = posixpath.join("inputs", job.id, name)
        made = keep_file(execution, path, key, passing=True)
        path.unlink()
    return Source(made.blob_key, name, made)
