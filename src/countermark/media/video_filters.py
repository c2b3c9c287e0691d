"""What happens to a picture between decoder and encoder: a list of FFmpeg's filters.

deinterlace → flatten → turn → crop → cut → scale (with colours) → pad → logos
"""

from fractions import Fraction
from typing import NamedTuple

from av import VideoFrame
from av.filter import Graph

from countermark.media import colours
from countermark.media.colours import Colours, scale_options
from countermark.media.description import Orientation
from countermark.media.encoding_settings import VideoSettings
from countermark.media.filtering import Step, chain
from countermark.media.logo import LogoPicture, lay
from countermark.media.orientation import FILTERS
from countermark.media.picture_size import (
    Placement,
    Size,
    even_below,
    place,
    squared,
)

# Pixels; FFmpeg's bwdif takes no less.
_LEAST_DEINTERLACED = 3

_SIDEWAYS = ("rotate-90", "rotate-270", "flip-rotate-90", "flip-rotate-270")


class Shot(NamedTuple):
    """What the filters must know of the pictures that come; when it changes, they are made anew.

    Attributes:
        size: Before turning.
        format: FFmpeg's pixel format.
        colours: What its numbers mean.
        is_flat: Whether nothing is transparent.
    """

    size: Size
    format: str
    colours: Colours
    is_flat: bool


class Look(NamedTuple):
    """What the pictures shall become.

    Attributes:
        settings: The output's.
        orientation: How to turn them.
        pixel_aspect: Width of an incoming pixel over its height.
        canvas: The output's size.
        colours: The output's.
        format: FFmpeg's pixel format for the encoder.
        time_base: Of the incoming pictures' times, seconds.
        logos: To be laid over.
    """

    settings: VideoSettings
    orientation: Orientation | None
    pixel_aspect: Fraction
    canvas: Size
    colours: Colours
    format: str
    time_base: Fraction
    logos: tuple[LogoPicture, ...] = ()


def shot_of(frame: VideoFrame) -> Shot:
    """Describe a decoded picture."""
    has_alpha = frame.format.name == "pal8" or any(c.is_alpha for c in frame.format.components)
    size = Size(frame.width, frame.height)
    return Shot(size, frame.format.name, colours.of_frame(frame), not has_alpha)


def placement_of(
    size: Size, pixel_aspect: Fraction, orientation: Orientation | None, settings: VideoSettings
) -> Placement:
    """Decide the output's size for pictures of this size before turning.

    Raises:
        MediaSettingsError: Nothing is left of them after cropping.
    """
    return place(_upright(squared(*size, pixel_aspect), orientation), settings)


def video_graph(shot: Shot, look: Look) -> Graph:
    """Build the filters for pictures of this kind."""
    graph = Graph()
    source = graph.add(
        "buffer",
        f"video_size={shot.size.width}x{shot.size.height}:pix_fmt={shot.format}"
        f":time_base={look.time_base}:pixel_aspect=1/1"
        f":colorspace={shot.colours.matrix}:range={shot.colours.range}",
    )
    picture = chain(graph, source, _steps(shot, look))
    for logo in look.logos:
        picture = lay(graph, picture, logo, look.canvas, look.colours)
    chain(graph, picture, [("format", look.format), ("buffersink", None)])
    graph.configure()
    return graph


def _steps(shot: Shot, look: Look) -> list[Step]:
    placement = placement_of(shot.size, look.pixel_aspect, look.orientation, look.settings)
    return [
        *_deinterlace(shot, look.settings),
        *_flatten(shot),
        *(FILTERS[look.orientation] if look.orientation else ()),
        *_crop(_upright(shot.size, look.orientation), placement),
        *_scale(shot, look, placement.scaled),
        *_pad(placement.scaled, look.canvas),
    ]


def _deinterlace(shot: Shot, settings: VideoSettings) -> list[Step]:
    wish = settings.deinterlace or "auto"
    if wish == "never" or not shot.format.startswith(("yuv", "gray")):
        return []
    if min(shot.size) < _LEAST_DEINTERLACED:
        return []
    which = "all" if wish == "always" else "interlaced"
    return [("bwdif", f"mode=send_frame:deint={which}")]


def _flatten(shot: Shot) -> list[Step]:
    """Lay a transparent picture on black, as a player would show it."""
    if shot.is_flat:
        return []
    return [("scale", None), ("format", "gbrap"), ("premultiply", "inplace=1"), ("format", "gbrp")]


def _crop(size: Size, placement: Placement) -> list[Step]:
    left, top, width, height = placement.part.of(size)
    if placement.scaled == even_below(Size(width, height)):
        # An odd column or row is cut off; to scale by a hair would blur the whole picture.
        width, height = placement.scaled
    if (width, height) == size:
        return []
    return [("crop", f"{width}:{height}:{left}:{top}:exact=1")]


def _scale(shot: Shot, look: Look, size: Size) -> list[Step]:
    if (shot.size, shot.format, shot.colours) == (size, look.format, look.colours):
        return [("setsar", "1")]
    source = shot.colours
    if not shot.is_flat:
        source = Colours(colours.RGB_MATRIX, source.primaries, source.transfer, colours.FULL)
    options = scale_options(source, look.colours)
    return [
        ("scale", f"{size.width}:{size.height}:{options}"),
        ("format", look.format),
        ("setsar", "1"),
    ]


def _pad(size: Size, canvas: Size) -> list[Step]:
    if size == canvas:
        return []
    # Even offsets keep chroma in place.
    left, top = ((canvas.width - size.width) // 4 * 2, (canvas.height - size.height) // 4 * 2)
    return [("pad", f"{canvas.width}:{canvas.height}:{left}:{top}")]


def _upright(size: Size, orientation: Orientation | None) -> Size:
    return Size(size.height, size.width) if orientation in _SIDEWAYS else size
