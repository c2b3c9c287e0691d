"""Who a worker is: a name that a restart takes up again, and no two living workers share.

A name is a file in the data folder, held by a lock that the kernel lets go of when the process
ends, however it ends. So a worker that starts again on its machine is the one it was and resumes
its work at once, any number of workers can run on one machine, and nothing hangs on host names.
"""

import fcntl
import os
from io import FileIO
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

from countermark.ids import is_id, new_id


class Identity:
    """A worker's name, as long as it is held.

    Args:
        folder: Where the names of this machine's workers are kept; made if it is missing.

    Attributes:
        name: 24 hex digits.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        known = sorted(path.name for path in folder.iterdir() if is_id(path.name))
        names = chain(known, iter(new_id, ""))
        held = ((name, file) for name in names if (file := _held(folder / name)))
        self.name, self._file = next(held)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()


def _held(path: Path) -> FileIO | None:
    file = FileIO(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
