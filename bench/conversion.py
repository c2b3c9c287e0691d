"""A conversion to 720p, beside the ffmpeg program with the same settings.

Ours is a whole job of a running service, from the call that creates it until it is a success: taken
from the queue, the input looked at, encoded in a process of its own with limits and progress, the
output described, its sum taken, stored and in the catalog. The peer encodes, and that is all. It
runs as nicely as ours does. Both encode with x264 and with FFmpeg's AAC, the program with those of
its distribution, ours with those of PyAV's wheel; both use all cores.
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
from bench.service import Countermark, countermark
from countermark.media.builtin_presets import PRESETS
from countermark.media.child import NICENESS
from countermark.media.encoders import DEFAULT_KEYFRAME_MS
from countermark.work.system_presets import system_preset_id

ROUNDS = 3
SECONDS = 30
RATE = 24
REACH = 1.1
_LOOK_SECONDS = 0.1  # more often, and asking would take time from the encoder
_PRESET = next(preset for preset in PRESETS if preset.key == "h264-720p")


def rows(run: Run) -> Iterator[Row]:
    """Seconds to convert a clip of 1080p; nothing without the program to compare with."""
    if shutil.which("ffmpeg") is None:
        raise RuntimeError("ffmpeg is not installed")
    seconds = 4 if run.quick else SECONDS
    with temporary_folder() as folder:
        clip, made = _clip(folder, seconds), folder / "program.mp4"
        with countermark(folder / "service") as service:
            service.put_in(clip)
            spent: dict[str, list[float]] = {"ours": [], "peer": []}
            sizes: list[int] = []
            ours, peer = alternate(
                _timed(lambda: sizes.append(_job(service, clip)), service.spent, spent["ours"]),
                _timed(lambda: _program(clip, made), _processor_time, spent["peer"]),
                1 if run.quick else ROUNDS,
            )
        kilobytes = sizes[-1] / 1024, made.stat().st_size / 1024
    ratio = ours / peer
    yield Row(
        f"a job: {seconds} s of 1080p to 720p, wall time",
        f"{ours:.1f} s",
        f"{peer:.1f} s (ffmpeg)",
        ratio,
        f"≤ {REACH} x",
        ratio <= REACH,
        f"Processor time {median(spent['ours']):.1f} s beside {median(spent['peer']):.1f} s;"
        f" {kilobytes[0]:,.0f} kB beside {kilobytes[1]:,.0f} kB.",
    )


def _job(service: Countermark, clip: Path) -> int:
    """Have the clip converted by a job; the output's size."""
    body = {
        "job": {
            "pipeline": {"id": service.pipeline_id},
            "input": {"input_name": clip.name},
            "outputs": [{"preset": {"id": system_preset_id(_PRESET.key)}}],
        }
    }
    path = f"/v1/jobs/{service.call('POST', '/v1/jobs/', body)['job']['id']}?expand=file"
    while (job := service.call("GET", path)["job"])["status"] != "SUCCESS":
        if job["status"] == "FAILURE":
            raise RuntimeError(f"the job failed: {job['error_msg']}")
        time.sleep(_LOOK_SECONDS)
    return int(job["outputs"][0]["file"]["size"])


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
    # In a session of its own, as ours: Linux shares the cores out among sessions first.
    subprocess.run(
        command, check=True, preexec_fn=lambda: os.nice(NICENESS), start_new_session=True
    )


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


def _timed(
    action: Callable[[], None], clock: Callable[[], float], spent: list[float]
) -> Callable[[], float]:
    def seconds() -> float:
        start, before = time.perf_counter(), clock()
        action()
        spent.append(clock() - before)
        return time.perf_counter() - start

    return seconds


def _processor_time() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
