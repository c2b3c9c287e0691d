"""Films with texture and motion to be marked and traced, and leaks made of them."""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

from countermark.autograph.index import decode
from countermark.autograph.splice import Copy
from countermark.work.master_check import Splice
from countermark.work.master_request import Master
from support.masters import KEY

Luma = NDArray[np.uint8]


def textured(seed: int, seconds: float, size: tuple[int, int], rate: int) -> Iterator[Luma]:
    """A camera that wanders over a rough ground on which discs move; shape (height, width)."""
    random = np.random.default_rng(seed)
    width, height = size
    ground = sum(
        cv2.resize(
            random.standard_normal((3 * 2**octave, 4 * 2**octave)).astype(np.float32),
            (2 * width, 2 * height),
            interpolation=cv2.INTER_CUBIC,
        )
        * 0.55**octave
        for octave in range(7)
    )
    ground = (120 + 26 * ground).clip(30, 220).astype(np.float32)
    paths = random.uniform(0.3, 1.6, (5, 4))
    for number in range(round(seconds * rate)):
        time = number / rate
        left = width * (0.5 + 0.45 * np.sin(0.6 * time + seed))
        top = height * (0.5 + 0.45 * np.sin(0.41 * time))
        move = np.array([[1, 0, -left], [0, 1, -top]], np.float32)
        view = cv2.warpAffine(ground, move, size)
        for disc, (speed, rise, phase, shade) in enumerate(paths):
            x = width * (0.5 + 0.45 * np.sin(speed * time + 3 * phase))
            y = height * (0.5 + 0.45 * np.cos(rise * time + 5 * phase))
            cv2.circle(view, (int(x), int(y)), height // (6 + disc), 140 * shade, -1, cv2.LINE_AA)
        yield view.clip(16, 235).astype(np.uint8)


def slides(held: Iterable[int], size: tuple[int, int]) -> Iterator[av.VideoFrame]:
    """Rough pictures in colour, each held for so many frames."""
    for number, frames in enumerate(held):
        luma, *others = (next(textured(3 * number + n, 1, size, 1)) for n in range(3))
        planes = [luma, *((128 + (one.astype(np.float32) - 120) / 2) for one in others)]
        picture = av.VideoFrame.from_ndarray(np.stack(planes).astype(np.uint8), "yuv444p")
        for _ in range(frames):
            yield picture.reformat(format="yuv420p")


def write_film(path: Path, pictures: Iterable[Luma], rate: Fraction | int, crf: float = 16) -> Path:
    """Encode grey pictures of one size with x264."""
    greys = (av.VideoFrame.from_ndarray(np.ascontiguousarray(one), "gray") for one in pictures)
    return write_frames(path, greys, rate, crf)


def write_frames(
    path: Path, frames: Iterable[av.VideoFrame], rate: Fraction | int, crf: float = 16
) -> Path:
    """Encode frames of one size with x264."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(rate))
        stream.options = {"crf": str(crf), "preset": "veryfast"}
        for number, frame in enumerate(frames):
            if not stream.codec_context.is_open:
                stream.height, stream.width = frame.height, frame.width
            plain = frame.reformat(format="yuv420p")
            plain.pts, plain.time_base = number, 1 / Fraction(rate)
            plain.pict_type = PictureType.NONE
            container.mux(stream.encode(plain))
        container.mux(stream.encode(None))
    return path


def pictures_of_copy(master: Master, tag: str) -> Iterator[Luma]:
    """The luma of a recipient's copy."""
    for frame in frames_of_copy(master, tag):
        yield frame.to_ndarray()[: frame.height, : frame.width]


def frames_of_copy(master: Master, tag: str) -> Iterator[av.VideoFrame]:
    """The frames of a recipient's copy."""
    index = decode(Path(master.index).read_bytes())
    with (
        Splice(Path(master.blob), index.size, index.starts, choice_of(master, tag)) as file,
        av.open(file) as container,
    ):
        yield from container.decode(video=0)


def choice_of(master: Master, tag: str) -> list[int]:
    """Which variant of each segment a recipient's copy has."""
    index = decode(Path(master.index).read_bytes())
    return list(Copy(index, KEY, tag).symbols(0, len(index)))


def leaked(
    path: Path,
    master: Master,
    tag: str,
    rate: int,
    change: Callable[[Luma], Luma] = lambda luma: luma,
    crf: float = 28,
) -> Path:
    """A recipient's copy, its pictures changed and encoded again."""
    return write_film(path, map(change, pictures_of_copy(master, tag)), rate, crf)
