"""How large a picture becomes: arithmetic only.

Sizes are those of the upright picture, its pixels made square. 4:2:0 chroma needs even sides.
"""

from fractions import Fraction
from typing import NamedTuple

from countermark.media.encoding_settings import VideoSettings


class Size(NamedTuple):
    """Width and height, pixels."""

    width: int
    height: int


class Placement(NamedTuple):
    """How a picture comes to its final size.

    Attributes:
        part: The part of the picture that is used, from its middle, in its own pixels.
        scaled: The size that this part is scaled to.
        canvas: The output's size; larger than `scaled` where the rest is to be black.
    """

    part: Size
    scaled: Size
    canvas: Size


def squared(width: int, height: int, pixel_aspect: Fraction | None) -> Size:
    """The size with square pixels: the height stays, so that nothing is lost of an old format."""
    aspect = pixel_aspect if pixel_aspect and pixel_aspect > 0 else Fraction(1)
    return Size(max(1, round(width * aspect)), height)


def place(picture: Size, settings: VideoSettings) -> Placement:
    """Decide the size of the output.

    Args:
        picture: The upright picture, square pixels, cropped.
        settings: The size wished for.

    Returns:
        All sides even, none smaller than 2.
    """
    box = _box(picture, settings)
    fit = settings.fit or "inside"
    both = settings.width is not None and settings.height is not None
    if fit == "inside" or not both:
        scaled = _inside(picture, box, upscale=bool(settings.upscale))
        return Placement(picture, scaled, scaled)
    canvas = _scaled(box, Fraction(1)) if settings.upscale else _not_larger(box, picture, fit)
    if fit == "stretch":
        return Placement(picture, canvas, canvas)
    if fit == "cut":
        return Placement(_shaped(picture, canvas), canvas, canvas)
    scaled = _inside(picture, canvas, upscale=bool(settings.upscale))
    return Placement(picture, scaled, canvas)


def in_pixels(length: int | str | None, of: int) -> int | None:
    """A length in pixels; percentages are of `of`."""
    if isinstance(length, str):
        return max(1, round(of * Fraction(length.removesuffix("%")) / 100))
    return length


def _box(picture: Size, settings: VideoSettings) -> Size:
    width = in_pixels(settings.width, picture.width)
    height = in_pixels(settings.height, picture.height)
    if width is None and height is None:
        return picture
    if width is None or height is None:
        # One side given: the other follows the shape.
        scale = Fraction(width or 0, picture.width) or Fraction(height or 0, picture.height)
        return Size(round(picture.width * scale), round(picture.height * scale))
    upright = picture.height > picture.width
    is_inside = (settings.fit or "inside") == "inside"
    if is_inside and upright and width > height and _are_pixels(settings):
        return Size(height, width)
    return Size(width, height)


def _are_pixels(settings: VideoSettings) -> bool:
    return isinstance(settings.width, int) and isinstance(settings.height, int)


def _inside(picture: Size, box: Size, *, upscale: bool) -> Size:
    """The largest size of the picture's shape within the box."""
    scale = min(Fraction(box.width, picture.width), Fraction(box.height, picture.height))
    if upscale:
        return _scaled(picture, scale)
    return _smaller(_scaled(picture, min(scale, Fraction(1))), _even_below(picture))


def _not_larger(box: Size, picture: Size, fit: str) -> Size:
    """The box made smaller, in its own shape, until no picture in it must grow."""
    scales = (Fraction(picture.width, box.width), Fraction(picture.height, box.height))
    if fit == "pad":
        return _scaled(box, min(Fraction(1), max(scales)))
    return _smaller(_scaled(box, min(Fraction(1), *scales)), _even_below(picture))


def _scaled(size: Size, scale: Fraction) -> Size:
    return _even(size.width * scale, size.height * scale)


def _smaller(one: Size, other: Size) -> Size:
    return Size(min(one.width, other.width), min(one.height, other.height))


def _shaped(picture: Size, shape: Size) -> Size:
    """The largest part of the picture that has this shape."""
    scale = min(Fraction(picture.width, shape.width), Fraction(picture.height, shape.height))
    return Size(round(shape.width * scale), round(shape.height * scale))


def _even(width: Fraction, height: Fraction) -> Size:
    return Size(max(2, 2 * round(width / 2)), max(2, 2 * round(height / 2)))


def _even_below(picture: Size) -> Size:
    return Size(*(max(2, side - side % 2) for side in picture))
