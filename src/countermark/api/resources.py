"""The API's resources and answers, as types: the one source of JSON, XML and OpenAPI.

Fields stand in the order in which clients see them (that of the reference's samples). A key
whose value is null is left out unless the caller asks for it; `lean` gives the class that does.
"""

from functools import cache
from typing import Annotated, Any, Literal, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct

SCHEMAS = "#/components/schemas/"

Id = Annotated[str, Meta(pattern="^[0-9a-f]{24}$", description="24 lower-case hex digits.")]
Milliseconds = Annotated[int, Meta(ge=0, description="Milliseconds since the epoch.")]
Duration = Annotated[int, Meta(ge=0, description="Milliseconds.")]
Kilobits = Annotated[int, Meta(ge=0, description="Average, kbit/s.")]
Bytes = Annotated[int, Meta(ge=0, description="Bytes really sent, of files' contents.")]
Downloads = Annotated[
    int, Meta(ge=0, description="Complete ones: all bytes of the file, in however many ranges.")
]
Url = Annotated[str, Meta(description="Absolute URL.")]


class Reference(Struct, frozen=True):
    """Names another resource; `expand` puts the resource itself in its place."""

    id: Id
    href: Url


class ParentReference(Struct, frozen=True):
    """Names the folder that a file lies in; `is_root` tells a pipeline's own folder."""

    id: Id
    type: Literal["folder"]
    is_root: bool


def or_expanded(reference: str, resource: str) -> Meta:
    """Describes a reference in whose place the resource may stand."""
    refs = [{"$ref": SCHEMAS + reference}, {"$ref": SCHEMAS + resource}, {"type": "null"}]
    return Meta(extra_json_schema={"anyOf": refs})


UserReference = Annotated[Any, or_expanded("Reference", "User")]
ApplicationReference = Annotated[Any, or_expanded("Reference", "Application")]
PipelineReference = Annotated[Any, or_expanded("Reference", "Pipeline")]
JobReference = Annotated[Any, or_expanded("Reference", "Job")]
FileReference = Annotated[Any, or_expanded("Reference", "File")]
FolderReference = Annotated[Any, or_expanded("ParentReference", "File")]


class VideoTrack(Struct, frozen=True, kw_only=True):
    """A video track; sizes are in pixels, the aspect ratio is that of one pixel."""

    video_codec: str | None = None
    video_bitrate: Kilobits | None = None
    width: int | None = None
    height: int | None = None
    framerate: int | float | None = None
    aspect_ratio: str | None = None
    video_duration: Duration | None = None
    orientation: str | UnsetType = UNSET


class AudioTrack(Struct, frozen=True, kw_only=True):
    """An audio track; `audio_width` is bits of a sample, `samplingrate` samples per second."""

    audio_codec: str | None = None
    audio_bitrate: Kilobits | None = None
    audio_width: int | None = None
    samplingrate: int | None = None
    nb_channels: int | None = None
    audio_duration: Duration | None = None


class SubtitleTrack(Struct, frozen=True, kw_only=True):
    """A subtitle track; the language is a tag of BCP 47."""

    subtitle_codec: str | None = None
    language: str | None = None


class File(Struct, kw_only=True):
    """A file, folder or archive."""

    storage: Literal["intern"]
    title: str
    name: str
    type: Literal["file", "folder", "archive"]
    subtype: str | None = None
    job: JobReference = None
    autograph: bool | None = None
    container: str | None = None
    mime_type: str | None = None
    md5_checksum: str | None = None
    header_crc: str | None = None
    size: int | None = None
    size_on_disk: int | None = None
    application: ApplicationReference = None
    duration: Duration | None = None
    pipeline: PipelineReference = None
    finished_at: Milliseconds | None = None
    expires_at: Milliseconds | None = None
    elements: list[FileReference] | None = None
    video_tracks: list[VideoTrack] | None = None
    audio_tracks: list[AudioTrack] | None = None
    subtitle_tracks: list[SubtitleTrack] | None = None
    description: str | None = None
    download_count: int | None = None
    parents: list[FolderReference] | None = None
    thumbnail: Annotated[str, Meta(description="data-uri, with bin_data=true.")] | None = None
    user_data: str | None = None
    uri: Url | None = None
    version: int | None = None
    user: UserReference = None
    created_at: Milliseconds
    updated_at: Milliseconds
    id: Id
    href: Url


class User(Struct, kw_only=True):
    """An account: owns applications, pipelines, jobs and files."""

    name: str
    created_at: Milliseconds
    updated_at: Milliseconds
    id: Id
    href: Url


class Application(Struct, kw_only=True):
    """A program that acts for a user; its id is the client_id."""

    name: str
    scopes: list[str]
    user: UserReference = None
    created_at: Milliseconds
    updated_at: Milliseconds
    id: Id
    href: Url


class StoreOptions(Struct, kw_only=True, frozen=True):
    """How a pipeline keeps its files."""

    mode: Literal["temporary", "archive"] = "temporary"


PingUrl = Annotated[
    str,
    Meta(max_length=2048, pattern=r"^https?://[^\x00-\x20\x7f]+$", description="Is posted to."),
]


