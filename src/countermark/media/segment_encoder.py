"""Encoding one segment of a film as closed groups of pictures that stand alone."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from msgspec import Struct

from countermark.media.avc import PictureKind, kind_of, sample_of
from countermark.media.colours import Colours
from countermark.media.picture import PIXEL_FORMAT, Picture

_FORCED = {"I": PictureType.I, "P": PictureType.P, "B": PictureType.B}

# One thread for each encoder: segments and variants already fill the cores. Every IDR picture may
# follow any other, so that x264 closes the group at a cut instead of coding a mere I picture, which
# could not be forced on the other variants.
_X264 = "keyint=infinite:min-keyint=1:threads=1:open-gop=0"


class EncoderSettings(Struct, frozen=True):
    """Everything that makes the headers of a stream.

    Attributes:
        width: pixels, even.
        height: pixels, even.
        rate: nominal frames per second, numerator and denominator.
        colours: what the numbers of its pixels mean.
        crf: x264's constant rate factor.
        preset: x264's preset.
    """

    width: int
    height: int
    rate: tuple[int, int]
    colours: Colours
    crf: float
    preset: str


class Coded(Struct, frozen=True):
    """A coded picture.

    Attributes:
        shown: its place within the segment in the order of display, from 0.
        kind: its kind, as letter and whether it is referenced.
        sample: NAL units, each after its length.
    """

    shown: int
    kind: PictureKind
    sample: bytes


def open_encoder(settings: EncoderSettings) -> VideoCodecContext:
    """Make an encoder whose headers depend on nothing but the settings."""
    encoder = av.CodecContext.create("libx264", "w")
    configure(encoder, settings)
    return encoder


def configure(encoder: VideoCodecContext, settings: EncoderSettings) -> None:
    """Give an encoder that is not open yet its settings."""
    encoder.width, encoder.height = settings.width, settings.height
    encoder.pix_fmt = PIXEL_FORMAT
    encoder.framerate = Fraction(*settings.rate)
    encoder.time_base = 1 / Fraction(*settings.rate)
    encoder.sample_aspect_ratio = Fraction(1)
    encoder.colorspace = settings.colours.matrix
    encoder.color_primaries = settings.colours.primaries
    encoder.color_trc = settings.colours.transfer
    encoder.color_range = settings.colours.range
    encoder.flags |= av.codec.context.Flags.global_header
    encoder.options = {
        "preset": settings.preset,
        "crf": str(settings.crf),
        "forced-idr": "1",
        "x264-params": _X264,
    }


def encode_segment(
    pictures: Iterable[Picture], settings: EncoderSettings, kinds: Sequence[str]
) -> list[Coded]:
    """Encode pictures from an IDR picture to the end of its last group.

    Args:
        pictures: of the segment, in the order of display; time stamps are set here.
        settings: of the encoder.
        kinds: the letter of each frame's kind in the order of display; "" leaves it to x264.

    Returns:
        In the order of decoding.
    """
    encoder = open_encoder(settings)
    packets = []
    for number, frame in enumerate(picture.frame for picture in pictures):
        frame.pts, frame.time_base = number, encoder.time_base
        frame.pict_type = _FORCED.get(kinds[number], PictureType.NONE)
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return [_coded(packet) for packet in packets]


def free_kinds(count: int) -> list[str]:
    """Leave all to x264, but that a segment begins with an IDR picture and ends with a P picture.

    It would end so anyway; said beforehand, no segment ends in an IDR picture, which the next
    segment's must not follow with the same idr_pic_id (H.264, 7.4.3).
    """
    kinds = [""] * count
    kinds[-1], kinds[0] = "P", "I"
    return kinds


def shown_kinds(coded: Sequence[Coded]) -> list[str]:
    """Letters of the pictures' kinds in the order of display."""
    return [picture.kind.letter for picture in sorted(coded, key=lambda picture: picture.shown)]


def _coded(packet: av.Packet) -> Coded:  # type: ignore[type-arg]
    sample = sample_of(bytes(packet))
    if packet.pts is None:
        raise ValueError("x264 gave a packet without a time stamp")
    return Coded(packet.pts, kind_of(sample), sample)
