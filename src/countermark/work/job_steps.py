"""The steps of a job, each of which may be done again: it leaves the same behind, or nothing."""

import posixpath
from collections.abc import Sequence
from fractions import Fraction
from time import monotonic, sleep
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection

from countermark.catalog.job_records import OutputResult
from countermark.catalog.readers import files as read_files
from countermark.catalog.readers import pipelines as read_pipelines
from countermark.catalog.readers import uploads as read_uploads
from countermark.catalog.records import PipelineRecord
from countermark.catalog.writers import files as write_files
from countermark.catalog.writers import job_runs
from countermark.errors import JobInputMissingError, NotMediaError
from countermark.media.child_process import run_in_child
from countermark.media.description import Description, VideoTrack
from countermark.media.picture_size import Size, squared
from countermark.media.preset_form import Wanted, within_caps
from countermark.media.transcoding import TRANSCODE, Transcoded, TranscodeRequest
from countermark.work.job_execution import Execution, JobLostError
from countermark.work.job_files import MadeFile, expiry, keep_file, register
from countermark.work.parts import now_ms
from countermark.work.workspace import bring_input, workspace

log = structlog.get_logger()

INGEST_SECONDS = 600.0
LOOK_SECONDS = 0.2
_TURNED = frozenset({"rotate-90", "rotate-270", "flip-rotate-90", "flip-rotate-270"})


class Source(msgspec.Struct, frozen=True):
    """The input: a file of the catalog."""

    file_id: str
    blob_key: str
    name: str


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


class MadeOutput(msgspec.Struct, frozen=True):
    """What was made for one output of the job."""

    file: MadeFile
    warnings: tuple[str, ...] = ()


def fetch(execution: Execution) -> Source:
    """Find the input, and wait for it if it is an upload that is just being finished.

    Raises:
        JobInputMissingError: there is none.
    """
    execution.check()
    job, deadline = execution.job, monotonic() + INGEST_SECONDS
    while monotonic() < deadline and job.input_file_id:
        with execution.parts.database.read() as connection:
            file = read_files.file_to_use(connection, job.user_id, job.input_file_id)
            if file is not None and file.blob_key:
                return Source(file.id, file.blob_key, file.name)
            if not read_uploads.awaited_file_ids(connection, [job.input_file_id]):
                break
        execution.check()
        sleep(LOOK_SECONDS)
    raise JobInputMissingError


def probe(execution: Execution, source: Source) -> Probed:
    """Look at the input.

    Raises:
        NotMediaError: it is nothing that could be converted.
    """
    with workspace(execution.parts.spool, execution.job.id) as folder:
        path = bring_input(folder, execution.parts.store, source.blob_key)
        outcome = execution.parts.sandbox.describe(path, source.name)
    description = outcome.description
    if not (description.video_tracks or description.audio_tracks):
        raise NotMediaError(outcome.problem and f"{outcome.problem} {NotMediaError.advice}")
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


def encode(execution: Execution, number: int, source: Source, about: Probed) -> MadeOutput:
    """Make one output and store it."""
    execution.enter("ENCODING")
    job, parts = execution.job, execution.parts
    asked = job.outputs[number]
    wanted = msgspec.convert(asked["wanted"], Wanted)
    with workspace(parts.spool, job.id) as folder:
        path = folder / f"output-{number}.{wanted.extension}"
        request = TranscodeRequest(
            input=str(bring_input(folder, parts.store, source.blob_key)),
            output=str(path),
            settings=within_caps(wanted, about.picture, about.video_bitrate, about.audio_bitrate),
            start_time=_milliseconds(job.input.get("start_time")) or 0,
            duration=_milliseconds(job.input.get("duration")),
        )
        done = run_in_child(
            TRANSCODE,
            request,
            Transcoded,
            parts.limits,
            lambda part: execution.report(number, part),
        )
        made = keep_file(execution, path, asked["object_key"])
        path.unlink()
    return MadeOutput(made, done.warnings)


def enter_catalog(execution: Execution, made: Sequence[MadeOutput]) -> None:
    """Make everything visible, and end the job, in one transaction.

    Raises:
        PublicError: a file cannot lie where it was to.
        JobLostError: the job has ended otherwise.
    """
    execution.enter("UPLOADING")
    job = execution.job
    with execution.parts.database.write() as connection:
        pipeline = read_pipelines.pipeline(connection, job.user_id, job.pipeline_id)
        if pipeline is None:
            raise JobLostError
        for output in made:
            register(connection, execution, output.file, pipeline)
        values = {
            "results": [msgspec.to_builtins(_result(output)) for output in made],
            "warnings": [warning for output in made for warning in output.warnings] or None,
            "folder_id": _folder(connection, execution, pipeline),
            "archive_id": _archive(connection, execution, pipeline, made),
            "progress": [100] * len(made),
        }
        if not job_runs.succeed(connection, execution.run, values, now_ms()):
            raise JobLostError
    log.info("job succeeded", job=job.id, outputs=len(made))


def _result(output: MadeOutput) -> OutputResult:
    return OutputResult(file_id=output.file.file_id)


def _folder(connection: Connection, execution: Execution, pipeline: PipelineRecord) -> str:
    job = execution.job
    found = read_files.file_by_key(
        connection, job.user_id, job.pipeline_id, job.output_prefix, now_ms()
    )
    return found.id if found else pipeline.root_folder_id


def _archive(
    connection: Connection,
    execution: Execution,
    pipeline: PipelineRecord,
    made: Sequence[MadeOutput],
) -> str:
    """The outputs in one: a list of them that is downloaded as a whole."""
    job, now = execution.job, now_ms()
    name = f"{posixpath.splitext(job.input_file_name or 'outputs')[0]}.{job.id}"
    columns: dict[str, Any] = {"job_id": job.id, "expires_at": expiry(pipeline, now, passing=False)}
    archive = write_files.create_archive(
        connection,
        user_id=job.user_id,
        application_id=job.application_id,
        pipeline_id=job.pipeline_id,
        object_key=posixpath.join(job.output_prefix, name),
        elements=[output.file.file_id for output in made],
        now=now,
        **columns,
    )
    return archive.id


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
