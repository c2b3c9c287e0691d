"""A small upright JPEG from a decoded frame."""

from fractions import Fraction

import av
from av import VideoFrame
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.reformatter import ColorPrimaries, ColorTrc

from countermark.media.description import Orientation, Thumbnail
from countermark.media.orientation import FILTERS, of_frame

LONG_SIDE = 320
SIZE = 32 * 1024

# Quantizer scales of FFmpeg's MJPEG encoder, best first; 2 is its finest, 31 its coarsest.
_QUALITIES = (4, 8, 14, 31)
_LAMBDA_PER_QUANTIZER = 118  # FFmpeg's FF_QP2LAMBDA
# Curves whose values look washed out when shown as if they were BT.709.
_HDR = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)


def make_thumbnail(frame: VideoFrame, pixel_aspect: Fraction | None) -> Thumbnail:
    """Scale, turn and encode a frame.

    Args:
        frame: Any size and pixel format; its display matrix is applied.
        pixel_aspect: Width of a pixel over its height; None for square pixels.

    Returns:
        At most 320 pixels on the long side, never larger than the frame, and about 32 kB at most.

    Raises:
        av.FFmpegError: The frame's pixel format can't be converted.
    """
    width, height = fit(frame.width, frame.height, pixel_aspect)
    picture = _upright(_flat(_small(frame, width, height)), of_frame(frame))
    data = b""
    for quality in _QUALITIES:
        data = encode_jpeg(picture, quality)
        if len(data) <= SIZE:
            break
    return Thumbnail("image/jpeg", picture.width, picture.height, data)


def fit(width: int, height: int, pixel_aspect: Fraction | None) -> tuple[int, int]:
    """Size a picture for square pixels and the long side; both sides shrink or stay, never grow."""
    aspect = pixel_aspect or Fraction(1)
    shown_width = width * min(aspect, Fraction(1))
    shown_height = height / max(aspect, Fraction(1))
    scale = min(Fraction(1), Fraction(LONG_SIDE) / max(shown_width, shown_height))
    return max(1, round(shown_width * scale)), max(1, round(shown_height * scale))


def _small(frame: VideoFrame, width: int, height: int) -> VideoFrame:
    layout = "rgba" if _has_alpha(frame) else "yuvj420p"
    if frame.color_trc in _HDR:
        return frame.reformat(
            width,
            height,
            layout,
            dst_color_trc=ColorTrc.BT709,
            dst_color_primaries=ColorPrimaries.BT709,
        )
    return frame.reformat(width, height, layout, interpolation="AREA")


def _has_alpha(frame: VideoFrame) -> bool:
    return frame.format.name == "pal8" or any(c.is_alpha for c in frame.format.components)


def _flat(frame: VideoFrame) -> VideoFrame:
    """Lay a transparent picture on white, as a page would show it."""
    if frame.format.name != "rgba":
        return frame
    graph = Graph()
    source, sink = _source(graph, frame), graph.add("buffersink")
    page = graph.add("color", f"color=white:size={frame.width}x{frame.height}:duration=1")
    overlay = graph.add("overlay", "format=gbrp")
    page.link_to(overlay, 0, 0)
    source.link_to(overlay, 0, 1)
    overlay.link_to(sink)
    return _run(graph, frame).reformat(format="yuvj420p")


def _upright(frame: VideoFrame, turn: Orientation | None) -> VideoFrame:
    if turn is None:
        return frame
    graph = Graph()
    turns = [graph.add(name, argument) for name, argument in FILTERS[turn]]
    graph.link_nodes(_source(graph, frame), *turns, graph.add("buffersink"))
    return _run(graph, frame)


def _source(graph: Graph, frame: VideoFrame) -> FilterContext:
    return graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1)
    )


def _run(graph: Graph, frame: VideoFrame) -> VideoFrame:
    graph.configure()
    frame.pts, frame.time_base = 0, Fraction(1)
    graph.vpush(frame)
    graph.vpush(None)
    return graph.vpull()


def encode_jpeg(picture: VideoFrame, quality: int) -> bytes:
    """Encode a picture of format yuvj420p; quality 2 is the finest, 31 the coarsest."""
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height = picture.width, picture.height
    encoder.pix_fmt = "yuvj420p"
    encoder.time_base = Fraction(1)
    encoder.thread_count = 1
    encoder.qscale = True
    encoder.global_quality = quality * _LAMBDA_PER_QUANTIZER
    picture.pts = 0
    return b"".join(bytes(packet) for packet in encoder.encode(picture) + encoder.encode(None))
