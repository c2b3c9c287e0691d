"""Encoding segments of a film as closed groups of pictures that stand alone."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av import VideoFrame
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from msgspec import Struct

from countermark.media.avc import PictureKind, kind_of, sample_of
from countermark.media.colours import Colours
from countermark.media.picture import PIXEL_FORMAT, Picture
from countermark.media.second_pass import KEYFRAME_STEPS, by_notes, noting

if TYPE_CHECKING:
    from countermark.media.packets import AnyPacket

_FORCED = {"I": PictureType.I, "P": PictureType.P, "B": PictureType.B}

# One thread for each encoder: segments and variants already fill the cores. Every IDR picture may
# follow any other, so that x264 closes the group at a cut instead of coding a mere I picture, which
# could not be forced on the other variants. Headers do not depend on what leads the rate control.
_X264 = "min-keyint=1:threads=1:open-gop=0:stitchable=1"

# Were keyframes closer than this, x264 would use fewer B pictures, and its headers would tell.
_MOST_B = 16

# x264 gives an IDR picture a quantizer finer by some steps than the mean of those before it, where
# the IDR pictures among them count without that. But it does not give it to the first, which counts
# as too coarse then, and makes the keyframes of a chunk's first segments so, too. A grey picture
# takes that place, coded in no time and left out, and one whose quantizer sets the mean right.
_WARMING = ("I", "P")
_FADING = 0.95  # of the mean, from picture to picture (accum_p_qp_update in x264's ratecontrol.c)
_WARMED = f"zones=1,1,b={2 ** (_FADING * KEYFRAME_STEPS / 6):.4f}"

# For an encoder that is told of what kinds the pictures are, and need not look for it.
_UNDECIDING = "b-adapt=0:scenecut=0"


class EncoderSettings(Struct, frozen=True):
    """Everything that makes the headers of a stream.

    Attributes:
        width: pixels, even.
        height: pixels, even.
        rate: nominal frames per second, numerator and denominator.
        colours: what the numbers of its pixels mean.
        crf: x264's constant rate factor.
        preset: x264's preset.
        lookahead: pictures that x264 looks at before it decides how well to code one.
    """

    width: int
    height: int
    rate: tuple[int, int]
    colours: Colours
    crf: float
    preset: str
    lookahead: int


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


def open_encoder(settings: EncoderSettings, longest: int, *led: str) -> VideoCodecContext:
    """Make an encoder whose headers depend on nothing but the settings.

    Args:
        settings: of the encoder.
        longest: most pictures from one keyframe to the next; x264 doesn't look further when it
            decides what a picture is worth to those that follow.
        led: further parameters of x264's.
    """
    encoder = av.CodecContext.create("libx264", "w")
    configure(encoder, settings)
    keyint = f"keyint={max(longest, _MOST_B + 1)}"
    parameters = ":".join([encoder.options["x264-params"], keyint, *led])
    encoder.options = {**encoder.options, "x264-params": parameters}
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
        "x264-params": f"{_X264}:rc-lookahead={settings.lookahead}",
    }


def encode_variants(
    variants: Sequence[Iterable[Picture]],
    following: Sequence[Picture],
    settings: EncoderSettings,
    kinds: Sequence[str],
    notes: Path,
    *,
    is_start: bool,
) -> list[list[Coded]]:
    """Encode variants of consecutive segments alike, as they would be as a part of their film.

    Args:
        variants: their pictures, in the order of display; time stamps are set here.
        following: pictures that come after them, by which x264 knows what the last ones are worth.
        settings: of the encoder.
        kinds: the letter of each picture's kind in the order of display; "" leaves it to x264.
        notes: a path for notes of the first variant, and in its folder for more that begin alike.
        is_start: whether the film begins with them.

    Returns:
        Each variant's pictures in the order of decoding.

    Raises:
        ValueError: their headers differ.
    """
    longest = _longest(kinds)
    warming = () if is_start and "P" in kinds else _WARMING
    # Without a look-ahead, or without any loss, x264 knows of nothing that would help.
    is_noted = settings.lookahead > 0 and settings.crf > 0
    warmed = [_WARMED] if warming else []
    noted = [noting(notes)] if is_noted else []
    encoder = open_encoder(settings, longest, *warmed, *noted)
    made = [_encoded(encoder, variants[0], following, kinds, warming)]
    headers = bytes(encoder.extradata or b"")
    del encoder  # closes the notes
    if is_noted:
        led, kinds = [by_notes(notes, Fraction(*settings.rate), headers)], [""] * len(kinds)
    else:
        led, kinds = [*warmed, _UNDECIDING], _shown_kinds(made[0])
    for pictures in variants[1:]:
        encoder = open_encoder(settings, longest, *led)
        made.append(_encoded(encoder, pictures, (), kinds, warming))
        if encoder.extradata != headers:
            raise ValueError("the variants' headers differ")
    return made


def _encoded(
    encoder: VideoCodecContext,
    pictures: Iterable[Picture],
    following: Sequence[Picture],
    kinds: Sequence[str],
    warming: Sequence[str],
) -> list[Coded]:
    grey = [_grey(encoder)] * len(warming)
    frames = chain(grey, (picture.frame for picture in chain(pictures, following)))
    letters = [*warming, *kinds, "I", *[""] * len(following)]
    wanted = len(warming) + len(kinds)
    packets: list[AnyPacket] = []
    for number, (frame, letter) in enumerate(zip(frames, letters, strict=False)):
        frame.pts, frame.time_base = number, encoder.time_base
        frame.pict_type = _FORCED.get(letter, PictureType.NONE)
        packets += encoder.encode(frame)
        if len(packets) >= wanted:
            break  # what is still in the encoder is not encoded
    else:
        packets += encoder.encode(None)
    return [_coded(packet, len(warming)) for packet in packets[len(warming) : wanted]]


def _grey(encoder: VideoCodecContext) -> VideoFrame:
    frame = VideoFrame(encoder.width, encoder.height, PIXEL_FORMAT)
    for plane in frame.planes:
        plane.update(b"\x80" * plane.buffer_size)
    return frame


def _longest(kinds: Sequence[str]) -> int:
    """Pictures of the longest of consecutive segments."""
    starts = [number for number, kind in enumerate([*kinds, "I"]) if kind == "I"]
    return max(after - before for before, after in pairwise(starts))


def free_kinds(count: int) -> list[str]:
    """The kinds of a segment: all left to x264, but that of its ends.

    It would end in a P picture anyway; said beforehand, no segment ends in an IDR picture, which
    the next segment's must not follow with the same idr_pic_id (H.264, 7.4.3).
    """
    kinds = [""] * count
    kinds[-1], kinds[0] = "P", "I"
    return kinds


def _shown_kinds(coded: Sequence[Coded]) -> list[str]:
    """Letters of the pictures' kinds in the order of display."""
    return [picture.kind.letter for picture in sorted(coded, key=lambda picture: picture.shown)]


def _coded(packet: "AnyPacket", before: int) -> Coded:
    sample = sample_of(bytes(packet))
    if packet.pts is None:
        raise ValueError("x264 gave a packet without a time stamp")
    return Coded(packet.pts - before, kind_of(sample), sample)
