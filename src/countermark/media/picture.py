"""One picture of a film: 8 bits, 4:2:0, open to be redrawn."""

from collections.abc import Callable

import numpy as np
from av import VideoFrame
from av.video.frame import PictureType
from av.video.plane import VideoPlane
from numpy.typing import NDArray

PIXEL_FORMAT = "yuv420p"

Luma = NDArray[np.uint8]
Chroma = tuple[NDArray[np.uint8], NDArray[np.uint8]]


class Picture:
    """A decoded frame.

    Attributes:
        frame: FFmpeg's, planar, 8 bits, 4:2:0.
        shown_at: time stamp, ticks of the film's time base.
    """

    def __init__(self, frame: VideoFrame, shown_at: int) -> None:
        self.frame = frame
        self.shown_at = shown_at

    @property
    def luma(self) -> Luma:
        """View of the luma, shape (height, width)."""
        return _rows(self.frame.planes[0])

    @property
    def chroma(self) -> Chroma:
        """Views of the chroma, shape (height, width) each, half of the luma's rounded up."""
        return _chroma(self.frame)

    @property
    def kind(self) -> str:
        """Letter of the kind that it was coded as: I, P or B."""
        return PictureType(self.frame.pict_type).name

    def redrawn(self, draw: Callable[[Luma, Chroma], None], onto: VideoFrame) -> "Picture":
        """Draw the picture anew.

        Args:
            draw: writes the whole luma, shape (height, width), and changes the chroma.
            onto: where to, of the same size; `blank` makes one.
        """
        for source, target in zip(self.chroma, _chroma(onto), strict=True):
            target[:] = source
        draw(_rows(onto.planes[0]), _chroma(onto))
        return Picture(onto, self.shown_at)

    def blank(self) -> VideoFrame:
        """A frame of the picture's size."""
        return VideoFrame(self.frame.width, self.frame.height, PIXEL_FORMAT)


def _chroma(frame: VideoFrame) -> Chroma:
    return _rows(frame.planes[1]), _rows(frame.planes[2])


def _rows(plane: VideoPlane) -> Luma:
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    whole: Luma = rows[:, : plane.width]
    return whole
