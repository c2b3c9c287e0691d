"""Finding the frame that tells most about a video.

A first frame is often black, a logo, or a fade. So keyframes at several places are scored by
the spread of their luma, less the further their mean is from the middle: black, white and flat
frames score near zero. Keyframes cost one decoded picture each. Only if all of them are flat (a
short clip with a single GOP, a screen recording) is the video decoded from its start.
"""

from collections.abc import Iterator

import av
from av import VideoFrame
from av.container import InputContainer
from av.video.stream import VideoStream

PLACES = (0.25, 0.5, 0.1, 0.75, 0.9)
FLAT = 6.0
TELLING = 40.0

# Half a minute or more of standard definition, a few seconds of processor time.
FORWARD_PIXELS = 2**30
FORWARD_STEP = 12
# Some streams mark no keyframe at all; after this many packets any picture will do.
PATIENCE = 300

_GRID = (64, 36)


def telling_frame(
    container: InputContainer, stream: VideoStream, seconds: float | None
) -> VideoFrame | None:
    """Find a frame worth showing.

    Args:
        container: Open, nothing read from it yet; its position is changed.
        stream: A video stream of it; its decoder is used.
        seconds: Duration; None if unknown or if the format can't seek, which leaves only the
            beginning.

    Returns:
        The best of the frames seen; None if not one could be decoded.
    """
    _use_one_thread(stream)
    best, best_score = None, -1.0
    for frame in _keyframes(container, stream, seconds):
        if (found := score(frame)) > best_score:
            best, best_score = frame, found
        if best_score >= TELLING:
            return best
    if best_score >= FLAT or stream.frames == 1:
        return best
    for frame in _forward(container, stream, rewind=seconds is not None):
        if (found := score(frame)) > best_score:
            best, best_score = frame, found
        if best_score >= FLAT:
            break
    return best


def first_frame(
    container: InputContainer, stream: VideoStream, *, rewind: bool
) -> VideoFrame | None:
    """Decode the first keyframe; None if that fails.

    A container that has been read from needs rewinding. One that has not must be spared it:
    formats that can't seek lose their first packets even by a failed attempt.
    """
    _use_one_thread(stream)
    return _keyframe_at(container, stream, 0.0 if rewind else None)


def score(frame: VideoFrame) -> float:
    """Rate how much a frame shows.

    Returns:
        Standard deviation of the luma over a coarse grid, 0 to 127, scaled down toward 0 as
        the mean luma approaches black or white; 0 for a pixel format that nothing converts.
    """
    width, height = _GRID
    try:
        plane = frame.reformat(width=width, height=height, format="gray").planes[0]
    except (av.FFmpegError, ValueError):
        return 0.0
    data, stride = bytes(plane), plane.line_size
    luma = b"".join(data[row * stride : row * stride + width] for row in range(height))
    mean = sum(luma) / len(luma)
    variance = sum(value * value for value in luma) / len(luma) - mean * mean
    middling = 1.0 - abs(mean - 127.5) / 127.5
    return float(max(variance, 0.0) ** 0.5 * min(1.0, 2.0 * middling))


def _use_one_thread(stream: VideoStream) -> None:
    # One picture at a time is wanted; frame threads would only add delay and memory.
    if not stream.codec_context.is_open:
        stream.codec_context.thread_count = 1


def _keyframes(
    container: InputContainer, stream: VideoStream, seconds: float | None
) -> Iterator[VideoFrame]:
    seen = set()
    for place in [part * seconds for part in PLACES] if seconds else [None]:
        frame = _keyframe_at(container, stream, place)
        if frame is not None and frame.pts not in seen:
            seen.add(frame.pts)
            yield frame


def _keyframe_at(
    container: InputContainer, stream: VideoStream, seconds: float | None
) -> VideoFrame | None:
    try:
        if seconds is not None:
            _seek(container, seconds)
        for count, packet in enumerate(container.demux(stream)):
            if not packet.is_keyframe and count < PATIENCE:
                continue
            # Draining at once hands out the picture without the decoder's reordering delay;
            # the next seek makes the decoder ready again.
            if frames := stream.decode(packet) + stream.decode(None):
                return frames[0]
            if count > PATIENCE:
                return None
            stream.codec_context.flush_buffers()
    except av.FFmpegError:
        pass  # a damaged place; another may do
    return None


def _forward(
    container: InputContainer, stream: VideoStream, *, rewind: bool
) -> Iterator[VideoFrame]:
    left = FORWARD_PIXELS
    try:
        if rewind:
            _seek(container, 0.0)
        stream.codec_context.flush_buffers()  # it was drained
        for count, frame in enumerate(container.decode(stream)):
            left -= frame.width * frame.height
            if count % FORWARD_STEP == 0:
                yield frame
            if left < 0:
                return
    except av.FFmpegError:
        pass  # what was decoded before the damage has been offered


def _seek(container: InputContainer, seconds: float) -> None:
    container.seek((container.start_time or 0) + int(seconds * av.time_base))
