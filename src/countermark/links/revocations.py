"""What has been ended before its time: links, and all links of a file or an application."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from countermark.links.link import Link


class Revoked(StrEnum):
    """What an id among the revocations names."""

    FILE = "file"
    APPLICATION = "application"
    LINK = "link"  # by its serial


class Revocation(NamedTuple):
    """One thing that has been ended."""

    kind: Revoked
    id: str


class Revocations:
    """Everything that has been ended. Immutable: one more makes another.

    Attributes:
        all: what they are made of.
    """

    def __init__(self, revocations: Iterable[Revocation] = ()) -> None:
        self.all = frozenset(revocations)

    def reason(self, link: Link) -> Revoked | None:
        """What of the link has been ended, or None if it still holds."""
        if not self.all:
            return None
        named = (
            Revocation(Revoked.FILE, link.file),
            Revocation(Revoked.APPLICATION, link.application),
            Revocation(Revoked.LINK, link.serial),
        )
        return next((one.kind for one in named if one in self.all), None)
