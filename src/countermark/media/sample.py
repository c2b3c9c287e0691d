"""A sample video with sound, for demonstrations: FFmpeg's moving test picture and a tone."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

PICTURE_RATE = 30
SOUND_RATE = 48_000


def make_sample(
    path: Path,
    seconds: int = 10,
    size: tuple[int, int] = (1280, 720),
    progress: Callable[[float], None] = lambda _: None,
) -> Path:
    """Write an MP4 of H.264 and AAC.

    Args:
        path: where to; the extension decides nothing, it is always MP4.
        seconds: how long.
        size: width and height, pixels, even.
        progress: told the part that is done, 0 to 1, after each second of video.

    Returns:
        The path.
    """
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as output:
        video = output.add_stream("libx264", rate=PICTURE_RATE)
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        video.options = {"preset": "veryfast", "crf": "23"}
        audio = output.add_stream("aac", rate=SOUND_RATE, layout="stereo")
        sound = _sound(seconds)
        for number, picture in enumerate(_pictures(size, seconds)):
            output.mux(video.encode(picture))
            if number % PICTURE_RATE == 0:
                # One second of sound beside each second of pictures keeps the two interleaved.
                for frame in _next_second(sound):
                    output.mux(audio.encode(frame))
                progress(number / (seconds * PICTURE_RATE))
        output.mux(video.encode(None))
        output.mux(audio.encode(None))
    progress(1.0)
    return path


def _pictures(size: tuple[int, int], seconds: int) -> Iterator[VideoFrame]:
    description = f"size={size[0]}x{size[1]}:rate={PICTURE_RATE}:duration={seconds}"
    graph = _graph("testsrc2", description, "buffersink")
    time_base = Fraction(1, PICTURE_RATE)
    for number, frame in enumerate(_frames(graph)):
        if isinstance(frame, VideoFrame):
            frame.pts, frame.time_base = number, time_base
            yield frame


def _sound(seconds: int) -> Iterator[AudioFrame]:
    description = f"frequency=220:beep_factor=4:sample_rate={SOUND_RATE}:duration={seconds}"
    graph = _graph("sine", description, "abuffersink")
    at = 0
    for frame in _frames(graph):
        if isinstance(frame, AudioFrame):
            frame.pts, frame.time_base = at, Fraction(1, SOUND_RATE)
            at += frame.samples
            yield frame


def _next_second(sound: Iterator[AudioFrame]) -> Iterator[AudioFrame]:
    samples = 0
    while samples < SOUND_RATE and (frame := next(sound, None)) is not None:
        samples += frame.samples
        yield frame


def _graph(source: str, description: str, sink: str) -> av.filter.Graph:
    graph = av.filter.Graph()
    graph.add(source, description).link_to(graph.add(sink))
    graph.configure()
    return graph


def _frames(graph: av.filter.Graph) -> Iterator[VideoFrame | AudioFrame]:
    try:
        while True:
            yield graph.pull()
    except av.EOFError:
        return
