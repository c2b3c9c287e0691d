"""References to other resources, and the resources that stand in their place."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from countermark.api.references import Key, Kind, Record, Wish
from countermark.api.resources import ParentReference
from countermark.api.urls import Urls

# Each object on the way is written out in full; this many are more than anyone reads.
MOST_EMBEDDED = 50_000
NOTHING = Wish(frozenset(), 0)
_COLLECTIONS: dict[Kind, str] = {
    "user": "users",
    "application": "applications",
    "pipeline": "pipelines",
    "job": "jobs",
    "preset": "presets",
    "codec": "codecs",
    "file": "files",
}


class Expanding(ABC):
    """Makes references; those named by the wish become the objects they name.

    A record that already stands around a reference is not put inside itself, and what was not
    found (deleted meanwhile) stays a reference.

    Args:
        urls: Makes hrefs.
        wanted: Which references to replace, how deep.
        found: The records they name.
    """

    def __init__(self, urls: Urls, wanted: Wish, found: Mapping[Key, Record] | None) -> None:
        self.urls = urls
        self._wanted = wanted
        self._found = found or {}
        self._embedded = 0

    @abstractmethod
    def resource(self, record: Record, around: tuple[Key, ...]) -> Any:
        """The resource of any record."""

    def reference(
        self, name: str, kind: Kind, record_id: str | None, around: tuple[Key, ...]
    ) -> Any:
        """A reference, or what it names, under the name that `expand` knows it by."""
        if record_id is None:
            return None
        expanded = self.expanded(name, Key(kind, record_id), around) if self._found else None
        return expanded or self.urls.reference(_COLLECTIONS[kind], record_id)

    def folder(
        self, name: str, folder_id: str | None, around: tuple[Key, ...], *, is_root: bool
    ) -> Any:
        """A reference to a folder, or the folder."""
        if folder_id is None:
            return None
        reference = ParentReference(folder_id, "folder", is_root=is_root)
        return self.expanded(name, Key("file", folder_id), around) or reference

    def expanded(self, name: str, key: Key, around: tuple[Key, ...]) -> Any:
        """What stands in place of a reference, or None."""
        if name not in self._wanted.names or len(around) > self._wanted.depth or key in around:
            return None
        record = self._found.get(key)
        if record is None or self._embedded >= MOST_EMBEDDED:
            return None
        self._embedded += 1
        return self.resource(record, around)