class PingUrls(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Where a pipeline reports to."""

    error: PingUrl | None = None
    warning: PingUrl | None = None
    started: PingUrl | None = None
    finished: PingUrl | None = None


class Pipeline(Struct, kw_only=True):
    """A place for files with its own root folder and retention; timeouts are seconds."""

    name: str
    description: str | None = None
    root_folder: FolderReference = None
    default_object_timeout: int | None = None
    cancel_timeout: int | None = None
    input_download_dir: str | None = None
    output_upload_dir: str | None = None
    store_options: StoreOptions
    ping_urls: PingUrls | None = None
    application: ApplicationReference = None
    user: UserReference = None
    created_at: Milliseconds
    updated_at: Milliseconds
    id: Id
    href: Url


_UPLOAD_STATES = ["UPLOADING", "COMPLETING", "COMPLETED", "FAILED"]


class Upload(Struct, kw_only=True):
    """A file on its way in; the form is given once, when the upload is made."""

    id: Id
    status: Annotated[str, Meta(extra_json_schema={"enum": _UPLOAD_STATES})]
    form_post_url: Url | None = None
    form_post_params: dict[str, str] | None = None
    nb_chunks: int
    storage_type: Literal["intern"]
    object_key: str
    pipeline: PipelineReference
    file: FileReference
    error_msg: str | None = None


class Link(Struct, frozen=True):
    """Where a page of a list is."""

    href: Url


# What the OpenAPI document must describe although no type names it.
REFERENCED = (Reference, ParentReference, User, Application, Pipeline, File)


class FileAnswer(Struct):
    """One file."""

    file: File


class UserAnswer(Struct):
    """One user."""

    user: User


class ApplicationAnswer(Struct):
    """One application."""

    application: Application


class PipelineAnswer(Struct):
    """One pipeline."""

    pipeline: Pipeline


class UploadAnswer(Struct):
    """One upload."""

    upload: Upload


class FilesAnswer(Struct):
    """A page of files; `prev` is absent on the first page and `next` on the last."""

    files: list[File]
    total: int
    start: int
    limit: int
    first: Link
    last: Link
    next: Link | None = None
    prev: Link | None = None


class UsersAnswer(Struct):
    """A page of users; `prev` is absent on the first page and `next` on the last."""

    users: list[User]
    total: int
    start: int
    limit: int
    first: Link
    last: Link
    next: Link | None = None
    prev: Link | None = None


class ApplicationsAnswer(Struct):
    """A page of applications; `prev` is absent on the first page and `next` on the last."""

    applications: list[Application]
    total: int
    start: int
    limit: int
    first: Link
    last: Link
    next: Link | None = None
    prev: Link | None = None


class PipelinesAnswer(Struct):
    """A page of pipelines."""

    pipelines: list[Pipeline]
    total: int
    start: int
    limit: int
    first: Link
    last: Link
    next: Link | None = None
    prev: Link | None = None


class UrlAnswer(Struct, omit_defaults=True):
    """Where to download: `url` for a file, `urls` (one per element) for an archive."""

    url: Url | None = None
    urls: list[Url] | None = None


class Bandwidth(Struct, omit_defaults=True, kw_only=True):
    """What was delivered from one day to another, both counted whole."""

    tag: Annotated[str, Meta(description="Only of this tag.")] | None = None
    application_id: Id | None = None
    from_date: Milliseconds
    to_date: Milliseconds
    bytes_delivered: Bytes
    downloads: Downloads


class BandwidthAnswer(Struct):
    """What was delivered."""

    bandwidth: Bandwidth


class TagBandwidth(Struct):
    """What was delivered under a tag."""

    tag: str
    bytes_delivered: Bytes
    downloads: Downloads


class TagsAnswer(Struct):
    """The tags under which most was delivered, most first."""

    tags: list[TagBandwidth]


class Refusal(Struct, omit_defaults=True, kw_only=True):
    """What one client tried on one day with a link that is not for it."""

    link: Annotated[str, Meta(description="The link's serial, which can be revoked.")]
    file_id: Id
    application_id: Id
    tag: str | None = None
    address: Annotated[str, Meta(description="Of the client.")]
    error_code: Annotated[str, Meta(description="What it was answered; see the errors.")]
    times: Annotated[int, Meta(ge=1, description="How often.")]
    last_at: Milliseconds


class RefusalsAnswer(Struct):
    """Who tried links that are not for them, the latest first."""

    refusals: list[Refusal]


class TokenAnswer(Struct):
    """A bearer token; `expires_in` is in seconds."""

    access_token: str
    expires_in: int
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of the token's kind


class HealthAnswer(Struct):
    """The API answers."""

    status: Literal["ok"] = "ok"


class ReadyAnswer(Struct):
    """The API and all behind it answer."""

    status: Literal["ready"] = "ready"


class Problem(Struct, omit_defaults=True):
    """What went wrong; docs/errors.md lists the codes."""

    error_code: Annotated[str, Meta(pattern="^0x[0-9a-f]{7}$")]
    error_message: str
    error_detail: str | None = None


class ErrorAnswer(Struct):
    """The answer to a call that failed."""

    error: Problem


R = TypeVar("R", bound=Struct)


@cache
def lean(kind: type[R]) -> type[R]:
    """The same resource, leaving out keys whose value is null when it is encoded."""
    return defstruct(kind.__name__, (), bases=(kind,), omit_defaults=True, kw_only=True)  # type: ignore[return-value]  # defstruct's result is typed as any Struct


def shape(kind: type[R], *, show_null: bool) -> type[R]:
    """The class to build an answer with: one that shows nulls or one that leaves them out."""
    return kind if show_null else lean(kind)
