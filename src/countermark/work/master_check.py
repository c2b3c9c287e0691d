"""The check that a master must pass before anybody may see it.

K copies are spliced, the first from variants 0, 1, 2 …, the next from 1, 2, 3 …, and decoded, so
that every segment of every variant is decoded once, each after a seam.
"""

from collections.abc import Sequence
from io import RawIOBase
from itertools import zip_longest
from pathlib import Path

from countermark.errors import MasterFlawError
from countermark.media.picture import Picture
from countermark.media.strict import FlawError, flawless_pictures
from countermark.work.master_file import Layout


class Splice(RawIOBase):
    """A copy spliced from a master, as a file to read."""

    def __init__(self, blob: Path, size: int, starts: Sequence[int], choice: Sequence[int]) -> None:
        self._file = blob.open("rb")
        self._size = size
        # What lies before the first segment is the first variant's.
        self._starts = [0, *starts, size]
        self._choice = [0, *choice]
        self._at = 0
        self._segment = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place."""
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        self._segment = 0
        return self._at

    def tell(self) -> int:
        """Where it is."""
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read up to the end of a segment."""
        if self._at >= self._size:
            return 0
        while self._starts[self._segment + 1] <= self._at:
            self._segment += 1
        length = min(len(buffer), self._starts[self._segment + 1] - self._at)
        self._file.seek(self._choice[self._segment] * self._size + self._at)
        read = self._file.readinto(memoryview(buffer)[:length])
        self._at += read
        return read

    def close(self) -> None:
        """Close the master's file."""
        self._file.close()
        super().close()


def check_master(layout: Layout, times: Sequence[int]) -> None:
    """Check a master's file.

    Args:
        layout: where everything lies in it.
        times: when each picture is shown.

    Raises:
        MasterFlawError: it must not be published.
    """
    _check_headers(layout)
    copies = [
        _spliced(layout, [(first + n) % layout.variants for n in range(len(layout.starts))])
        for first in range(layout.variants)
    ]
    number = -1
    try:
        for number, same in enumerate(zip_longest(*map(flawless_pictures, copies))):
            _check_pictures(number, same, len(times))
    except FlawError as error:
        raise MasterFlawError(f"a copy does not decode: {error}") from error
    finally:
        for copy in copies:
            copy.close()
    if number + 1 != len(times):
        raise MasterFlawError(f"{number + 1} pictures instead of {len(times)}")


def _spliced(layout: Layout, choice: Sequence[int]) -> Splice:
    return Splice(layout.blob, layout.size, layout.starts, choice)


def _check_headers(layout: Layout) -> None:
    with layout.blob.open("rb") as file:
        headers = set()
        for variant in range(layout.variants):
            file.seek(variant * layout.size)
            headers.add(file.read(layout.starts[0]))
    if len(headers) != 1 or layout.blob.stat().st_size != layout.variants * layout.size:
        raise MasterFlawError("the variants' headers differ")


def _check_pictures(number: int, same: Sequence[Picture | None], count: int) -> None:
    if number >= count or len({picture and picture.shown_at for picture in same}) != 1:
        raise MasterFlawError(f"the copies' pictures part at number {number}")
