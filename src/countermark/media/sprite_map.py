"""Where on a sprite sheet the picture of a time is, as players read it: arithmetic only.

A WebVTT file whose cues are addresses with a media fragment (W3C Media Fragments URI, 4.2.2):
`sprite-01.jpg#xywh=160,0,160,90`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from countermark.media.picture_size import Size
from countermark.media.webvtt import timestamp

# A sheet larger than 4096 pixels is more than some phones decode.
LARGEST_SIDE = 4096
_MOST_COLUMNS = 10


class Grid(NamedTuple):
    """Columns and rows of a sheet."""

    columns: int
    rows: int


def grid_for(tile: Size, count: int) -> Grid:
    """Arrange so many tiles on sheets that are not too large; at least one on each."""
    columns = max(1, min(_MOST_COLUMNS, LARGEST_SIDE // tile.width, count))
    rows = max(1, min(LARGEST_SIDE // tile.height, -(-count // columns)))
    return Grid(columns, rows)


def sprite_map(
    sheets: Sequence[str], tile: Size, grid: Grid, starts_ms: Sequence[int], end_ms: int
) -> str:
    """Write the map.

    Args:
        sheets: Names of the sheets.
        tile: Size of one picture.
        grid: How they are arranged.
        starts_ms: When each begins to be the nearest, milliseconds.
        end_ms: When the last ceases to be.
    """
    cues = []
    stops = [*starts_ms[1:], max(end_ms, starts_ms[-1] + 1)] if starts_ms else []
    for number, (start, stop) in enumerate(zip(starts_ms, stops, strict=True)):
        sheet, place = divmod(number, grid.columns * grid.rows)
        row, column = divmod(place, grid.columns)
        x, y = column * tile.width, row * tile.height
        address = f"{sheets[sheet]}#xywh={x},{y},{tile.width},{tile.height}"
        cues.append(f"{timestamp(start)} --> {timestamp(stop)}\n{address}\n\n")
    return "WEBVTT\n\n" + "".join(cues)
