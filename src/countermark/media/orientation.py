"""How a picture is turned before it is shown.

Cameras store what the sensor saw and add a display matrix (ISO/IEC 14496-12, 8.3.2; EXIF tag
274 becomes the same in FFmpeg). Of the nine numbers only the signs of the upper left 2 x 2
matter here: (a, b, c, d) maps the point (x, y), y downward, to (a x + c y, b x + d y).
"""

import struct
from typing import TYPE_CHECKING, cast

from av import VideoFrame

from countermark.media.description import Orientation

if TYPE_CHECKING:
    from av.sidedata.sidedata import SideData

_BY_SIGNS: dict[tuple[int, int, int, int], Orientation] = {
    (0, 1, -1, 0): "rotate-90",
    (-1, 0, 0, -1): "rotate-180",
    (0, -1, 1, 0): "rotate-270",
    (-1, 0, 0, 1): "flip-rotate-0",
    (0, -1, -1, 0): "flip-rotate-90",
    (1, 0, 0, -1): "flip-rotate-180",
    (0, 1, 1, 0): "flip-rotate-270",
}

# FFmpeg filters, each with its arguments, that carry out the orientation in this order.
FILTERS: dict[Orientation, tuple[tuple[str, str | None], ...]] = {
    "rotate-90": (("transpose", "clock"),),
    "rotate-180": (("hflip", None), ("vflip", None)),
    "rotate-270": (("transpose", "cclock"),),
    "flip-rotate-0": (("hflip", None),),
    "flip-rotate-90": (("transpose", "clock_flip"),),
    "flip-rotate-180": (("vflip", None),),
    "flip-rotate-270": (("transpose", "cclock_flip"),),
}


def of_frame(frame: VideoFrame) -> Orientation | None:
    """Read a decoded frame's display matrix; None if there is none or it leaves it upright."""
    try:
        matrix = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:
        # PyAV 18.1 gives up on a frame that carries any kind of side data younger than itself,
        # EXIF among them. The angle is still told; the rare mirrored photo is lost.
        return _of_rotation(frame.rotation)
    if matrix is None:
        return None
    return of_matrix(struct.unpack_from("=9i", cast("SideData", matrix)))


def of_matrix(matrix: tuple[int, ...]) -> Orientation | None:
    """Name the orientation nearest to a display matrix.

    Args:
        matrix: Nine integers, row by row as in the file: a, b, u, c, d, v, x, y, w.
    """
    a, b, _, c, d = matrix[:5]
    # A matrix is either mostly along the axes or mostly across them; noise in the other
    # pair, and any scale, has no say.
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return _BY_SIGNS.get((_sign(a), 0, 0, _sign(d)))
    return _BY_SIGNS.get((0, _sign(b), _sign(c), 0))


def _of_rotation(counterclockwise: int) -> Orientation | None:
    turns: dict[int, Orientation] = {1: "rotate-90", 2: "rotate-180", 3: "rotate-270"}
    return turns.get(round(-counterclockwise / 90) % 4)


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
