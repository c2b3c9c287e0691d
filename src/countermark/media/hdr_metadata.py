"""What a picture of high dynamic range tells about the screen that it was made on.

SMPTE ST 2086 (mastering display) and CTA-861.3 (content light level). FFmpeg keeps both as C
structs beside a decoded picture; the encoders want them as text, each in its own units.
"""

import struct
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from av import VideoFrame
from msgspec import Struct

if TYPE_CHECKING:
    from av.sidedata.sidedata import SideData

# AVMasteringDisplayMetadata: ten rationals, then whether primaries and luminances are there.
_MASTERING = struct.Struct("=22i")
_LIGHT = struct.Struct("=2I")  # AVContentLightMetadata
_STEPS_OF_CHROMATICITY = 50_000
_STEPS_OF_LUMINANCE = 10_000


class HdrMetadata(Struct, frozen=True):
    """Both kinds of metadata, as far as they are there.

    Attributes:
        mastering: x and y of red, green, blue and white, then the least and the greatest
            luminance in cd/m²; ten numbers.
        light: Greatest luminance of a pixel, and of a picture on average, in cd/m².
    """

    mastering: tuple[float, ...] | None
    light: tuple[int, int] | None


def of_frame(frame: VideoFrame) -> HdrMetadata:
    """Read a decoded picture's metadata."""
    mastering = light = None
    # PyAV 18.1 gives up on pictures with side data younger than itself.
    with suppress(ValueError, struct.error, ZeroDivisionError):
        if (data := frame.side_data.get("MASTERING_DISPLAY_METADATA")) is not None:
            mastering = _mastering(bytes(cast("SideData", data)))
        if (data := frame.side_data.get("CONTENT_LIGHT_LEVEL")) is not None:
            light = _LIGHT.unpack(bytes(cast("SideData", data)))
    return HdrMetadata(mastering, cast("tuple[int, int] | None", light))


def x265_parameters(metadata: HdrMetadata) -> dict[str, str]:
    """The metadata as x265 reads it: integers in steps of 0.00002 and of 0.0001 cd/m²."""
    parameters = {}
    if metadata.mastering:
        x = [round(value * _STEPS_OF_CHROMATICITY) for value in metadata.mastering[:8]]
        least, most = (round(value * _STEPS_OF_LUMINANCE) for value in metadata.mastering[8:])
        parameters["master-display"] = _display(x, most, least)
    if metadata.light:
        parameters["max-cll"] = "{},{}".format(*metadata.light)
    return parameters


def svt_parameters(metadata: HdrMetadata) -> dict[str, str]:
    """The metadata as SVT-AV1 reads it: decimal fractions."""
    parameters = {}
    if metadata.mastering:
        x = [f"{value:.5f}" for value in metadata.mastering[:8]]
        least, most = (f"{value:.4f}" for value in metadata.mastering[8:])
        parameters["mastering-display"] = _display(x, most, least)
    if metadata.light:
        parameters["content-light"] = "{},{}".format(*metadata.light)
    return parameters


def _display(xy: list[int] | list[str], most: int | str, least: int | str) -> str:
    red, green, blue, white = (f"({xy[at]},{xy[at + 1]})" for at in (0, 2, 4, 6))
    return f"G{green}B{blue}R{red}WP{white}L({most},{least})"


def _mastering(data: bytes) -> tuple[float, ...] | None:
    numbers = _MASTERING.unpack(data)
    has_primaries, has_luminance = numbers[20:]
    if not (has_primaries and has_luminance):
        return None
    return tuple(numbers[at] / numbers[at + 1] for at in range(0, 20, 2))
