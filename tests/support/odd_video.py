"""Videos of uncommon kinds."""

import struct
from pathlib import Path

import av
import numpy as np

from support.media import make_video


def hdr(path: Path, frames: int = 3) -> Path:
    """A grey of 100 cd/m² in PQ and BT.2020, with metadata of its mastering display."""
    with av.open(str(path), "w") as container:
        parameters = (
            "log-level=none:max-cll=1000,400:"
            "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
        )
        options = {"preset": "ultrafast", "x265-params": parameters}
        stream = container.add_stream("libx265", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p10le"
        context = stream.codec_context
        context.colorspace, context.color_primaries = 9, 9
        context.color_trc, context.color_range = 16, 1
        frame = av.VideoFrame(128, 96, "yuv420p10le")
        for plane, value in zip(frame.planes, (509, 512, 512), strict=True):
            plane.update(struct.pack("<H", value) * (plane.buffer_size // 2))
        for number in range(frames):
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def interlaced(path: Path, frames: int = 8) -> Path:
    """Bars that move from field to field: odd and even rows are from different times."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 160, "yuv420p"
        stream.codec_context.bit_rate = 8_000_000
        # Interlaced coding of both motion and transform: FF flags ildct and ilme.
        stream.codec_context.flags |= 0x00040000 | 0x20000000
        stream.codec_context.field_order = 2
        for number in range(frames):
            rows = np.full((160, 320), 40, np.uint8)
            for row in range(160):
                left = 20 + 16 * (number % 8) + 8 * (row % 2)
                rows[row, left : left + 80] = 200
            frame = av.VideoFrame.from_ndarray(rows, "gray").reformat(format="yuv420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def two_languages(path: Path, size: tuple[int, int]) -> Path:
    """A video with a sound track in each of two languages."""
    sources = [
        make_video(path.with_name(f"{language}.mp4"), size=size, language=language)
        for language in ("eng", "deu")
    ]
    with (
        av.open(str(sources[0])) as first,
        av.open(str(sources[1])) as second,
        av.open(str(path), "w") as container,
    ):
        tracks = [first.streams.video[0], first.streams.audio[0], second.streams.audio[0]]
        copies = {}
        for track in tracks:
            copies[track] = container.add_stream_from_template(track)
            copies[track].metadata["language"] = track.metadata["language"]
        for source in (first, second):
            for packet in source.demux([track for track in tracks if track.container is source]):
                if packet.dts is not None:
                    packet.stream = copies[packet.stream]
                    container.mux(packet)
    return path
