"""From the catalog's records to the resources that clients see."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from countermark.api.expansion import NOTHING
from countermark.api.job_representation import JobPresenter
from countermark.api.job_resources import Codec, Job, Preset
from countermark.api.references import Key, Record, Wish
from countermark.api.resources import (
    Application,
    AudioTrack,
    File,
    PingUrls,
    Pipeline,
    StoreOptions,
    SubtitleTrack,
    User,
    VideoTrack,
    shape,
)
from countermark.api.urls import Urls, without_password, without_secrets
from countermark.catalog.job_records import JobRecord, PresetRecord
from countermark.catalog.records import (
    ApplicationRecord,
    FileRecord,
    PipelineRecord,
    Thumbnail,
    Track,
    UserRecord,
)
from countermark.media.codecs import Codec as KnownCodec

Resource = User | Application | Pipeline | Job | Preset | Codec | File

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
    "created_at",
    "updated_at",
    "id",
)
_of_file = attrgetter(*_SAME_IN_FILE)
_of_pipeline = attrgetter(*_SAME_IN_PIPELINE)


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


class Presenter(JobPresenter):
    """Builds resources, with expanded references in them.

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
        wanted: Wish = NOTHING,
        found: Mapping[Key, Record] | None = None,
        thumbnails: Mapping[str, Thumbnail] | None = None,
    ) -> None:
        super().__init__(urls, wanted, found)
        self.show_null = show_null
        self._thumbnails = thumbnails or {}
        self._makers: dict[type, Callable[[Any, tuple[Key, ...]], Resource]] = {
            FileRecord: self.file,
            PipelineRecord: self.pipeline,
            JobRecord: self.job,
            PresetRecord: self.preset,
            ApplicationRecord: self.application,
            KnownCodec: lambda record, _around: self.codec(record),
            UserRecord: lambda record, _around: self.user(record),
        }
        self._kinds = _kinds(show_null=show_null)

    def file(self, record: FileRecord, around: tuple[Key, ...] = ()) -> File:
        """A file, folder or archive."""
        inside = (*around, Key("file", record.id))
        reference = self.reference
        return self._kinds.file(
            storage="intern",
            **dict(zip(_SAME_IN_FILE, _of_file(record), strict=True)),
            href=self.urls.href("files", record.id),
            uri=None if record.type == "folder" else self.urls.download(record.id),
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
        return self._kinds.pipeline(
            **dict(zip(_SAME_IN_PIPELINE, _of_pipeline(record), strict=True)),
            input_download_dir=_place(record.input_download_dir),
            output_upload_dir=_place(record.output_upload_dir),
            root_folder=self.folder("root_folder", record.root_folder_id, inside, is_root=True),
            store_options=msgspec.convert({"mode": record.store_mode}, StoreOptions),
            ping_urls=self._ping_urls(record.ping_urls),
            application=self.reference("application", "application", record.application_id, inside),
            user=self.reference("user", "user", record.user_id, inside),
            href=self.urls.href("pipelines", record.id),
        )

    def application(self, record: ApplicationRecord, around: tuple[Key, ...] = ()) -> Application:
        """An application, without its secret."""
        inside = (*around, Key("application", record.id))
        return Application(
            name=record.name,
            scopes=list(record.scopes),
            user=self.reference("user", "user", record.user_id, inside),
            created_at=record.created_at,
            updated_at=record.updated_at,
            id=record.id,
            href=self.urls.href("applications", record.id),
        )

    def user(self, record: UserRecord) -> User:
        """A user."""
        return User(
            name=record.name,
            created_at=record.created_at,
            updated_at=record.updated_at,
            id=record.id,
            href=self.urls.href("users", record.id),
        )

    def resource(self, record: Record, around: tuple[Key, ...]) -> Resource:
        """The resource of any record."""
        return self._makers[type(record)](record, around)

    def _ping_urls(self, stored: dict[str, str] | None) -> PingUrls | None:
        if not stored:
            return None
        shown = {event: without_password(url) for event, url in stored.items()}
        return self._kinds.ping_urls(**shown)

    def _parents(self, record: FileRecord, around: tuple[Key, ...]) -> list[Any] | None:
        parent = self.folder(
            "parents", record.parent_id, around, is_root=bool(record.parent_is_root)
        )
        return [parent] if parent else None

    def _elements(self, record: FileRecord, around: tuple[Key, ...]) -> list[Any] | None:
        if record.elements is None:
            return None
        return [self.reference("elements", "file", one, around) for one in record.elements]

    def _thumbnail(self, file_id: str) -> str | None:
        found = self._thumbnails.get(file_id)
        if found is None:
            return None
        return f"data:{found.mime_type};base64,{b64encode(found.data).decode()}"


def _place(uri: str | None) -> str | None:
    return None if uri is None else without_secrets(uri)


def _tracks(stored: list[Track] | None, kind: Any) -> Any:
    """Tracks in the samples' order of keys, which a database may not keep."""
    if stored is None:
        return None
    known = [{key: value for key, value in one.items() if value is not None} for one in stored]
    return msgspec.convert(known, kind)
