"""The row of probing and thumbnails: bench/probe.py measures it beside ffprobe and ffmpeg."""

import shutil
from collections.abc import Iterator

from bench import probe
from bench.results import Row
from bench.run import Run


def rows(_run: Run) -> Iterator[Row]:
    """Milliseconds to describe a clip; nothing without the programs to compare with."""
    if not (shutil.which("ffprobe") and shutil.which("ffmpeg")):
        raise RuntimeError("ffprobe and ffmpeg are not installed")
    for row in probe.rows():
        yield Row(**row)
