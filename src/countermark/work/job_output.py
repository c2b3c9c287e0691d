"""One output of a job: encoded, with its thumbnails, and sent to where it is wanted."""

import posixpath
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from countermark.catalog.readers import files as read_files
from countermark.catalog.readers import pipelines as read_pipelines
from countermark.errors import JobInputMissingError
from countermark.media.child_process import run_in_child
from countermark.media.encoding_settings import Logo, ThumbnailSettings, VideoSettings
from countermark.media.picture_size import place
from countermark.media.preset_form import Wanted, within_caps
from countermark.media.thumbnailing import MAKE_THUMBNAILS, MadeThumbnails, ThumbnailsRequest
from countermark.media.transcoding import TRANSCODE, LogoFile, Transcoded, TranscodeRequest
from countermark.media.zip_writing import write_zip
from countermark.storage.place import below
from countermark.work.job_execution import Execution
from countermark.work.job_files import MadeFile, keep_file
from countermark.work.job_input import Probed, Source, fetch_uri
from countermark.work.job_master import encode_master
from countermark.work.places import transfer
from countermark.work.workspace import bring, bring_input, workspace


class MadeOutput(msgspec.Struct, frozen=True):
    """What was made for one output of the job.

    Attributes:
        file: The output itself.
        thumbnail_zip: All of its thumbnails in one file.
        images: Posters, sprite sheets and their maps.
        warnings: What is not as it was asked for.
    """

    file: MadeFile
    thumbnail_zip: MadeFile | None = None
    images: tuple[MadeFile, ...] = ()
    warnings: tuple[str, ...] = ()

    def files(self) -> list[MadeFile]:
        """All of them."""
        return [self.file, *filter(None, [self.thumbnail_zip]), *self.images]


class _ThumbnailWish(msgspec.Struct, frozen=True):
    names: str
    settings: ThumbnailSettings


class _LogoWish(msgspec.Struct, frozen=True):
    uri: str | None
    file_id: str | None
    logo: Logo


class _Wish(msgspec.Struct, frozen=True):
    """An output as the API has left it in the job's row."""

    object_key: str
    wanted: Wanted
    pictures: tuple[_ThumbnailWish, ...] = ()
    overlays: tuple[_LogoWish, ...] = ()


class _Image(NamedTuple):
    name: str
    path: Path
    is_single: bool


def encode(execution: Execution, number: int, source: Source, about: Probed) -> MadeOutput:
    """Make one output and store it."""
    execution.enter("ENCODING")
    job, parts = execution.job, execution.parts
    wish = _wish(execution, number)
    with workspace(parts.spool, job.id) as folder:
        path = folder / f"output-{number}.{wish.wanted.extension}"
        request = TranscodeRequest(
            input=str(bring_input(folder, parts.store, source.blob_key)),
            output=str(path),
            settings=within_caps(
                wish.wanted, about.picture, about.video_bitrate, about.audio_bitrate
            ),
            logos=tuple(_logos(execution, folder, wish)),
            **_span(job.input),
        )
        if job.autograph is not None:
            made, warnings = encode_master(execution, number, folder, request, wish.object_key)
        else:
            made, warnings = _encoded(execution, number, request, wish.object_key)
    return MadeOutput(made, warnings=warnings)


def _encoded(
    execution: Execution, number: int, request: TranscodeRequest, object_key: str
) -> tuple[MadeFile, tuple[str, ...]]:
    done = run_in_child(
        TRANSCODE,
        request,
        Transcoded,
        execution.parts.limits,
        lambda part: execution.report(number, part),
    )
    path = Path(request.output)
    made = keep_file(execution, path, object_key)
    path.unlink()
    return made, done.warnings


def make_thumbnails(
    execution: Execution, number: int, source: Source, about: Probed, made: MadeOutput
) -> MadeOutput:
    """Make an output's thumbnails and store them."""
    execution.check()
    wish = _wish(execution, number)
    if not wish.pictures:
        return made
    name = f"thumbnails_{posixpath.basename(wish.object_key).replace('.', '_')}"
    prefix = posixpath.join(posixpath.dirname(wish.object_key), name)
    with workspace(execution.parts.spool, execution.job.id) as folder:
        pictures = folder / f"thumbnails-{number}"
        shutil.rmtree(pictures, ignore_errors=True)
        images = list(_images(execution, source, about, wish, folder, pictures))
        archive = pictures / "all.zip"
        write_zip(archive, [(image.name, image.path) for image in images])
        zipped = keep_file(execution, archive, f"{prefix}.zip", passing=True)
        kept = [
            keep_file(execution, image.path, posixpath.join(prefix, image.name), passing=True)
            for image in images
            if not image.is_single
        ]
        shutil.rmtree(pictures)
    return msgspec.structs.replace(made, thumbnail_zip=zipped, images=tuple(kept))


