"""Which colours the numbers of a picture mean, and which an output's shall mean.

The numbers are code points of ITU-T H.273: primaries, transfer characteristics and matrix
coefficients, 2 where the file doesn't say. Unsaid, a player goes by the picture's size; so must
we, and say it, because the output's size may lead to another guess.
"""

from av import VideoFrame
from msgspec import Struct

UNSAID = 2
RGB_MATRIX = 0
BT709 = 1
BT601_625 = 5
BT601_525 = 6
SMPTE240M = 7
BT2020 = 9
PQ = 16
HLG = 18
LIMITED, FULL = 1, 2

# Matrices that every player knows; all else is converted.
_KNOWN_MATRICES = frozenset({BT709, BT601_625, BT601_525, SMPTE240M, BT2020})
_TALLEST_SD = 576
_WIDEST_SD = 1024
_FULL_RANGE_FORMATS = ("yuvj", "rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8", "gray")


class Colours(Struct, frozen=True):
    """What the numbers mean.

    Attributes:
        matrix: Between RGB and luma with chroma.
        primaries: The chromaticities of red, green, blue and white.
        transfer: The curve.
        range: `LIMITED` or `FULL`.
    """

    matrix: int
    primaries: int
    transfer: int
    range: int

    @property
    def is_hdr(self) -> bool:
        """Whether the curve is one of high dynamic range."""
        return self.transfer in {PQ, HLG}


def of_frame(frame: VideoFrame) -> Colours:
    """The colours of a decoded picture, with what it leaves unsaid as players take it."""
    name = frame.format.name
    is_rgb = frame.format.is_rgb or name == "pal8"
    standard = frame.height <= _TALLEST_SD and frame.width <= _WIDEST_SD
    matrix = frame.colorspace
    if is_rgb:
        matrix = RGB_MATRIX
    elif matrix in {UNSAID, RGB_MATRIX}:
        matrix = _matrix_of(frame.color_primaries, standard=standard)
    range_ = frame.color_range
    if range_ not in {LIMITED, FULL}:
        range_ = FULL if name.startswith(_FULL_RANGE_FORMATS) else LIMITED
    return Colours(matrix, frame.color_primaries, frame.color_trc, range_)


def for_output(source: Colours, *, keep_hdr: bool) -> Colours:
    """The colours to encode a picture with.

    Ordinary ones are carried, so that nothing is lost to a conversion; a range that few players
    take, RGB, and what ordinary screens can't show are converted.
    """
    if source.is_hdr and keep_hdr:
        return Colours(BT2020, source.primaries, source.transfer, LIMITED)
    if source.is_hdr or BT2020 in {source.primaries, source.matrix}:
        return Colours(BT709, BT709, BT709, LIMITED)
    matrix = source.matrix if source.matrix in _KNOWN_MATRICES else BT709
    return Colours(matrix, source.primaries, source.transfer, LIMITED)


def scale_options(source: Colours, output: Colours) -> str:
    """FFmpeg's options of the filter `scale` for the conversion."""
    options = {
        "out_color_matrix": output.matrix,
        "in_range": source.range,
        "out_range": output.range,
    }
    if source.matrix != RGB_MATRIX:
        options["in_color_matrix"] = source.matrix
    if output.primaries != source.primaries or output.transfer != source.transfer:
        # Through linear light, with the highlights rolled off as the two ranges ask for.
        options |= {
            "in_primaries": BT2020 if source.primaries == UNSAID else source.primaries,
            "in_transfer": BT709 if source.transfer == UNSAID else source.transfer,
            "out_primaries": output.primaries,
            "out_transfer": output.transfer,
            "intent": 0,
        }
    return ":".join(f"{name}={value}" for name, value in options.items())


def _matrix_of(primaries: int, *, standard: bool) -> int:
    if primaries in {BT709, BT601_625, BT601_525, BT2020}:
        return primaries
    return BT601_525 if standard else BT709
