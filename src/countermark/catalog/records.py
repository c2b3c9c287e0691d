"""What the catalog gives back: one frozen struct a row, with the names of the table's columns.

Times are milliseconds since the epoch, ids 24 hex characters, JSON columns decoded.
"""

from typing import Any, Literal

from msgspec import Struct

FileType = Literal["file", "folder", "archive"]
Track = dict[str, Any]


class UserRecord(Struct, frozen=True):
    """An owner of applications, pipelines, jobs and files."""

    id: str
    name: str
    created_at: int
    updated_at: int


class ApplicationRecord(Struct, frozen=True):
    """A client of a user's; its id is the client_id.

    Attributes:
        client_secret: Key of HMAC-signed requests, 32 bytes.
        revoked_at: When it lost all access; None while it has it.
    """

    id: str
    user_id: str
    name: str
    client_secret: bytes
    scopes: tuple[str, ...]
    revoked_at: int | None
    created_at: int
    updated_at: int


class Access(Struct, frozen=True):
    """What the bearer of a token may do, and as whom."""

    application_id: str
    user_id: str
    scopes: frozenset[str]


class LinkKey(Struct, frozen=True):
    """A server key that signs links: 32 secret bytes under a small number."""

    id: int
    secret: bytes
    created_at: int


class AutographKey(Struct, frozen=True):
    """What masters are marked with and copies are spliced by: 32 secret bytes."""

    id: int
    secret: bytes
    created_at: int


class IssuedCopy(Struct, frozen=True):
    """A link to a recipient's copy of a master.

    Attributes:
        serial: The link's.
        file_id: The master.
        tag: What the copy carries.
        user_id: Whose master it is.
        application_id: Which application asked for the link.
        asked_from: The address that it asked from.
        bound_to: The only address that may use the link; None for any.
        expires_at: When the link ends.
    """

    serial: str
    file_id: str
    tag: str
    user_id: str
    application_id: str
    asked_from: str
    bound_to: str | None
    expires_at: int
    created_at: int


class AddressListRecord(Struct, frozen=True):
    """A list of addresses that guarded links are refused to.

    Attributes:
        kind: "anonymizer" or "blacklist".
        source: A URL, or a file's absolute path.
        internal: Whether the URL may lead into private networks.
        every: Seconds between refreshes; None for only when asked to.
        blob_key: The compiled list.
        ranges: How many ranges of addresses it has.
        problem: Why the last refresh failed; None if it did not.
        loaded_at: When the compiled list was made.
        due_at: When the worker refreshes it next; None for never.
    """

    name: str
    kind: str
    source: str
    internal: bool
    every: int | None
    blob_key: str
    ranges: int
    problem: str | None
    loaded_at: int
    due_at: int | None
    created_at: int


class PipelineRecord(Struct, frozen=True):
    """A pipeline; timeouts are in seconds, `store_mode` is "temporary" or "archive"."""

    id: str
    user_id: str
    application_id: str
    root_folder_id: str
    name: str
    description: str | None
    default_object_timeout: int | None
    cancel_timeout: int | None
    input_download_dir: str | None
    output_upload_dir: str | None
    store_mode: str
    ping_urls: dict[str, str] | None
    created_at: int
    updated_at: int


class UploadRecord(Struct, frozen=True):
    """An upload.

    Attributes:
        file_id: The id that the file will have.
        status: UPLOADING, COMPLETING, COMPLETED or FAILED.
        error_msg: Why it failed, or what was wrong with the media of a completed one.
        file_expires_at: When the file will expire; None for never.
        ends_at: No bytes are taken after this.
        expiry_given: Whether the client said when the file ends; if not, a job that uses the
            file keeps it.
    """

    id: str
    user_id: str
    application_id: str
    pipeline_id: str
    file_id: str
    object_key: str
    status: str
    nb_chunks: int | None
    error_msg: str | None
    file_expires_at: int | None
    ends_at: int
    created_at: int
    updated_at: int
    expiry_given: bool


class FileRecord(Struct, frozen=True, gc=False):
    """A file, folder or archive. Garbage collection is off: a record cannot be in a cycle.

    Attributes:
        object_key: Relative to the pipeline's root folder; "" for the root itself.
        elements: Ids of an archive's files.
        blob_key: Where the bytes are; None for folders and archives.
        parent_is_root: Whether the parent is the pipeline's root; None without a parent.
    """

    id: str
    user_id: str
    application_id: str
    pipeline_id: str
    job_id: str | None
    parent_id: str | None
    type: FileType
    subtype: str | None
    object_key: str
    title: str
    name: str
    container: str | None
    mime_type: str | None
    md5_checksum: str | None
    header_crc: str | None
    size: int | None
    size_on_disk: int | None
    duration: int | None
    video_tracks: list[Track] | None
    audio_tracks: list[Track] | None
    subtitle_tracks: list[Track] | None
    elements: list[str] | None
    autograph: bool | None
    description: str | None
    user_data: str | None
    download_count: int | None
    version: int
    blob_key: str | None
    etag: str | None
    finished_at: int | None
    expires_at: int | None
    created_at: int
    updated_at: int
    parent_is_root: bool | None


class FilePage(Struct, frozen=True):
    """Some files of a listing, and how many the whole listing has."""

    files: list[FileRecord]
    total: int


class Thumbnail(Struct, frozen=True):
    """An encoded picture."""

    mime_type: str
    data: bytes


class Sidecar(Struct, frozen=True):
    """A small blob that belongs to a file.

    Attributes:
        name: "poster", or "subtitles-00", "subtitles-01", ... (WebVTT).
        language: Of subtitles, as the file says it; None when undetermined.
    """

    name: str
    language: str | None
    blob_key: str


class NewFile(Struct, frozen=True, kw_only=True):
    """What is known of a file whose bytes are stored, when it enters the catalog.

    The name is the last segment of the object key, the title that name without its extension.

    Attributes:
        id: The file's id, made when its upload began.
        object_key: Segments joined by "/", none of them empty.
        size: Bytes.
        size_on_disk: Bytes; None for as many as `size`.
        video_tracks: Anything that msgspec encodes as a list of objects; so are the two below.
        created_at: When its upload began; None for the time of registering.
    """

    id: str
    user_id: str
    application_id: str
    pipeline_id: str
    object_key: str
    blob_key: str
    size: int
    etag: str | None = None
    job_id: str | None = None
    subtype: str | None = None
    container: str | None = None
    mime_type: str | None = None
    md5_checksum: str | None = None
    header_crc: str | None = None
    size_on_disk: int | None = None
    duration: int | None = None
    video_tracks: Any = None
    audio_tracks: Any = None
    subtitle_tracks: Any = None
    autograph: bool | None = None
    description: str | None = None
    user_data: str | None = None
    expires_at: int | None = None
    created_at: int | None = None
    thumbnail: Thumbnail | None = None
    sidecars: tuple[Sidecar, ...] = ()
