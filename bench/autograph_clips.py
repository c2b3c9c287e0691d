"""The clips that AutoGraph is measured on: real ones where they lie beside, and generated ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

SHARED = Path(__file__).parents[2] / "shared" / "media"
_REAL = {
    "animation, 480p": "big-buck-bunny-480p-30s.mp4",
    "fixed camera, 432p": "car-detection-432p-30s.mp4",
}
Luma = NDArray[np.uint8]


@dataclass(frozen=True)
class Clip:
    """A film to be marked."""

    name: str
    path: Path


def clips(folder: Path, *, quick: bool) -> Iterator[Clip]:
    """Yield the clips; generated ones are written to the folder."""
    for name, file in _REAL.items():
        if (SHARED / file).exists() and not quick:
            yield Clip(name, SHARED / file)
    for name, (draw, size, rate) in _GENERATED.items():
        path = folder / f"{name.split(',')[0].replace(' ', '-')}.mkv"
        yield Clip(name, _written(path, draw, size, rate, 2.0 if quick else 9.0))


def _texture(seed: int, size: tuple[int, int], roughness: float) -> NDArray[np.float32]:
    """Noise whose amplitude falls with frequency, as that of photographs does (1/f), std 1."""
    width, height = size
    noise = np.fft.rfft2(np.random.default_rng(seed).normal(size=(height, width)))
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    radius[0, 0] = 1
    field = np.fft.irfft2(noise / radius**roughness, (height, width))
    return ((field - field.mean()) / field.std()).astype(np.float32)


def _grainy(second: float, size: tuple[int, int]) -> Luma:
    """A slow pan over a landscape, with film grain."""
    scene = 115 + 42 * _cached(1, (size[0] * 2, size[1]), 1.1)
    left = int(30 * second)
    grain = np.random.default_rng(int(second * 1000)).normal(0, 3.0, size[::-1])
    return _luma(scene[:, left : left + size[0]] + grain)


def _sport(second: float, size: tuple[int, int]) -> Luma:
    """A fast pan over a crowd, cut every three seconds."""
    scene = 120 + 50 * _cached(2 + int(second // 3), (size[0] * 3, size[1]), 0.8)
    left = int(400 * (second % 3))
    return _luma(scene[:, left : left + size[0]])


def _dark(second: float, size: tuple[int, int]) -> Luma:
    """A night: most of it near black, one lit place that moves a little."""
    rows, columns = np.mgrid[: size[1], : size[0]]
    x, y = size[0] * (0.5 + 0.1 * np.sin(second)), size[1] * 0.5
    light = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * (size[1] / 4) ** 2))
    noise = np.random.default_rng(int(second * 1000)).normal(0, 1.2, size[::-1])
    return _luma(18 + light * (60 + 25 * _cached(7, size, 1.0)) + noise)


def _cartoon(second: float, size: tuple[int, int]) -> Luma:
    """Flat areas, hard outlines, a figure that walks."""
    picture = np.full(size[::-1], 190, np.uint8)
    cv2.rectangle(picture, (0, size[1] * 2 // 3), size, 90, -1)
    for number in range(6):
        at = (int(size[0] * (0.1 + 0.16 * number)), int(size[1] * (0.35 + 0.04 * (number % 3))))
        cv2.circle(picture, at, size[1] // 9, 60 + 25 * number, -1)
        cv2.circle(picture, at, size[1] // 9, 20, 3)
    walker = (int(size[0] * (0.1 + 0.08 * second)), size[1] * 3 // 5)
    cv2.ellipse(picture, walker, (size[1] // 12, size[1] // 5), 0, 0, 360, 140, -1)
    return picture


_GENERATED: dict[str, tuple[Callable[[float, tuple[int, int]], Luma], tuple[int, int], int]] = {
    "grain and a slow pan, 720p25": (_grainy, (1280, 720), 25),
    "sport, 720p50": (_sport, (1280, 720), 50),
    "night, 540p24": (_dark, (960, 540), 24),
    "cartoon, 576p25": (_cartoon, (1024, 576), 25),
}
_TEXTURES: dict[tuple[int, tuple[int, int], float], NDArray[np.float32]] = {}


def _cached(seed: int, size: tuple[int, int], roughness: float) -> NDArray[np.float32]:
    key = (seed, size, roughness)
    if key not in _TEXTURES:
        _TEXTURES[key] = _texture(seed, size, roughness)
    return _TEXTURES[key]


def _luma(values: "np.ndarray") -> Luma:
    return np.clip(np.rint(values), 16, 235).astype(np.uint8)


def _written(
    path: Path,
    draw: Callable[[float, tuple[int, int]], Luma],
    size: tuple[int, int],
    rate: int,
    seconds: float,
) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.options = {"preset": "ultrafast", "qp": "8"}
        for number in range(int(seconds * rate)):
            frame = av.VideoFrame.from_ndarray(draw(number / rate, size), "gray")
            shown = frame.reformat(format="yuv420p", dst_color_range="MPEG", src_color_range="MPEG")
            shown.pts, shown.time_base = number, Fraction(1, rate)
            output.mux(stream.encode(shown))
        output.mux(stream.encode(None))
    return path
