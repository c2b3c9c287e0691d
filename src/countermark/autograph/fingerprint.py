"""What tracing keeps of a master to find it, and the time within it, without decoding it.

Each frame leaves a thumbnail of its luma, 16 by 9 cells whatever the frame's shape. The writer
of a master takes one per frame in display order (`thumbnail`), keeps them as it likes, and packs
them once with the frames' times (`pack`). The blob, integers little-endian:

```
0    4  "CMFP"
4    1  version, 1
5    1  rows, 9
6    1  columns, 16
7    1  0
8    4  frames, n
12  4n  u32  each frame's time since the first, milliseconds, ascending
    …   u8   thumbnails, n x rows x columns
```

A minute of 25 frames a second takes 222 kB.
"""

import struct
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from countermark.errors import CountermarkError

ROWS, COLUMNS = 9, 16

Thumbnails = NDArray[np.uint8]
Seconds = NDArray[np.float64]

_MAGIC, _VERSION = b"CMFP", 1
_HEAD = struct.Struct("<4s4BI")
_CELLS = ROWS * COLUMNS


class FingerprintError(CountermarkError, ValueError):
    """Bytes that are no fingerprint, or arrays that make none."""


@dataclass(frozen=True)
class Fingerprint:
    """A master as tracing remembers it.

    Attributes:
        times: of each frame since the first, ascending, shape (n,).
        thumbnails: mean luma of the cells, shape (n, 9, 16).
    """

    times: Seconds
    thumbnails: Thumbnails


def thumbnail(luma: NDArray[np.uint8]) -> Thumbnails:
    """A frame's cells: their mean luma, as the values are in the file (no range conversion).

    Args:
        luma: the frame's luma plane, 8 bits (more bits shifted down), any size, shape (h, w).

    Returns:
        Shape (9, 16).
    """
    cells = cv2.resize(np.ascontiguousarray(luma), (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
    return cells.astype(np.uint8, copy=False)


def pack(times: Seconds, thumbnails: Thumbnails) -> bytes:
    """The blob of a master.

    Args:
        times: of each frame in display order, from any origin, ascending, shape (n,).
        thumbnails: of those frames, shape (n, 9, 16).

    Raises:
        FingerprintError: the shapes do not match, there is no frame, or times go back.
    """
    since = np.asarray(times, np.float64) - (times[0] if len(times) else 0)
    if not len(since) or thumbnails.shape != (len(since), ROWS, COLUMNS):
        raise FingerprintError(f"{since.shape} times do not fit {thumbnails.shape} thumbnails")
    if not (np.diff(since) >= 0).all():
        raise FingerprintError("Times go back")
    head = _HEAD.pack(_MAGIC, _VERSION, ROWS, COLUMNS, 0, len(since))
    milliseconds: bytes = np.rint(since * 1000).astype("<u4").tobytes()
    return head + milliseconds + thumbnails.tobytes()


def unpack(blob: bytes) -> Fingerprint:
    """Read what `pack` wrote.

    Raises:
        FingerprintError: it did not write this.
    """
    if len(blob) < _HEAD.size:
        raise FingerprintError("Too short for a fingerprint")
    magic, version, rows, columns, _, frames = _HEAD.unpack_from(blob)
    if (magic, version, rows, columns) != (_MAGIC, _VERSION, ROWS, COLUMNS):
        raise FingerprintError("Not a fingerprint of a known version")
    if len(blob) != _HEAD.size + frames * (4 + _CELLS):
        raise FingerprintError(f"Not the length of {frames} frames")
    times = np.frombuffer(blob, "<u4", frames, _HEAD.size) / 1000
    cells = np.frombuffer(blob, np.uint8, offset=_HEAD.size + 4 * frames)
    return Fingerprint(times, cells.reshape(frames, ROWS, COLUMNS))
