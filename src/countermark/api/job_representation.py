"""From records of jobs and presets to the resources that clients see."""

from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from countermark.api.expansion import Expanding
from countermark.api.job_resources import (
    AudioFormat,
    Autograph,
    Codec,
    FileOf,
    Job,
    JobInput,
    JobOutput,
    Preset,
    Target,
    VideoFormat,
)
from countermark.api.references import Key
from countermark.api.resources import shape
from countermark.api.urls import without_secrets
from countermark.catalog.job_records import JobRecord, OutputResult, PresetRecord
from countermark.media.codecs import Codec as KnownCodec
from countermark.media.preset_form import AudioFormat as AudioForm
from countermark.media.preset_form import TargetFormat
from countermark.media.preset_form import VideoFormat as VideoForm

_SAME_IN_JOB = (
    *("status", "error_code", "error_msg", "warnings", "user_data", "priority", "attempt"),
    *("queued_at", "started_at", "finished_at", "created_at", "updated_at", "id"),
)
_SAME_IN_PRESET = ("name", "description", "created_at", "updated_at", "id")
_of_job = attrgetter(*_SAME_IN_JOB)
_of_preset = attrgetter(*_SAME_IN_PRESET)


class _Kinds(NamedTuple):
    job: type[Job]
    input: type[JobInput]
    output: type[JobOutput]
    preset: type[Preset]
    target: type[Target]
    video: type[VideoFormat]
    audio: type[AudioFormat]


@cache
def _kinds(*, show_null: bool) -> _Kinds:
    kinds = (Job, JobInput, JobOutput, Preset, Target, VideoFormat, AudioFormat)
    return _Kinds(*(shape(kind, show_null=show_null) for kind in kinds))  # type: ignore[arg-type]  # the same kinds


class JobPresenter(Expanding):
    """Builds jobs, presets and codecs."""

    show_null: bool

    def job(self, record: JobRecord, around: tuple[Key, ...] = ()) -> Job:
        """A job."""
        inside = (*around, Key("job", record.id))
        kinds = _kinds(show_null=self.show_null)
        autograph = record.autograph
        return kinds.job(
            **dict(zip(_SAME_IN_JOB, _of_job(record), strict=True)),
            percentage_completed=record.percentage,
            pipeline=self.reference("pipeline", "pipeline", record.pipeline_id, inside),
            application=self.reference("application", "application", record.application_id, inside),
            user=self.reference("user", "user", record.user_id, inside),
            input=self._input(record, inside),
            autograph=msgspec.convert(autograph, Autograph) if autograph is not None else None,
            output_prefix=record.output_prefix,
            folder=self.folder("folder", record.folder_id, inside, is_root=False),
            archive=self.reference("archive", "file", record.archive_id, inside),
            outputs=[self._output(record, number, inside) for number in range(len(record.outputs))],
            href=self.urls.href("jobs", record.id),
        )

    def preset(self, record: PresetRecord, around: tuple[Key, ...] = ()) -> Preset:
        """A preset."""
        inside = (*around, Key("preset", record.id))
        return _kinds(show_null=self.show_null).preset(
            **dict(zip(_SAME_IN_PRESET, _of_preset(record), strict=True)),
            type="custom" if record.user_id else "system",
            target_format=self._target(record, inside),
            settings=record.settings,
            application=self.reference("application", "application", record.application_id, inside),
            user=self.reference("user", "user", record.user_id, inside),
            href=self.urls.href("presets", record.id),
        )

    def codec(self, codec: KnownCodec) -> Codec:
        """A codec."""
        return Codec(
            name=codec.name,
            type=codec.type,
            profiles=list(codec.profiles),
            description=codec.description,
            id=codec.id,
            href=self.urls.href("codecs", codec.id),
        )

    def _input(self, record: JobRecord, around: tuple[Key, ...]) -> JobInput:
        asked = record.input
        return _kinds(show_null=self.show_null).input(
            input_name=without_secrets(asked["input_name"]),
            start_time=asked.get("start_time"),
            duration=asked.get("duration"),
            file=self.reference("file", "file", record.input_file_id, around),
        )

    def _output(self, record: JobRecord, number: int, around: tuple[Key, ...]) -> JobOutput:
        asked = record.outputs[number]
        result = record.results[number] if record.results else OutputResult()
        progress = record.progress[number] if record.progress else record.percentage // 100 * 100
        return _kinds(show_null=self.show_null).output(
            preset=self.reference("preset", "preset", asked["preset"]["id"], around),
            output_name=asked["output_name"],
            settings=asked.get("settings"),
            thumbnails=asked.get("thumbnails") or None,
            logos=[_shown(logo) for logo in asked.get("logos") or ()] or None,
            percentage_completed=progress,
            file=self.reference("file", "file", result.file_id, around),
            thumbnail_zip=self._file_of(result.thumbnail_zip_id, around),
            images=[FileOf(file=self.reference("file", "file", one, around)) for one in images]
            if (images := result.image_ids)
            else None,
        )

    def _file_of(self, file_id: str | None, around: tuple[Key, ...]) -> FileOf | None:
        return FileOf(file=self.reference("file", "file", file_id, around)) if file_id else None

    def _target(self, record: PresetRecord, around: tuple[Key, ...]) -> Target:
        target = msgspec.convert(record.target_format, TargetFormat)
        kinds = _kinds(show_null=self.show_null)
        return kinds.target(
            extension=target.extension or target.container,
            container=target.container,
            vcodec=self._format(target.vcodec, kinds.video, around),
            acodec=self._format(target.acodec, kinds.audio, around),
        )

    def _format(
        self, form: VideoForm | AudioForm | None, kind: Any, around: tuple[Key, ...]
    ) -> Any:
        if form is None:
            return None
        return kind(
            codec=self.reference("codec", "codec", form.codec.id, around),
            profile=form.profile,
            passes=form.passes,
            caps=msgspec.to_builtins(form.caps),
        )


def _shown(logo: dict[str, Any]) -> dict[str, Any]:
    return logo | {"logo_image": without_secrets(logo["logo_image"])}
