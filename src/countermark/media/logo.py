"""A picture laid over the pictures of an output, such as a broadcaster's logo."""

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
from av import VideoFrame
from av.filter import Graph
from av.filter.context import FilterContext

from countermark.errors import MediaSettingsError
from countermark.media.colours import Colours
from countermark.media.demuxing import open_media
from countermark.media.encoding_settings import Logo
from countermark.media.filtering import chain
from countermark.media.picture_size import Size, in_pixels
from countermark.media.probe import open_nameless


class LogoPicture(NamedTuple):
    """A logo with its picture decoded."""

    logo: Logo
    picture: VideoFrame


def read_logo(logo: Logo, path: Path) -> LogoPicture:
    """Decode a logo.

    Raises:
        MediaSettingsError: It is no picture.
    """
    try:
        with open_nameless(path) as file, open_media(file) as container:
            return LogoPicture(logo, next(container.decode(video=0)))
    except (av.FFmpegError, StopIteration, IndexError, OSError) as error:
        raise MediaSettingsError("logos: a logo is no picture. Use a PNG file.") from error


def lay(
    graph: Graph, picture: FilterContext, logo: LogoPicture, canvas: Size, colours: Colours
) -> FilterContext:
    """Add a logo to a graph.

    Args:
        graph: Not yet configured; the logo's picture must be pushed into its next source.
        picture: The filter that gives the pictures to lay it on.
        logo: What to lay.
        canvas: Size of these pictures.
        colours: Of these pictures.

    Returns:
        The filter that gives the pictures with the logo.
    """
    wish, mark = logo
    width = in_pixels(wish.width, canvas.width) or min(mark.width, canvas.width)
    height = max(1, round(Fraction(width * mark.height, mark.width)))
    source = graph.add(
        "buffer",
        f"video_size={mark.width}x{mark.height}:pix_fmt={mark.format.name}"
        ":time_base=1/1:pixel_aspect=1/1",
    )
    scaled = chain(
        graph,
        source,
        [
            ("scale", f"{width}:{height}"),
            ("format", "rgba"),
            ("colorchannelmixer", f"aa={wish.opacity or 1}"),
            ("scale", f"out_color_matrix={colours.matrix}:out_range={colours.range}"),
            ("format", "yuva420p"),
        ],
    )
    x, y = _place(wish, Size(width, height), canvas)
    overlay = graph.add("overlay", f"{x}:{y}:format=auto")
    picture.link_to(overlay, 0, 0)
    scaled.link_to(overlay, 0, 1)
    return overlay


def _place(logo: Logo, size: Size, canvas: Size) -> tuple[int, int]:
    x = in_pixels(logo.x, canvas.width) or 0
    y = in_pixels(logo.y, canvas.height) or 0
    corner = logo.corner or "top-right"
    if corner.endswith("right"):
        x = canvas.width - size.width - x
    if corner.startswith("bottom"):
        y = canvas.height - size.height - y
    return x, y
