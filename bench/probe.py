"""Describing a clip, thumbnail included, beside starting ffprobe and ffmpeg for the same.

Ours is a call of the sandbox with its zygote running, as in a worker: fork, probe, thumbnail,
answer. The peer is what a service without libraries does for each file: `ffprobe` for the
tracks, then `ffmpeg` seeking to a quarter and writing one scaled JPEG. It looks at one place
only, ours at up to five.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.results import alternate
from countermark.media.sandbox import ProbeLimits, Sandbox

SHARED = Path(__file__).parents[2] / "shared" / "media"
ROUNDS = 15


def rows() -> list[dict[str, Any]]:
    """Measure both sides in turn on each clip; the ratio is the peer's time to ours."""
    with _clips() as clips, Sandbox(ProbeLimits()) as sandbox:
        return [_row(clip, sandbox) for clip in clips]


def _row(clip: Path, sandbox: Sandbox) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "thumbnail.jpg"
        ours, peer = alternate(
            _timed(lambda: _describe(sandbox, clip)),
            _timed(lambda: _start_programs(clip, picture)),
            ROUNDS,
        )
    ratio = peer / ours
    return {
        "what": f"probe + thumbnail, {clip.name}",
        "ours": f"{ours:.0f} ms",
        "peer": f"{peer:.0f} ms (ffprobe + ffmpeg)",
        "ratio": ratio,
        "reach": "> 1 x",
        "reached": ratio > 1,
    }


def _describe(sandbox: Sandbox, clip: Path) -> None:
    outcome = sandbox.describe(clip, clip.name)
    assert outcome.problem is None
    assert outcome.description.thumbnail is not None


def _start_programs(clip: Path, picture: Path) -> None:
    probe = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(clip)]
    found = json.loads(subprocess.run(probe, check=True, capture_output=True).stdout)
    place = str(float(found["format"]["duration"]) / 4)
    shrink = ["-frames:v", "1", "-vf", "scale=320:-2", "-y", str(picture)]
    command = ["ffmpeg", "-v", "error", "-ss", place, "-i", str(clip), *shrink]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    assert picture.stat().st_size > 0


def _timed(action: Callable[[], None]) -> Callable[[], float]:
    def milliseconds() -> float:
        start = time.perf_counter()
        action()
        return (time.perf_counter() - start) * 1000

    return milliseconds


@contextmanager
def _clips() -> Iterator[list[Path]]:
    """Yield the shared clips; in a clone that stands alone, one made on the spot."""
    if SHARED.is_dir():
        yield sorted(SHARED.glob("*.mp4"))
        return
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "test-picture.mp4"
        source = ["-f", "lavfi", "-i", "testsrc2=size=854x480:rate=24:duration=30"]
        subprocess.run(["ffmpeg", "-v", "error", *source, str(clip)], check=True)
        yield [clip]


if __name__ == "__main__":
    for row in rows():
        print(f"{row['what']}: {row['ours']} against {row['peer']}, {row['ratio']:.1f} x")
