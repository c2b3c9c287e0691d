"""From the catalog's records to the resources that clients see."""

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from countermark.api.references import Key, Kind, Record, Wish
from countermark.api.resources import (
    Application,
    AudioTrack,
    File,
    Job,
    ParentReference,
    PingUrls,
    Pipeline,
    Reference,
    StoreOptions,
    SubtitleTrack,
    User,
    VideoTrack,
    shape,
)
from countermark.api.urls import Urls
from countermark.catalog.records import (
    ApplicationRecord,
    FileRecord,
    JobRecord,
    PipelineRecord,
    Thumbnail,
    Track,
    UserRecord,
)

Resource = User | Application | Pipeline | Job | File

# Each object on the way is written out in full; this many are more than anyone reads.
MOST_EMBEDDED = 50_000
_COLLECTIONS: dict[Kind, str] = {
    "user": "users",
    "application": "applications",
    "pipeline": "pipelines",
    "job": "jobs",
    "file": "files",
}
# What a resource has in common with its record; the rest is made of references.
_SAME_IN_FILE = (
    "title",
    "name",
    "type",
    "subtype",
    "autograph",
    "container",
    "mime_type",
    "md5_checksum",
    "header_crc",
    "size",
    "size_on_disk",
    "duration",
    "finished_at",
    "expires_at",
    "description",
    "download_count",
    "user_data",
    "version",
    "created_at",
    "updated_at",
    "id",
)
_SAME_IN_PIPELINE = (
    "name",
    "description",
    "default_object_timeout",
    "cancel_timeout",
    "input_download_dir",
    "output_upload_dir",
    "created_at",
    "updated_at",
    "id",
)
_of_file = attrgetter(*_SAME_IN_FILE)
_of_pipeline = attrgetter(*_SAME_IN_PIPELINE)
_NOTHING = Wish(frozenset(), 0)


class _Kinds(NamedTuple):
    """The classes to build with; those of tracks are types of lists."""

    file: type[File]
    pipeline: type[Pipeline]
    ping_urls: type[PingUrls]
    video_tracks: Any
    audio_tracks: Any
    subtitle_tracks: Any


@cache
def _kinds(*, show_null: bool) -> _Kinds:
    video, audio, subtitle = (
        list[shape(kind, show_null=show_null)]  # type: ignore[misc]  # a class made at run time
        for kind in (VideoTrack, AudioTrack, SubtitleTrack)
    )
    return _Kinds(
        shape(File, show_null=show_null),
        shape(Pipeline, show_null=show_null),
        shape(PingUrls, show_null=show_null),
        video,
        audio,
        subtitle,
    )


