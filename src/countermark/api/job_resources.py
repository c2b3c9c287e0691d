"""Jobs, presets and codecs as clients see them; see `resources` for the conventions."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from countermark.api.resources import (
    ApplicationReference,
    FileReference,
    FolderReference,
    Id,
    Link,
    Milliseconds,
    PipelineReference,
    Url,
    UserReference,
    or_expanded,
)
from countermark.catalog.job_states import STATUSES

PresetReference = Annotated[Any, or_expanded("Reference", "Preset")]
CodecReference = Annotated[Any, or_expanded("Reference", "Codec")]
Percent = Annotated[int, Meta(ge=0, le=100)]
Status = Annotated[str, Meta(extra_json_schema={"enum": list(STATUSES)})]
Strength = Annotated[
    Literal["light", "normal", "strong"], Meta(description="How strong the mark is.")
]


class Codec(Struct, kw_only=True):
    """What pictures or sound can be encoded with."""

    name: str
    type: Literal["video", "audio"]
    profiles: list[str]
    description: str
    id: Id
    href: Url


class VideoFormat(Struct, kw_only=True):
    """The codec of a preset's pictures, and its limits (`caps`)."""

    codec: CodecReference
    profile: str | None = None
    passes: int | None = None
    caps: dict[str, Any]


class AudioFormat(Struct, kw_only=True):
    """The codec of a preset's sound, and its limits (`caps`)."""

    codec: CodecReference
    profile: str | None = None
    passes: int | None = None
    caps: dict[str, Any]


class Target(Struct, kw_only=True):
    """The kind of file that a preset makes."""

    extension: str
    container: str
    vcodec: VideoFormat | None = None
    acodec: AudioFormat | None = None


class Preset(Struct, kw_only=True):
    """How to encode; "system" presets are built in, "custom" ones the user's."""

    name: str
    description: str | None = None
    type: Literal["system", "custom"]
    target_format: Target
    settings: dict[str, Any]
    application: ApplicationReference = None
    user: UserReference = None
    created_at: Milliseconds
    updated_at: Milliseconds
    id: Id
    href: Url


class Autograph(Struct, frozen=True, kw_only=True):
    """That the outputs become masters, whose every copy is marked for its recipient."""

    watermark_strength: Strength = "light"


class JobInput(Struct, kw_only=True):
    """What a job converts; times are seconds."""

    input_name: str
    start_time: float | None = None
    duration: float | None = None
    file: FileReference = None


class FileOf(Struct, kw_only=True):
    """A file that came of an output."""

    file: FileReference


class JobOutput(Struct, kw_only=True):
    """One output of a job; its files are there once the job has succeeded."""

    preset: PresetReference
    output_name: str
    settings: dict[str, Any] | None = None
    thumbnails: list[dict[str, Any]] | None = None
    logos: list[dict[str, Any]] | None = None
    percentage_completed: Percent
    file: FileReference = None
    thumbnail_zip: FileOf | None = None
    images: list[FileOf] | None = None


class Job(Struct, kw_only=True):
    """A conversion."""

    status: Status
    percentage_completed: Percent
    error_code: str | None = None
    error_msg: str | None = None
    warnings: list[str] | None = None
    pipeline: PipelineReference = None
    application: ApplicationReference = None
    user: UserReference = None
    user_data: str | None = None
    priority: int
    attempt: int
    input: JobInput
    autograph: Autograph | None = None
    output_prefix: str
    folder: FolderReference = None
    archive: FileReference = None
    outputs: list[JobOutput]
    queued_at: Milliseconds
    started_at: Milliseconds | None = None
    finished_at: Milliseconds | None = None
    created_at: Milliseconds
    updated_at: Milliseconds
    id: Id
    href: Url


class JobAnswer(Struct):
    """One job."""

    job: Job


class JobsAnswer(Struct):
    """A page of jobs; `prev` is absent on the first page and `next` on the last."""

    jobs: list[Job]
    total: int
    start: int
    limit: int
    first: Link
    last: Link
    next: Link | None = None
    prev: Link | None = None


class PresetAnswer(Struct):
    """One preset."""

    preset: Preset


class PresetsAnswer(Struct):
    """A page of presets; `prev` is absent on the first page and `next` on the last."""

    presets: list[Preset]
    total: int
    start: int
    limit: int
    first: Link
    last: Link
    next: Link | None = None
    prev: Link | None = None


class CodecAnswer(Struct):
    """One codec."""

    codec: Codec


class CodecsAnswer(Struct):
    """A page of codecs; `prev` is absent on the first page and `next` on the last."""

    codecs: list[Codec]
    total: int
    start: int
    limit: int
    first: Link
    last: Link
    next: Link | None = None
    prev: Link | None = None
