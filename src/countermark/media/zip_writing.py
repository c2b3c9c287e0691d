"""Putting files that are made already into one archive.

Media doesn't shrink, so nothing is compressed, and the parts of the archive are byte for byte
the files. Times and modes are left out: the same files make the same archive.
"""

import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

_PIECE = 1 << 20


def write_zip(path: Path, files: Iterable[tuple[str, Path]]) -> int:
    """Write an archive.

    Args:
        path: Where to; replaced if it is there.
        files: The name of each in the archive, which is relative and without "..", and its file.

    Returns:
        Bytes of the archive.

    Raises:
        ValueError: A name is not a plain relative one, or comes twice.
    """
    names: set[str] = set()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, file in files:
            if name in names or not _is_plain(name):
                raise ValueError(f"not a name for an archive: {name!r}")
            names.add(name)
            entry = zipfile.ZipInfo(name)  # of 1980, the format's beginning
            entry.external_attr = 0o644 << 16
            size = file.stat().st_size
            with (
                file.open("rb") as source,
                archive.open(entry, "w", force_zip64=size >= zipfile.ZIP64_LIMIT) as target,
            ):
                shutil.copyfileobj(source, target, _PIECE)
    return path.stat().st_size


def _is_plain(name: str) -> bool:
    parts = name.split("/")
    return "\\" not in name and all(part not in {"", ".", ".."} for part in parts)
