"""What is done to a copy before it is traced: each change as a function of frames of luma."""

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

Luma = NDArray[np.uint8]
Change = Callable[[Luma], Luma]


@dataclass(frozen=True)
class Degradation:
    """One way to spoil a copy.

    Attributes:
        name: as the table has it.
        reach: share of symbols that must be right.
        change: of each frame.
        crf: x264's, with which it is encoded again.
        speed: how much faster it is played.
        rates: frame rates before and after, if frames are doubled or dropped.
    """

    name: str
    reach: float
    change: Change = lambda luma: luma
    crf: float = 23
    speed: float = 1.0
    rates: tuple[int, int] | None = None


def scaled(factor: float) -> Change:
    def change(luma: Luma) -> Luma:
        height, width = (round(side * factor) // 2 * 2 for side in luma.shape)
        return cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA)

    return change


def blurred(spread: float) -> Change:
    return lambda luma: cv2.GaussianBlur(luma, (0, 0), spread)


def noisy(spread: float) -> Change:
    random = np.random.default_rng(1)

    def change(luma: Luma) -> Luma:
        grain = random.standard_normal(luma.shape, np.float32) * spread
        return (luma + grain).clip(0, 255).astype(np.uint8)

    return change


def toned(gamma: float, gain: float, lift: float) -> Change:
    scale = ((np.arange(256) - 16) / 219).clip(0, 1)
    table = (16 + lift + 219 * gain * scale**gamma).clip(0, 255).astype(np.uint8)
    return lambda luma: table[luma]


def cropped(luma: Luma) -> Luma:
    height, width = (round(side * 0.8) // 2 * 2 for side in luma.shape)
    top, left = (luma.shape[0] - height) * 7 // 10, (luma.shape[1] - width) * 3 // 10
    return luma[top : top + height, left : left + width]


def letterboxed(luma: Luma) -> Luma:
    bar = luma.shape[0] // 12 * 2
    return cv2.copyMakeBorder(luma, bar, bar, 0, 0, cv2.BORDER_CONSTANT, value=16)


def turned(luma: Luma) -> Luma:
    height, width = luma.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 2, 1)
    return cv2.warpAffine(luma, turn, (width, height), borderValue=16)


def from_aside(luma: Luma) -> Luma:
    height, width = luma.shape
    plain = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = [[0.05, 0.03], [0.98, 0.06], [0.945, 0.975], [0.015, 0.95]] * plain[2]
    view = cv2.getPerspectiveTransform(plain, moved.astype(np.float32))
    return cv2.warpPerspective(luma, view, (width, height), borderValue=16)


def filmed() -> Change:
    steps = (from_aside, blurred(1.2), toned(0.85, 0.95, 4), noisy(4))

    def change(luma: Luma) -> Luma:
        for step in steps:
            luma = step(luma)
        return luma

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
    Degradation("mirror", 0.95, lambda luma: luma[:, ::-1]),
    Degradation("rotation by 2°", 0.95, turned),
    Degradation("24 to 30 frames a second", 0.95, rates=(24, 30)),
    Degradation("25 to 24 frames a second", 0.95, rates=(25, 24)),
    Degradation("4 % faster", 0.95, speed=1.04),
    Degradation("4 % slower", 0.95, speed=0.96),
    Degradation("filmed from a screen", 0.95, filmed(), 25),
)


def pictures(made: Made, choice: Sequence[int]) -> Iterator[Luma]:
    """The frames of a copy that takes these variants."""
    file = Splice(made.blob, made.index.size, made.index.starts, choice)
    with file, av.open(file) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray()[: frame.height, : frame.width]


def _resampled(frames: Sequence[Luma], before: int, after: int) -> Iterator[Luma]:
    for at in range(len(frames) * after // before):
        yield frames[min(round(at * before / after), len(frames) - 1)]


def spoil(
    path: Path, frames: Iterable[Luma], rate: float, how: Degradation, preset: str = "veryfast"
) -> Path:
    """Change frames and encode them again."""
    if how.rates:
        before, after = how.rates
        frames, rate = _resampled(list(frames), before, after), rate * after / before
    played = Fraction(rate * how.speed).limit_denominator(1001)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=played)
        stream.options = {"crf": str(how.crf), "preset": preset}
        for luma in frames:
            changed = np.ascontiguousarray(how.change(luma))
            if not stream.codec_context.is_open:
                stream.height, stream.width = changed.shape
            frame = av.VideoFrame.from_ndarray(changed, "gray").reformat(format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
