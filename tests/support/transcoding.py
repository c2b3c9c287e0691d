"""Making outputs in tests, and looking at what came of them by decoding them whole."""

from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from countermark.media.encoding_settings import (
    AudioSettings,
    Container,
    EncodingSettings,
    VideoSettings,
)
from countermark.media.transcode import transcode
from countermark.media.transcoding import Transcoded, TranscodeRequest

H264 = EncodingSettings("mp4", VideoSettings(speed="fastest"), AudioSettings())


class Track(NamedTuple):
    """A track of an output, decoded whole."""

    kind: str
    codec: str
    stream: Any
    times: list[float]
    frames: list[Any]


def make(source: Path, settings: EncodingSettings = H264, **more: Any) -> tuple[Path, Transcoded]:
    """Make an output beside the input."""
    path = source.with_name(f"{source.stem}-made.{settings.container}")
    request = TranscodeRequest(str(source), str(path), settings, **more)
    return path, transcode(request, lambda _: None)


def h264(container: Container = "mp4", **video: Any) -> EncodingSettings:
    """Settings of H.264 with sound, fast."""
    return EncodingSettings(container, VideoSettings(speed="fastest", **video), AudioSettings())


def tracks(path: Path) -> list[Track]:
    """Decode every track but a list of chapters."""
    with av.open(str(path)) as container:
        streams = [s for s in container.streams if s.codec_context is not None]
        found = {
            s.index: Track(s.type, s.codec_context.codec.canonical_name, s, [], []) for s in streams
        }
        for packet in container.demux(streams):
            track = found[packet.stream_index]
            for frame in packet.decode() if packet.size or track.kind != "subtitle" else []:
                track.frames.append(frame)
                track.times.append(float(getattr(frame, "time", None) or 0))
        return list(found.values())


def video(path: Path) -> Track:
    """The output's pictures."""
    return next(track for track in tracks(path) if track.kind == "video")


def audio(path: Path) -> Track:
    """The output's sound."""
    return next(track for track in tracks(path) if track.kind == "audio")


def samples(track: Track) -> NDArray[np.float32]:
    """The sound as an array of channels by samples."""
    return np.concatenate([frame.to_ndarray() for frame in track.frames], axis=1)


def ssim(one: Path, other: Path, size: tuple[int, int]) -> float:
    """Structural similarity of two videos' luma at a size, picture by picture in order."""
    graph = av.filter.Graph()
    width, height = size
    sources = [
        graph.add_buffer(width=width, height=height, format="gray", time_base=Fraction(1, 25))
        for _ in range(2)
    ]
    compare, sink = graph.add("ssim"), graph.add("buffersink")
    for number, source in enumerate(sources):
        source.link_to(compare, 0, number)
    compare.link_to(sink)
    graph.configure()
    values = []
    pairs = zip(video(one).frames, video(other).frames, strict=True)
    for number, pair in enumerate(pairs):
        for place, frame in enumerate(pair):
            small = frame.reformat(width=width, height=height, format="gray")
            small.pts, small.time_base = number, Fraction(1, 25)
            graph.vpush(small, at=place)
        try:
            values.append(float(graph.vpull().metadata["lavfi.ssim.All"]))
        except av.error.BlockingIOError:
            continue
    return min(values)
