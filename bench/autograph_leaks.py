"""What is done to a copy before it is traced: each change as a function of a plane of a frame.

Each plane is changed as FFmpeg's filters do it: by itself, at its own size.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from bench.autograph_masters import Made
from countermark.work.master_check import Splice

Plane = NDArray[np.uint8]
# Luma and both chroma planes of 4:2:0.
Planes = tuple[Plane, ...]
# Takes a plane and its pitch: how many luma pixels one of its pixels is wide and high.
Change = Callable[[Plane, int], Plane]
_PITCHES = (1, 2, 2)
_BLACK = {1: 16, 2: 128}


@dataclass(frozen=True)
class Degradation:
    """One way to spoil a copy.

    Attributes:
        name: as the table has it.
        reach: share of symbols that must be right.
        change: of each plane.
        crf: x264's, with which it is encoded again.
        speed: how much faster it is played.
        rates: frame rates before and after, if frames are doubled or dropped.
    """

    name: str
    reach: float
    change: Change = lambda plane, _: plane
    crf: float = 23
    speed: float = 1.0
    rates: tuple[int, int] | None = None


def share(side: int, factor: float, pitch: int) -> int:
    """A part of a plane's side, the same part in all planes: an even number of luma pixels."""
    return round(side * pitch * factor) // 2 * 2 // pitch


def scaled(factor: float) -> Change:
    def change(plane: Plane, pitch: int) -> Plane:
        height, width = (share(side, factor, pitch) for side in plane.shape)
        return resized(plane, (width, height))

    return change


def resized(plane: Plane, size: tuple[int, int]) -> Plane:
    return cv2.resize(plane, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def mirrored(plane: Plane, _: int) -> Plane:
    return plane[:, ::-1]


def blurred(spread: float) -> Change:
    return lambda plane, pitch: cv2.GaussianBlur(plane, (0, 0), spread / pitch)


def noisy(spread: float) -> Change:
    random = np.random.default_rng(1)

    def change(plane: Plane, _: int) -> Plane:
        grain = random.standard_normal(plane.shape, np.float32) * spread
        return np.rint(plane + grain).clip(0, 255).astype(np.uint8)

    return change


def toned(gamma: float, gain: float, lift: float) -> Change:
    steps = np.arange(256)
    scale = ((steps - 16) / 219).clip(0, 1)
    luma = (16 + lift + 219 * gain * scale**gamma).clip(0, 255).astype(np.uint8)
    chroma = np.rint(128 + gain * (steps - 128)).clip(0, 255).astype(np.uint8)
    return lambda plane, pitch: (luma if pitch == 1 else chroma)[plane]


def cropped(plane: Plane, pitch: int) -> Plane:
    height, width = (share(side, 0.8, pitch) for side in plane.shape)
    top = share(plane.shape[0] - height, 0.7, pitch)
    left = share(plane.shape[1] - width, 0.3, pitch)
    return plane[top : top + height, left : left + width]


def letterboxed(plane: Plane, pitch: int) -> Plane:
    bar, black = share(plane.shape[0], 1 / 6, pitch), _BLACK[pitch]
    return cv2.copyMakeBorder(plane, bar, bar, 0, 0, cv2.BORDER_CONSTANT, value=black)


def turned(plane: Plane, pitch: int) -> Plane:
    height, width = plane.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 2, 1)
    return cv2.warpAffine(plane, turn, (width, height), borderValue=_BLACK[pitch])


def from_aside(plane: Plane, pitch: int) -> Plane:
    height, width = plane.shape
    plain = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = [[0.05, 0.03], [0.98, 0.06], [0.945, 0.975], [0.015, 0.95]] * plain[2]
    view = cv2.getPerspectiveTransform(plain, moved.astype(np.float32))
    return cv2.warpPerspective(plane, view, (width, height), borderValue=_BLACK[pitch])


def filmed() -> Change:
    steps = (from_aside, blurred(1.2), toned(0.85, 0.95, 4), noisy(4))

    def change(plane: Plane, pitch: int) -> Plane:
        for step in steps:
            plane = step(plane, pitch)
        return plane

    return change


DEGRADATIONS = (
    Degradation("half size, CRF 28", 0.99, scaled(0.5), 28),
    Degradation("CRF 33", 0.99, crf=33),
    Degradation("quarter size, CRF 30", 0.99, scaled(0.25), 30),
    Degradation("blur (2 pixels)", 0.99, blurred(2)),
    Degradation("noise (8 steps)", 0.99, noisy(8), 27),
    Degradation("gamma 1.4, gain 0.9", 0.99, toned(1.4, 0.9, 6)),
    Degradation("crop to 80 %", 0.95, cropped),
    Degradation("letterbox", 0.95, letterboxed),
    Degradation("mirror", 0.95, mirrored),
    Degradation("rotation by 2°", 0.95, turned),
    Degradation("24 to 30 frames a second", 0.95, rates=(24, 30)),
    Degradation("25 to 24 frames a second", 0.95, rates=(25, 24)),
    Degradation("4 % faster", 0.95, speed=1.04),
    Degradation("4 % slower", 0.95, speed=0.96),
    Degradation("filmed from a screen", 0.95, filmed(), 25),
)


def pictures(made: Made, choice: Sequence[int]) -> Iterator[Planes]:
    """The frames of a copy that takes these variants."""
    file = Splice(made.blob, made.index.size, made.index.starts, choice)
    with file, av.open(file) as container:
        yield from map(planes_of, container.decode(video=0))


def planes_of(frame: av.VideoFrame) -> Planes:
    """The planes of a frame whose sides are even, in 8 bits and 4:2:0."""
    height, width = frame.height, frame.width
    packed = frame.to_ndarray(format="yuv420p").ravel()
    chroma = packed[height * width :].reshape(2, height // 2, width // 2)
    return packed[: height * width].reshape(height, width), *chroma


def changed(planes: Planes, change: Change) -> Planes:
    """Change each plane."""
    return tuple(change(plane, pitch) for plane, pitch in zip(planes, _PITCHES, strict=True))


def averaged(one: Iterable[Planes], other: Iterable[Planes]) -> Iterator[Planes]:
    """The mean of two films, frame by frame."""
    for both in zip(one, other, strict=True):
        yield tuple(
            cv2.addWeighted(first, 0.5, second, 0.5, 0) for first, second in zip(*both, strict=True)
        )


def _resampled(frames: Sequence[Planes], before: int, after: int) -> Iterator[Planes]:
    for at in range(len(frames) * after // before):
        yield frames[min(round(at * before / after), len(frames) - 1)]


def spoil(
    path: Path, frames: Iterable[Planes], rate: float, how: Degradation, preset: str = "veryfast"
) -> Path:
    """Change frames and encode them again."""
    if how.rates:
        before, after = how.rates
        frames, rate = _resampled(list(frames), before, after), rate * after / before
    played = Fraction(rate * how.speed).limit_denominator(1001)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=played)
        stream.options = {"crf": str(how.crf), "preset": preset}
        for planes in frames:
            spoilt = changed(planes, how.change)
            height, width = spoilt[0].shape
            if not stream.codec_context.is_open:
                stream.height, stream.width = height, width
            packed = np.concatenate([plane.ravel() for plane in spoilt]).reshape(-1, width)
            frame = av.VideoFrame.from_ndarray(packed, "yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
