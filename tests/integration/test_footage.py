"""Frames of a file's pieces: luma and chroma, whatever pixels it is made of."""

from contextlib import closing
from io import FileIO
from pathlib import Path

import av
import numpy as np
import pytest

from countermark.media.footage import Footage, Shown

SIZE, LUMA, COLOURS = (54, 38), 120, (90, 170)


def flat_film(path: Path, codec: str, pixels: str) -> Path:
    """Two frames of one colour, whose rows are padded in memory."""
    frame = av.VideoFrame(*SIZE, "yuv444p")
    for plane, level in zip(frame.planes, (LUMA, *COLOURS), strict=True):
        plane.update(bytes([level]) * plane.buffer_size)
    # With threads of its own, swscale gets a few pixels of ten bits wrong once in a while.
    frame = frame.reformat(format=pixels, threads=1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = *SIZE, pixels
        for number in range(2):
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def first_frame(path: Path) -> Shown:
    with FileIO(path) as file, closing(Footage(file)) as footage:
        shown = next(footage.piece(0.0, 1.0))
        luma, (u, v) = shown.luma.copy(), shown.chroma
        return Shown(shown.time, luma, (u.copy(), v.copy()))


@pytest.mark.parametrize(
    ("codec", "pixels", "shape"),
    [
        ("rawvideo", "yuv420p", (19, 27)),
        ("ffv1", "yuv422p", (38, 27)),
        ("ffv1", "yuv444p", (38, 54)),
        ("rawvideo", "yuv410p", (10, 14)),
        ("rawvideo", "nv12", (19, 27)),
        ("rawvideo", "yuyv422", (19, 27)),
        ("ffv1", "yuva420p", (19, 27)),
        ("ffv1", "yuv420p10le", (19, 27)),
        ("ffv1", "yuv444p10le", (19, 27)),
        ("rawvideo", "rgb24", (19, 27)),
        ("ffv1", "bgra", (19, 27)),
    ],
)
def test_a_frame_has_its_luma_and_its_colours(
    codec: str, pixels: str, shape: tuple[int, int], tmp_path: Path
) -> None:
    shown = first_frame(flat_film(tmp_path / "film.nut", codec, pixels))
    assert shown.luma.shape == SIZE[::-1]
    assert [plane.shape for plane in shown.chroma] == [shape, shape]
    for plane, level in zip((shown.luma, *shown.chroma), (LUMA, *COLOURS), strict=True):
        assert np.abs(plane.astype(int) - level).max() <= 2


@pytest.mark.parametrize("pixels", ["gray", "gray10le"])
def test_a_grey_film_has_no_colours(pixels: str, tmp_path: Path) -> None:
    shown = first_frame(flat_film(tmp_path / "film.nut", "ffv1", pixels))
    assert shown.luma.shape == SIZE[::-1]
    assert np.abs(np.stack(shown.chroma).astype(int) - 128).max() <= 1
