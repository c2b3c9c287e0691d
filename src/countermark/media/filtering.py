"""Small helpers around FFmpeg's filter graphs."""

from collections.abc import Iterable, Iterator

import av
from av import AudioFrame, VideoFrame
from av.filter import Graph
from av.filter.context import FilterContext

# A filter's name and its arguments.
Step = tuple[str, str | None]


def chain(graph: Graph, start: FilterContext, steps: Iterable[Step]) -> FilterContext:
    """Add filters one after the other; return the last."""
    last = start
    for name, arguments in steps:
        following = graph.add(name, arguments)
        last.link_to(following)
        last = following
    return last


def pictures(graph: Graph) -> Iterator[VideoFrame]:
    """All pictures that the graph has ready."""
    return (frame for frame in _ready(graph) if isinstance(frame, VideoFrame))


def sounds(graph: Graph) -> Iterator[AudioFrame]:
    """All sound that the graph has ready."""
    return (frame for frame in _ready(graph) if isinstance(frame, AudioFrame))


def _ready(graph: Graph) -> Iterator[VideoFrame | AudioFrame]:
    try:
        while True:
            yield graph.pull()
    except (av.error.BlockingIOError, av.error.EOFError):
        return
