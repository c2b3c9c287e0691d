"""A conversion to 720p, beside the ffmpeg program with the same settings.

Ours is what a worker does: a process of its own, with limits and progress. The peer runs as
nicely as ours does. Both encode with x264 and with FFmpeg's AAC, the program with those of its
distribution, ours with those of PyAV's wheel; both use all cores.
"""

import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from bench.probe import SHARED
from bench.results import Row, alternate
from bench.run import Run, temporary_folder
from countermark.media.builtin_presets import PRESETS
from countermark.media.child import NICENESS
from countermark.media.child_process import run_in_child
from countermark.media.child_protocol import ChildLimits
from countermark.media.encoders import DEFAULT_KEYFRAME_MS
from countermark.media.transcoding import TRANSCODE, Transcoded, TranscodeRequest

ROUNDS = 3
SECONDS = 12
RATE = 24
REACH = 1.1
_PRESET = next(preset for preset in PRESETS if preset.key == "h264-720p")


def rows(run: Run) -> Iterator[Row]:
    """Seconds to convert a clip of 1080p; nothing without the program to compare with."""
    if shutil.which("ffmpeg") is None:
        raise RuntimeError("ffmpeg is not installed")
    with temporary_folder() as folder:
        clip = _clip(folder, 2 if run.quick else SECONDS)
        spent: dict[str, list[float]] = {"ours": [], "peer": []}
        ours, peer = alternate(
            _timed(lambda: _ours(clip, folder / "ours.mp4"), spent["ours"]),
            _timed(lambda: _program(clip, folder / "program.mp4"), spent["peer"]),
            1 if run.quick else ROUNDS,
        )
        sizes = [(folder / name).stat().st_size / 1024 for name in ("ours.mp4", "program.mp4")]
    ratio = ours / peer
    yield Row(
        "conversion of 1080p to 720p, wall time",
        f"{ours:.1f} s",
        f"{peer:.1f} s (ffmpeg)",
        ratio,
        f"≤ {REACH} x",
        ratio <= REACH,
        f"Processor time {median(spent['ours']):.1f} s beside {median(spent['peer']):.1f} s;"
        f" {sizes[0]:,.0f} kB beside {sizes[1]:,.0f} kB.",
    )


def _ours(clip: Path, path: Path) -> None:
    request = TranscodeRequest(str(clip), str(path), _PRESET.settings)
    run_in_child(TRANSCODE, request, Transcoded, ChildLimits())


def _program(clip: Path, path: Path) -> None:
    video, audio = _PRESET.settings.video, _PRESET.settings.audio
    assert video is not None
    assert audio is not None
    assert isinstance(video.bitrate, int)
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(clip)]
    command += ["-vf", f"scale={video.width}:{video.height}", "-pix_fmt", "yuv420p"]
    command += ["-c:v", "libx264", "-preset", "medium", "-crf", str(video.quality)]
    command += ["-maxrate", f"{video.bitrate}k", "-bufsize", f"{2 * video.bitrate}k"]
    command += ["-g", str(RATE * DEFAULT_KEYFRAME_MS // 1000)]
    command += ["-c:a", "aac", "-b:a", f"{audio.bitrate}k", "-ac", "2"]
    command += ["-movflags", "+faststart", str(path)]
    subprocess.run(command, check=True, preexec_fn=lambda: os.nice(NICENESS))


def _clip(folder: Path, seconds: int) -> Path:
    """The animation in 1080p; in a clone that stands alone, FFmpeg's moving test picture."""
    film = SHARED / "big-buck-bunny-480p-30s.mp4"
    source = ["-i", str(film), "-vf", f"scale=1920:1080,fps={RATE}"]
    if not film.exists():
        picture = f"testsrc2=size=1920x1080:rate={RATE}"
        source = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine"]
    path = folder / "clip.mp4"
    command = ["ffmpeg", "-v", "error", *source, "-t", str(seconds), "-c:v", "libx264"]
    command += ["-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p", str(path)]
    subprocess.run(command, check=True)
    return path


def _timed(action: Callable[[], None], spent: list[float]) -> Callable[[], float]:
    def seconds() -> float:
        start, before = time.perf_counter(), _processor_time()
        action()
        spent.append(_processor_time() - before)
        return time.perf_counter() - start

    return seconds


def _processor_time() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
