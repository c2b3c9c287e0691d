"""Query parameters that several calls share, and those of the Files resource."""

from collections.abc import Iterable
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from countermark.catalog.readers.listing import sort_keys

Format = Annotated[Literal["json", "xml"], Meta(description="Overrides the Accept header.")]
Human = Annotated[bool, Meta(description="Pretty-print the answer.")]
# The parser refuses NUL before any pattern is looked at; the pattern tells clients.
NO_NUL = r"^[^\x00]*$"
Name = Annotated[str, Meta(pattern=NO_NUL)]
ResourceId = Annotated[str, Meta(pattern="^[0-9a-f]{24}$")]

_EXPAND_DESCRIPTION = (
    "Comma separated references (user, application, pipeline, job, preset, codec, file, parents, "
    "elements, root_folder, folder, archive) to replace by the objects they name. Other names are "
    "ignored."
)
_EXPAND_ALL_DESCRIPTION = (
    "Replace references by the objects they name, and theirs in turn. An object inside itself "
    "and anything more than four levels deep stays a reference."
)


class NoParameters(Struct, frozen=True):
    """Of documents that have one form."""


class Presentation(Struct, frozen=True, kw_only=True):
    """How to write the answer."""

    format: Format | None = None
    human: Human = False


class Nulls(Presentation, frozen=True, kw_only=True):
    """How to write a resource."""

    show_null: Annotated[bool, Meta(description="Show keys without a value as null.")] = False


class Expansion(Nulls, frozen=True, kw_only=True):
    """How to write a resource that refers to others."""

    expand: Annotated[tuple[Name, ...], Meta(description=_EXPAND_DESCRIPTION)] = ()
    expand_all: Annotated[bool, Meta(description=_EXPAND_ALL_DESCRIPTION)] = False


class OneFile(Expansion, frozen=True, kw_only=True):
    """GET /files/ID."""

    bin_data: Annotated[bool, Meta(description="Include thumbnails as data-uri.")] = False


class Paging(Expansion, frozen=True, kw_only=True):
    """Which page of a list."""

    start: Annotated[int, Meta(ge=0, le=2**53, description="Offset of the page.")] = 0
    limit: Annotated[int, Meta(ge=1, le=5000, description="Items on a page.")] = 1000


Direction = Annotated[Literal["1", "-1"], Meta(description="Ascending (1) or descending (-1).")]


def sorting_by(keys: Iterable[str]) -> Meta:
    """Describes the parameter `sort` of a list with these keys."""
    return Meta(
        min_length=1,
        max_length=100,
        description="Key to sort by, nested ones with a dot. Default: the order of making.",
        extra_json_schema={"enum": sorted(keys)},
    )


class ManyFiles(Paging, frozen=True, kw_only=True):
    """GET /files/."""

    bin_data: Annotated[bool, Meta(description="Include thumbnails as data-uri.")] = False
    sort: Annotated[str, sorting_by(sort_keys())] = "id"
    direction: Direction = "1"
    type: Annotated[
        tuple[Literal["file", "folder", "archive"], ...],
        Meta(min_length=1, description="Only files of these types."),
    ] = ()
    pipeline_id: Annotated[ResourceId, Meta(description="Only files of this pipeline.")] | None = (
        field(name="pipeline.id", default=None)
    )
    job_id: Annotated[ResourceId, Meta(description="Only files of this job.")] | None = field(
        name="job.id", default=None
    )
