"""A job's folder on the machine that works on it: its input, and what is being made of it.

It lasts from step to step, so that work that was cut off can go on, and is gone when the job has
ended. One execution at a time is in it: one that has lost the job is given time to notice.
"""

import asyncio
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from countermark.errors import BlobNotFoundError, JobInputMissingError
from countermark.ids import is_id
from countermark.storage.port import LocatesBlobs, Store

_FOLDER = "jobs"
_INPUT = "input"


@contextmanager
def workspace(spool: Path, job_id: str) -> Iterator[Path]:
    """The job's folder, for this execution alone."""
    folder = spool / _FOLDER / job_id
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        folder.mkdir(exist_ok=True)  # whoever had it before may have removed it
        yield folder
    finally:
        os.close(descriptor)


def remove(spool: Path, job_id: str) -> None:
    """Remove the job's folder, if it is there."""
    shutil.rmtree(spool / _FOLDER / job_id, ignore_errors=True)


def job_ids(spool: Path) -> list[str]:
    """The jobs that have a folder here."""
    with suppress(FileNotFoundError):
        return [path.name for path in (spool / _FOLDER).iterdir() if is_id(path.name)]
    return []


def bring_input(folder: Path, store: Store, blob_key: str) -> Path:
    """The input as a file of the folder; it stays whatever becomes of the blob.

    Raises:
        JobInputMissingError: the blob is gone.
    """
    path = folder / _INPUT
    if not path.exists():
        bring(path, store, blob_key)
    return path


def bring(path: Path, store: Store, blob_key: str) -> None:
    """A blob as a file of this path; it stays whatever becomes of the blob.

    Raises:
        JobInputMissingError: the blob is gone.
    """
    try:
        if isinstance(store, LocatesBlobs):
            _link(store.path(blob_key), path)
        else:
            asyncio.run(_copy(store, blob_key, path))
    except (BlobNotFoundError, FileNotFoundError) as error:
        raise JobInputMissingError("The input was deleted. Upload it, then retry.") from error


def _link(source: Path, path: Path) -> None:
    try:
        path.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, path.with_suffix(".part"))
        path.with_suffix(".part").rename(path)


async def _copy(store: Store, key: str, path: Path) -> None:
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        async for piece in store.read(key):
            file.write(piece)
    part.rename(path)
