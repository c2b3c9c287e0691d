"""The checks that a master must pass before anybody may see it.

- The variants' headers are the same.
- K copies are spliced, the first from variants 0, 1, 2 …, the next from 1, 2, 3 …, so that every
  segment of every variant follows a seam once, and are decoded with every complaint counting. The
  first one is decoded whole; of the others, pictures that nothing is predicted from are left out,
  so that a fault in such a one doesn't go any further. What is decoded is shown at the same times.
- Of all pictures of all variants, those left out as well, every bit is as it came from the encoder,
  by a sum taken then; FFmpeg doesn't notice every damaged byte.
"""

import os
from collections.abc import Iterator, Sequence
from io import FileIO, RawIOBase
from pathlib import Path
from zlib import crc32

import numpy as np

from countermark.errors import MasterFlawError
from countermark.media.picture import Picture
from countermark.media.strict import FlawError, flawless_pictures
from countermark.work.master_file import Layout, Seal


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
    """Check how a master's copies decode.

    Args:
        layout: where everything lies in it.
        times: when each picture is shown.

    Raises:
        MasterFlawError: it must not be published.
    """
    _check_headers(layout)
    try:
        whole = ((picture.shown_at, picture.kind != "B") for picture in _decoded(layout, 0))
        shown = np.fromiter(whole, [("at", np.int64), ("needed", np.bool_)])
        if len(shown) != len(times):
            raise MasterFlawError(f"{len(shown)} pictures instead of {len(times)}")
        for first in range(1, layout.variants):
            pictures = _decoded(layout, first, referenced=True)
            found = np.fromiter((picture.shown_at for picture in pictures), np.int64)
            needed = shown["at"][shown["needed"]]
            if not (np.isin(needed, found).all() and np.isin(found, shown["at"]).all()):
                raise MasterFlawError("the copies' pictures part")
    except FlawError as error:
        raise MasterFlawError(f"a copy does not decode: {error}") from error


def check_samples(layout: Layout, seals: Sequence[Seal]) -> None:
    """Check that the pictures in a master's file are those that came from the encoder.

    Args:
        layout: where everything lies in it.
        seals: of its segments.

    Raises:
        MasterFlawError: it must not be published.
    """
    with FileIO(layout.blob) as file:
        for number, seal in enumerate(seals):
            for variant, wanted in enumerate(seal.sums):
                found = 0
                for offset, length in seal.places.tolist():
                    sample = os.pread(file.fileno(), length, variant * layout.size + offset)
                    found = crc32(sample, found)
                if found != wanted:
                    raise MasterFlawError(f"segment {number} of variant {variant} is damaged")


def _decoded(layout: Layout, first: int, *, referenced: bool = False) -> Iterator[Picture]:
    choice = [(first + n) % layout.variants for n in range(len(layout.starts))]
    with Splice(layout.blob, layout.size, layout.starts, choice) as copy:
        yield from flawless_pictures(copy, referenced=referenced)


def _check_headers(layout: Layout) -> None:
    with layout.blob.open("rb") as file:
        headers = set()
        for variant in range(layout.variants):
            file.seek(variant * layout.size)
            headers.add(file.read(layout.starts[0]))
    if len(headers) != 1 or layout.blob.stat().st_size != layout.variants * layout.size:
        raise MasterFlawError("the variants' headers differ")
