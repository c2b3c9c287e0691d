"""Which part of a picture is shown, and how large: arithmetic only.

Sizes are those of the upright picture, its pixels made square. 4:2:0 chroma needs even sides.
"""

from fractions import Fraction
from typing import NamedTuple

from countermark.errors import MediaSettingsError
from countermark.media.encoding_settings import Crop, VideoSettings


class Size(NamedTuple):
    """Width and height, pixels."""

    width: int
    height: int


class Part(NamedTuple):
    """A rectangle in fractions of a picture's width and height."""

    left: Fraction
    top: Fraction
    width: Fraction
    height: Fraction

    def of(self, picture: Size) -> tuple[int, int, int, int]:
        """The rectangle in pixels: left, top, width, height; within the picture, never empty."""
        left = min(round(self.left * picture.width), picture.width - 1)
        top = min(round(self.top * picture.height), picture.height - 1)
        right = round((self.left + self.width) * picture.width)
        bottom = round((self.top + self.height) * picture.height)
        return left, top, max(1, right - left), max(1, bottom - top)


class Placement(NamedTuple):
    """How a picture comes to its final size.

    Attributes:
        part: What is used of it.
        scaled: The size that this part is scaled to.
        canvas: The output's size; larger than `scaled` where the rest is to be black.
    """

    part: Part
    scaled: Size
    canvas: Size


def squared(width: int, height: int, pixel_aspect: Fraction) -> Size:
    """The size with square pixels: the height stays, so that nothing is lost of an old format."""
    return Size(max(1, round(width * pixel_aspect)), height)


def place(picture: Size, settings: VideoSettings) -> Placement:
    """Decide what an output shows, and how large.

    Args:
        picture: The upright picture with square pixels.
        settings: The size, fit and crop wished for.

    Returns:
        All sides are even, none smaller than 2.

    Raises:
        MediaSettingsError: Nothing is left after cropping.
    """
    left, top, rest = _cropped(picture, settings.crop or Crop())
    shown, scaled, canvas = _fitted(rest, settings)
    part = Part(
        Fraction(2 * left + rest.width - shown.width, 2 * picture.width),
        Fraction(2 * top + rest.height - shown.height, 2 * picture.height),
        Fraction(shown.width, picture.width),
        Fraction(shown.height, picture.height),
    )
    return Placement(part, scaled, canvas)


def in_pixels(length: int | str | None, of: int) -> int | None:
    """A length in pixels; percentages are of `of`."""
    if isinstance(length, str):
        return max(1, round(of * Fraction(length.removesuffix("%")) / 100))
    return length


def _cropped(picture: Size, crop: Crop) -> tuple[int, int, Size]:
    rest = Size(
        picture.width - crop.left - crop.right,
        picture.height - crop.top - crop.bottom,
    )
    if min(rest) < 1:
        raise MediaSettingsError(
            f"video.crop: nothing is left of a picture of {picture.width} x {picture.height}"
        )
    return crop.left, crop.top, rest


def _fitted(picture: Size, settings: VideoSettings) -> tuple[Size, Size, Size]:
    """The size of what is shown, what it is scaled to, and the canvas."""
    box = _box(picture, settings)
    upscale = bool(settings.upscale)
    fit = settings.fit or "inside"
    if fit == "inside" or settings.width is None or settings.height is None:
        scaled = _inside(picture, box, upscale=upscale)
        return picture, scaled, scaled
    canvas = _scaled(box, Fraction(1)) if upscale else _not_larger(box, picture, fit)
    if fit == "pad":
        return picture, _inside(picture, canvas, upscale=upscale), canvas
    return _shaped(picture, canvas) if fit == "cut" else picture, canvas, canvas


def _box(picture: Size, settings: VideoSettings) -> Size:
    width = in_pixels(settings.width, picture.width)
    height = in_pixels(settings.height, picture.height)
    if width is None and height is None:
        return picture
    if width is None or height is None:
        # One side given: the other follows the shape.
        scale = Fraction(width or 0, picture.width) or Fraction(height or 0, picture.height)
        return Size(max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    in_all_pixels = isinstance(settings.width, int) and isinstance(settings.height, int)
    is_inside = (settings.fit or "inside") == "inside"
    if is_inside and in_all_pixels and picture.height > picture.width and width > height:
        return Size(height, width)
    return Size(width, height)


def _inside(picture: Size, box: Size, *, upscale: bool) -> Size:
    """The largest size of the picture's shape within the box."""
    scale = min(Fraction(box.width, picture.width), Fraction(box.height, picture.height))
    if upscale:
        return _scaled(picture, scale)
    return _smaller(_scaled(picture, min(scale, Fraction(1))), even_below(picture))


def _not_larger(box: Size, picture: Size, fit: str) -> Size:
    """The box made smaller, in its own shape, until no picture in it must grow."""
    scales = (Fraction(picture.width, box.width), Fraction(picture.height, box.height))
    if fit == "pad":
        return _scaled(box, min(Fraction(1), max(scales)))
    return _smaller(_scaled(box, min(Fraction(1), *scales)), even_below(picture))


def _shaped(picture: Size, shape: Size) -> Size:
    """The largest part of the picture that has this shape."""
    scale = min(Fraction(picture.width, shape.width), Fraction(picture.height, shape.height))
    return Size(max(1, round(shape.width * scale)), max(1, round(shape.height * scale)))


def _scaled(size: Size, scale: Fraction) -> Size:
    return Size(*(max(2, 2 * round(side * scale / 2)) for side in size))


def _smaller(one: Size, other: Size) -> Size:
    return Size(min(one.width, other.width), min(one.height, other.height))


def even_below(picture: Size) -> Size:
    """The largest even sides that are not larger; at least 2."""
    return Size(*(max(2, side - side % 2) for side in picture))