class Presenter:
    """Builds resources; references named by the wish become the objects they name.

    A record that already stands around a reference is not put inside itself, and what was not
    found (deleted meanwhile) stays a reference.

    Args:
        urls: Makes hrefs.
        show_null: Whether keys without a value show.
        wanted: Which references to replace, how deep.
        found: The records they name.
        thumbnails: By file id.
    """

    def __init__(
        self,
        urls: Urls,
        *,
        show_null: bool,
        wanted: Wish = _NOTHING,
        found: Mapping[Key, Record] | None = None,
        thumbnails: Mapping[str, Thumbnail] | None = None,
    ) -> None:
        self._urls = urls
        self._wanted = wanted
        self._found = found or {}
        self._thumbnails = thumbnails or {}
        self._embedded = 0
        self._kinds = _kinds(show_null=show_null)

    def file(self, record: FileRecord, around: tuple[Key, ...] = ()) -> File:
        """A file, folder or archive."""
        inside = (*around, Key("file", record.id))
        reference = self._reference
        return self._kinds.file(
            storage="intern",
            **dict(zip(_SAME_IN_FILE, _of_file(record), strict=True)),
            href=self._urls.href("files", record.id),
            uri=None if record.type == "folder" else self._urls.download(record.id),
            user=reference("user", "user", record.user_id, inside),
            application=reference("application", "application", record.application_id, inside),
            pipeline=reference("pipeline", "pipeline", record.pipeline_id, inside),
            job=reference("job", "job", record.job_id, inside),
            parents=self._parents(record, inside),
            elements=self._elements(record, inside),
            video_tracks=_tracks(record.video_tracks, self._kinds.video_tracks),
            audio_tracks=_tracks(record.audio_tracks, self._kinds.audio_tracks),
            subtitle_tracks=_tracks(record.subtitle_tracks, self._kinds.subtitle_tracks),
            thumbnail=self._thumbnail(record.id),
        )

    def pipeline(self, record: PipelineRecord, around: tuple[Key, ...] = ()) -> Pipeline:
        """A pipeline."""
        inside = (*around, Key("pipeline", record.id))
        root = ParentReference(record.root_folder_id, "folder", is_root=True)
        return self._kinds.pipeline(
            **dict(zip(_SAME_IN_PIPELINE, _of_pipeline(record), strict=True)),
            root_folder=self._expanded("root_folder", Key("file", root.id), inside) or root,
            store_options=msgspec.convert({"mode": record.store_mode}, StoreOptions),
            ping_urls=self._kinds.ping_urls(**record.ping_urls) if record.ping_urls else None,
            application=self._reference(
                "application", "application", record.application_id, inside
            ),
            user=self._reference("user", "user", record.user_id, inside),
            href=self._urls.href("pipelines", record.id),
        )

    def job(self, record: JobRecord, around: tuple[Key, ...] = ()) -> Job:
        """A job."""
        inside = (*around, Key("job", record.id))
        return Job(
            status=record.status,
            pipeline=self._reference("pipeline", "pipeline", record.pipeline_id, inside),
            application=self._reference(
                "application", "application", record.application_id, inside
            ),
            user=self._reference("user", "user", record.user_id, inside),
            created_at=record.created_at,
            updated_at=record.updated_at,
            id=record.id,
            href=self._urls.href("jobs", record.id),
        )

    def application(self, record: ApplicationRecord, around: tuple[Key, ...] = ()) -> Application:
        """An application, without its secret."""
        inside = (*around, Key("application", record.id))
        return Application(
            name=record.name,
            scopes=list(record.scopes),
            user=self._reference("user", "user", record.user_id, inside),
            created_at=record.created_at,
            updated_at=record.updated_at,
            id=record.id,
            href=self._urls.href("applications", record.id),
        )

    def user(self, record: UserRecord) -> User:
        """A user."""
        return User(
            name=record.name,
            created_at=record.created_at,
            updated_at=record.updated_at,
            id=record.id,
            href=self._urls.href("users", record.id),
        )

    def _reference(
        self, name: str, kind: Kind, record_id: str | None, around: tuple[Key, ...]
    ) -> Reference | Resource | None:
        if record_id is None:
            return None
        expanded = self._expanded(name, Key(kind, record_id), around) if self._found else None
        return expanded or self._urls.reference(_COLLECTIONS[kind], record_id)

    def _expanded(self, name: str, key: Key, around: tuple[Key, ...]) -> Resource | None:
        if name not in self._wanted.names or len(around) > self._wanted.depth or key in around:
            return None
        record = self._found.get(key)
        if record is None or self._embedded >= MOST_EMBEDDED:
            return None
        self._embedded += 1
        return self._any(record, around)

    def _any(self, record: Record, around: tuple[Key, ...]) -> Resource:
        match record:
            case FileRecord():
                return self.file(record, around)
            case PipelineRecord():
                return self.pipeline(record, around)
            case JobRecord():
                return self.job(record, around)
            case ApplicationRecord():
                return self.application(record, around)
            case UserRecord():
                return self.user(record)

    def _parents(self, record: FileRecord, around: tuple[Key, ...]) -> list[Any] | None:
        if record.parent_id is None:
            return None
        parent = ParentReference(record.parent_id, "folder", is_root=bool(record.parent_is_root))
        return [self._expanded("parents", Key("file", parent.id), around) or parent]

    def _elements(self, record: FileRecord, around: tuple[Key, ...]) -> list[Any] | None:
        if record.elements is None:
            return None
        return [self._reference("elements", "file", one, around) for one in record.elements]

    def _thumbnail(self, file_id: str) -> str | None:
        found = self._thumbnails.get(file_id)
        if found is None:
            return None
        return f"data:{found.mime_type};base64,{b64encode(found.data).decode()}"


def _tracks(stored: list[Track] | None, kind: Any) -> Any:
    """Tracks in the samples' order of keys, which a database may not keep."""
    if stored is None:
        return None
    known = [{key: value for key, value in one.items() if value is not None} for one in stored]
    return msgspec.convert(known, kind)
