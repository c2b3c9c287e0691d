"""What a listing can be sorted by: every key of the Files resource, nested ones dotted.

Numbers compare as numbers and text by its UTF-8 bytes on both databases. A file without a value
stands before all that have one. A key of a track list stands for the first track's value; the
list itself for its length. References sort by their id.
"""

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from countermark.catalog.columns import Name
from countermark.catalog.tables import files, pipelines


class Sort(NamedTuple):
    """One way to sort.

    Attributes:
        name: The same for all keys that give the same order.
        value: What is compared, before the id.
        nullable: Whether some files may have no value.
    """

    name: str
    value: sa.ColumnElement[Any]
    nullable: bool


class _ArrayLength(sa.sql.functions.GenericFunction[int]):
    type = sa.Integer()
    inherit_cache = True
    name = "array_length_of_json"


@compiles(_ArrayLength, "sqlite")
def _sqlite_length(element: Any, compiler: Any, **options: Any) -> str:
    return f"json_array_length{compiler.process(element.clause_expr, **options)}"


@compiles(_ArrayLength, "postgresql")
def _postgresql_length(element: Any, compiler: Any, **options: Any) -> str:
    return f"jsonb_array_length{compiler.process(element.clause_expr, **options)}"


# The columns that are keys of the resource under their own name.
_COLUMNS = (
    "id",
    "type",
    "subtype",
    "title",
    "name",
    "container",
    "mime_type",
    "md5_checksum",
    "header_crc",
    "size",
    "size_on_disk",
    "duration",
    "description",
    "user_data",
    "download_count",
    "version",
    "finished_at",
    "expires_at",
    "created_at",
    "updated_at",
)
# Keys that are the same for all of a user's files, or differ as the id does.
_AS_ID = (
    *("href", "uri", "storage", "thumbnail"),
    *("user", "user.id", "user.href"),
)
_REFERENCES = {"job": "job_id", "application": "application_id", "pipeline": "pipeline_id"}
_TRACKS: dict[str, dict[str, type]] = {
    "video_tracks": {
        "video_codec": str,
        "video_bitrate": float,
        "width": float,
        "height": float,
        "framerate": float,
        "aspect_ratio": str,
        "video_duration": float,
        "orientation": str,
    },
    "audio_tracks": {
        "audio_codec": str,
        "audio_bitrate": float,
        "audio_width": float,
        "samplingrate": float,
        "nb_channels": float,
        "audio_duration": float,
    },
    "subtitle_tracks": {"subtitle_codec": str, "language": str},
}


def sort_keys() -> frozenset[str]:
    """Every key that a listing can be sorted by."""
    return frozenset(_SORTS)


def sort_by(key: str) -> Sort:
    """How to sort by a key.

    Raises:
        ValueError: no file has such a key.
    """
    try:
        return _SORTS[key]
    except KeyError:
        raise ValueError(f"{key!r} is not a key of the Files resource") from None


def _all() -> dict[str, Sort]:
    by_id = _column("id")
    return {
        **{name: _column(name) for name in _COLUMNS},
        **dict.fromkeys(_AS_ID, by_id),
        **{
            key + suffix: _column(column)
            for key, column in _REFERENCES.items()
            for suffix in ("", ".id", ".href")
        },
        **_of_parents(),
        **_of_tracks(),
        "autograph": Sort("autograph", sa.cast(files.c.autograph, sa.Integer), nullable=True),
        **dict.fromkeys(("elements",), _length("elements")),
        **dict.fromkeys(("elements.id", "elements.href"), _nested("elements", (0,), str)),
    }


def _column(name: str) -> Sort:
    column = files.c[name]
    return Sort(name, column, nullable=bool(column.nullable))


def _of_parents() -> dict[str, Sort]:
    parent = files.c.parent_id
    root = (
        sa.select(pipelines.c.root_folder_id)
        .where(pipelines.c.id == files.c.pipeline_id)
        .scalar_subquery()
    )
    is_root = sa.case((parent.is_(None), sa.null()), (parent == root, 1), else_=0)
    has_parent = sa.case((parent.is_(None), sa.null()), else_=1)
    return {
        **dict.fromkeys(("parents", "parents.id", "parents.href"), _column("parent_id")),
        "parents.type": Sort("parents.type", sa.cast(has_parent, sa.Integer), nullable=True),
        "parents.is_root": Sort("parents.is_root", sa.cast(is_root, sa.Integer), nullable=True),
    }


def _of_tracks() -> dict[str, Sort]:
    return {
        **{column: _length(column) for column in _TRACKS},
        **{
            f"{column}.{key}": _nested(column, (0, key), kind)
            for column, keys in _TRACKS.items()
            for key, kind in keys.items()
        },
    }


def _length(column: str) -> Sort:
    return Sort(column, _ArrayLength(files.c[column]), nullable=True)


def _nested(column: str, path: tuple[str | int, ...], kind: type) -> Sort:
    found = files.c[column][path]
    # The cast to text carries the collation, which PostgreSQL's JSON operators lack.
    value = found.as_float() if kind is float else sa.cast(found.as_string(), Name)
    return Sort(f"{column}.{path}", value, nullable=True)


_SORTS = _all()