def deliver(execution: Execution, made: MadeOutput) -> None:
    """Send an output to where its pipeline wants it, too; masters stay here."""
    job, parts = execution.job, execution.parts
    with parts.database.read() as connection:
        pipeline = read_pipelines.pipeline(connection, job.user_id, job.pipeline_id)
    if pipeline is None or not pipeline.output_upload_dir:
        return
    execution.enter("UPLOADING")
    with workspace(parts.spool, job.id) as folder:
        for number, file in enumerate(made.files()):
            if file.autograph:
                continue
            path = folder / f"deliver-{number}"
            path.unlink(missing_ok=True)
            bring(path, parts.store, file.blob_key)
            uri = below(pipeline.output_upload_dir, file.object_key)
            transfer.send(uri, path, parts.transfers, lambda _done, _size: execution.tick())
            path.unlink()


def _wish(execution: Execution, number: int) -> _Wish:
    return msgspec.convert(execution.job.outputs[number], _Wish)


def _span(asked: dict[str, Any]) -> dict[str, Any]:
    """Which part of the input, in milliseconds."""
    start, duration = asked.get("start_time"), asked.get("duration")
    return {
        "start_time": round((start or 0) * 1000),
        "duration": None if duration is None else round(duration * 1000),
    }


def _logos(execution: Execution, folder: Path, wish: _Wish) -> Iterator[LogoFile]:
    for number, overlay in enumerate(wish.overlays):
        path = folder / f"logo-{number}"
        path.unlink(missing_ok=True)
        if overlay.uri:
            fetch_uri(execution, overlay.uri, path)
        else:
            _bring_file(execution, overlay.file_id or "", path)
        yield LogoFile(overlay.logo, str(path))


def _bring_file(execution: Execution, file_id: str, path: Path) -> None:
    parts = execution.parts
    with parts.database.read() as connection:
        file = read_files.file_to_use(connection, execution.job.user_id, file_id)
    if file is None or not file.blob_key:
        raise JobInputMissingError("A logo was deleted. Upload it, then create the job again.")
    bring(path, parts.store, file.blob_key)


def _images(
    execution: Execution,
    source: Source,
    about: Probed,
    wish: _Wish,
    folder: Path,
    pictures: Path,
) -> Iterator[_Image]:
    """Every picture that is asked for, and its name, which is its own among them."""
    several = len(wish.pictures) > 1
    for number, asked in enumerate(wish.pictures):
        target = pictures / str(number)
        target.mkdir(parents=True)
        request = ThumbnailsRequest(
            input=str(bring_input(folder, execution.parts.store, source.blob_key)),
            folder=str(target),
            settings=asked.settings,
            **_span(execution.job.input),
        )
        made = run_in_child(
            MAKE_THUMBNAILS,
            request,
            MadeThumbnails,
            execution.parts.limits,
            lambda _part: execution.tick(),
        )
        prefix = f"{number + 1}/" if several else ""
        names = asked.names.replace("{resolution}", _resolution(asked.settings, about))
        for order, name in enumerate(made.images, start=1):
            suffix = f"_{order:04d}{Path(name).suffix}"
            yield _Image(f"{prefix}{names}{suffix}", target / name, is_single=True)
        for other in filter(None, [*made.sprites, made.sprite_map, made.poster]):
            yield _Image(prefix + other, target / other, is_single=False)


def _resolution(asked: ThumbnailSettings, about: Probed) -> str:
    """The size of the single images, such as 320x180."""
    if about.picture is None:
        return ""
    wish = VideoSettings(width=asked.width, height=asked.height, fit=asked.fit)
    canvas = place(about.picture, wish).canvas
    return f"{canvas.width}x{canvas.height}"
