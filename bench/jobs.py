"""What the queue of jobs costs: many tiny conversions, beside the conversions themselves.

The queue is all that a worker's own process does for a job: take it, keep its checkpoints, store
and register what was made. The work is what its child processes do. The peer is the same
conversions without any queue, as many at a time.
"""

import time
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.results import Row
from bench.run import Run, temporary_folder
from bench.service import Countermark, countermark
from countermark.media.builtin_presets import PRESETS
from countermark.media.child_process import run_in_child
from countermark.media.child_protocol import ChildLimits
from countermark.media.transcoding import TRANSCODE, Transcoded, TranscodeRequest
from countermark.work.system_presets import system_preset_id

JOBS = 1000
QUICK_JOBS = 20
DIRECT = 100
SLOTS = 2
SECONDS = 3600
_PRESET = next(preset for preset in PRESETS if preset.key == "audio-flac")


def rows(run: Run) -> Iterator[Row]:
    """Processor time and wall time for each of many tiny jobs."""
    jobs = QUICK_JOBS if run.quick else JOBS
    with temporary_folder() as folder:
        sound = _sound(folder / "sound.wav")
        direct = _direct(sound, folder, QUICK_JOBS if run.quick else DIRECT)
        with countermark(folder / "service") as service:
            service.put_in(sound)
            own, work, wall = _worked_off(service, jobs)
    yield Row(
        f"queue of {jobs:,} tiny jobs, for each: the worker's own processor time",
        f"{own / jobs * 1000:.0f} ms",
        f"{work / jobs * 1000:.0f} ms (its encoders)",
        own / work,
        "",
        None,
        f"{jobs / wall:.1f} jobs a second with their records, files and checkpoints, beside "
        f"{1 / direct:.1f} bare conversions; {SLOTS} at a time.",
    )


def _sound(path: Path) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(8000))
    return path


def _direct(sound: Path, folder: Path, count: int) -> float:
    """Seconds for each conversion without a queue."""

    def convert(number: int) -> None:
        target = folder / f"direct-{number}.flac"
        request = TranscodeRequest(str(sound), str(target), _PRESET.settings)
        run_in_child(TRANSCODE, request, Transcoded, ChildLimits())

    begun = time.monotonic()
    with ThreadPoolExecutor(SLOTS) as threads:
        list(threads.map(convert, range(count)))
    return (time.monotonic() - begun) / count


def _worked_off(service: Countermark, count: int) -> tuple[float, float, float]:
    """Have so many jobs done.

    Returns:
        Seconds of processor time of the worker and of its encoders, and of wall time.
    """
    body = {
        "job": {
            "pipeline": {"id": service.pipeline_id},
            "input": {"input_name": "sound.wav"},
            "outputs": [{"preset": {"id": system_preset_id(_PRESET.key)}}],
        }
    }
    before, begun = service.worker_times(), time.monotonic()
    for _ in range(count):
        service.call("POST", "/v1/jobs/", body)
    _wait(service, count)
    after = service.worker_times()
    return after[0] - before[0], after[1] - before[1], time.monotonic() - begun


def _wait(service: Countermark, count: int) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        ended = service.call("GET", "/v1/jobs/?status=SUCCESS,FAILURE&limit=1")["total"]
        if ended == count:
            break
        time.sleep(0.5)
    failed = service.call("GET", "/v1/jobs/?status=FAILURE&limit=1")
    if failed["total"] or ended != count:
        raise RuntimeError(f"{ended} of {count} jobs ended, {failed['total']} badly")
