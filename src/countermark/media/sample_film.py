"""A film to demonstrate marks with, and a bad recording of one.

Marks hide in texture and motion, which FFmpeg's test pictures lack; so the film is a camera that
wanders over a ground whose spectrum falls like that of natural pictures (D. Field, "Relations
between the statistics of natural images and the response properties of cortical cells", 1987).
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]

SIZE, RATE = (640, 360), 15
_GROUND = 1024  # pixels each way; it goes round, so the camera never meets an edge
# What is left of a copy in a bad recording: cut at all sides, mirrored, half as large, blurred.
_WORSENED = ("crop=iw*0.9:ih*0.9", "hflip", "scale=iw/2:-2", "gblur=sigma=0.7", "format=yuv420p")
_WORSENED_CRF = "28"
_UNTOLD = (2, 0)  # FFmpeg's AVCOL_SPC_UNSPECIFIED and AVCOL_RANGE_UNSPECIFIED


def make_film(path: Path, seconds: int, progress: Callable[[float], None] = lambda _: None) -> Path:
    """Write an MP4 of H.264 without sound.

    Args:
        path: where to.
        seconds: how long.
        progress: told the part that is done, 0 to 1.
    """
    count = seconds * RATE
    with av.open(str(path), "w", format="mp4") as output:
        video = output.add_stream("libx264", rate=RATE)
        video.width, video.height = SIZE
        video.options = {"preset": "veryfast", "crf": "18"}
        for number, luma in enumerate(_views(count)):
            frame = av.VideoFrame.from_ndarray(luma, format="gray").reformat(format="yuv420p")
            output.mux(video.encode(frame))
            progress(number / count)
        output.mux(video.encode(None))
    progress(1.0)
    return path


def worsen(source: Path, path: Path) -> Path:
    """Write a bad recording of a film: cut, mirrored, at half size, blurred, encoded coarsely."""
    with av.open(str(source)) as film, av.open(str(path), "w") as output:
        shown = film.streams.video[0]
        graph = av.filter.Graph()
        entry = graph.add_buffer(template=shown)
        steps = [graph.add(*step.split("=", 1)) for step in _WORSENED]
        graph.link_nodes(entry, *steps, graph.add("buffersink")).configure()
        video = output.add_stream("libx264", rate=shown.average_rate or RATE)
        video.options = {"preset": "veryfast", "crf": _WORSENED_CRF}
        for frame in film.decode(shown):
            # The graph was made before any frame had told its colours.
            frame.colorspace, frame.color_range = _UNTOLD
            entry.push(frame)
            worse = graph.pull()
            if isinstance(worse, av.VideoFrame):
                if not video.codec_context.is_open:
                    video.width, video.height = worse.width, worse.height
                output.mux(video.encode(worse))
        output.mux(video.encode(None))
    return path


def _views(count: int) -> Iterator[Luma]:
    ground = _ground()
    width, height = SIZE
    rows, columns = np.mgrid[0:height, 0:width]
    for number in range(count):
        time = number / RATE
        left = int(120 * np.sin(0.31 * time) + 18 * time)
        top = int(90 * np.sin(0.23 * time))
        view = ground[(rows + top) % _GROUND, (columns + left) % _GROUND]
        x, y = width * (0.5 + 0.4 * np.sin(0.9 * time)), height * (0.5 + 0.35 * np.cos(0.7 * time))
        disc = (columns - x) ** 2 + (rows - y) ** 2 < (height / 6) ** 2
        yield np.where(disc, 0.5 * view + 100, view).astype(np.uint8)


def _ground() -> NDArray[np.float64]:
    """Luma whose amplitudes fall as 1/f, at random phases, but always the same."""
    random = np.random.default_rng(1987)
    across, down = np.fft.rfftfreq(_GROUND), np.fft.fftfreq(_GROUND)
    frequency = np.hypot(down[:, None], across[None])
    frequency[0, 0] = np.inf
    phases = random.uniform(0, 2 * np.pi, frequency.shape)
    waves: NDArray[np.float64] = np.fft.irfft2(np.exp(1j * phases) / frequency)
    ground: NDArray[np.float64] = 125 + 42 * waves / waves.std()
    return np.clip(ground, 20, 230)
