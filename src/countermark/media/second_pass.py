"""Encoding a film's next variant by what x264 noted when it encoded the first.

x264 notes of each picture its kind, its weights and its quantizer, and how much each macroblock is
worth to the pictures that follow. An encode by these notes, x264's second pass, needs no look-ahead
of its own, which is up to a third of the work. As every picture gets the quantizer that it had, the
variants' sizes differ less than those of two encodes that decide for themselves.

x264 refuses a constant quality in a second pass; the bitrate that the first came out at leads back
to the same quantizers, once nothing else pulls at them. The formulae are those of
encoder/ratecontrol.c of x264, core 165.
"""

import math
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Self

from msgspec import Struct

from countermark.media.avc import nal_units

KEYFRAME_STEPS = 6 * math.log2(1.4)
"""By so much finer a quantizer does a first pass give a keyframe than the pictures before it."""

# Quantizers that x264 reckons with.
_COARSEST = 69.0

# A bitrate at which a kilobit is little.
_FINE_BITRATE = 100_000_000

# Rate control: no correcting for what came out larger or smaller so far. It does so by a tolerance,
# and once a second of pictures is done, by the quantizers rounded to whole numbers.
_UNMOVED = "ratetol=inf:fps=1000000"

# What predicts motion in a second pass are the pictures before, of which a keyframe has none, and
# no look-ahead. So the first P picture of each group looks farther.
_FARTHER = "me=umh"


class Noted(Struct, frozen=True):
    """What is noted of a picture.

    Attributes:
        number: its place in the order of display.
        kind: I for an IDR picture, i for another I picture, P, B, or b for a B picture that nothing
            is predicted from.
        ticks: how long it is shown.
        quantizer: its mean, without what macroblocks have of their own.
        bits: its size.
    """

    number: int
    kind: str
    ticks: int
    quantizer: float
    bits: int

    @classmethod
    def read(cls, line: str) -> Self:
        """Read a line of the notes."""
        said = dict(re.findall(r"(\w+):(\S+)", line))
        bits = sum(int(said[part]) for part in ("tex", "mv", "misc"))
        return cls(int(said["in"]), said["type"], int(said["dur"]), float(said["q"]), bits)


def noting(notes: Path) -> str:
    """x264's parameters for an encode that leaves notes, whole once its encoder is closed."""
    return f"pass=1:stats={_escaped(notes)}"


def by_notes(notes: Path, rate: Fraction, headers: bytes) -> str:
    """x264's parameters for an encode by notes, with the first encode's other settings.

    Args:
        notes: where they lie; those for which it is no use are taken out.
        rate: frames per second.
        headers: the first encode's, a byte stream.
    """
    text = notes.read_text()
    pictures = sorted(
        (Noted.read(line) for line in text.splitlines() if line.startswith("in:")),
        key=lambda picture: picture.number,
    )
    bits = sum(picture.bits for picture in pictures)
    ticks = max(1, bits * pictures[0].ticks * rate // _FINE_BITRATE)
    bitrate = math.ceil(bits * pictures[0].ticks * rate / (1000 * ticks))
    # It would sort its references by how often the first encode used them, but a weighted one and
    # the same without weights must keep their places: out of them, film grain cost 4 % more.
    text = re.sub(r"(?<= ref:)[\d ]+", "", text)
    # As much in a shorter time, as bitrates are whole kilobits.
    text = re.sub(r"(?<= dur:)\d+", "0", text)
    notes.write_text(text.replace(" dur:0", f" dur:{ticks}", 1))
    return ":".join(
        [
            f"pass=2:stats={_escaped(notes)}",
            f"bitrate={bitrate}:{_UNMOVED}",
            # It would take the rate above for that of the film.
            f"level={_level(headers)}",
            f"zones={'/'.join(_zones(pictures))}",
        ]
    )


def _zones(pictures: Sequence[Noted]) -> Iterator[str]:
    """What x264 shall do otherwise with single pictures."""
    usual = next(picture.quantizer for picture in reversed(pictures) if picture.kind == "P")
    begins = False
    for picture in pictures:
        place = f"{picture.number},{picture.number}"
        if picture.kind in "Ii":
            begins = True
            yield f"{place},{_finer(usual, picture.quantizer, KEYFRAME_STEPS)}"
        elif picture.kind == "P":
            if picture.quantizer != usual:
                yield f"{place},{_finer(usual, picture.quantizer)}"
            elif begins:
                yield f"{place},{_FARTHER}"
            begins = False


def _finer(usual: float, wanted: float, anyway: float = 0.0) -> str:
    """A zone's setting that gives a picture its quantizer instead of the usual one."""
    return f"b={2 ** ((_bent(usual) - anyway - _bent(wanted)) / 6):.4f}"


def _bent(quantizer: float) -> float:
    """The quantizer of which a second pass makes this one: it bends both ends of the scale."""
    part = min(max(quantizer, 1.0), _COARSEST - 1) / _COARSEST
    return _COARSEST * (0.5 + math.log(part / (1 - part)) / 4)


def _level(headers: bytes) -> int:
    """level_idc of the sequence parameter set (H.264, 7.3.2.1.1), which comes first."""
    return next(nal_units(headers))[3]


def _escaped(path: Path) -> str:
    """A path as a value among others that colons part."""
    return re.sub(r"([\\':])", r"\\\1", str(path))
