"""Every built-in preset on real clips and on oddities, checked by a decoder that isn't ours.

An output must decode without an error, have as many seconds as its input, be upright and of the
size that its preset says, and its pictures must look like the input's: structural similarity of
the luma, each picture beside the input's of the same time, the mean over all.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.probe import SHARED
from bench.results import Row
from bench.run import Run, temporary_folder
from countermark.errors import MissingTrackError
from countermark.media.builtin_presets import PRESETS, BuiltinPreset
from countermark.media.child_process import run_in_child
from countermark.media.child_protocol import ChildLimits
from countermark.media.transcoding import TRANSCODE, Transcoded, TranscodeRequest

LEAST_SSIM = 0.9
_SSIM = re.compile(r"All:([\d.]+)")
_PICTURE = "-f lavfi -i testsrc2=size=640x360:rate=30:duration=2"
_TONE = "-f lavfi -i sine=frequency=440:duration=2"
_X264 = "-c:v libx264 -preset veryfast"
_PQ = (
    "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:max-cll=1000,400:"
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
)
# The arguments of ffmpeg that make them.
_ODDITIES = {
    "vfr.mkv": f"{_PICTURE} -vf select=not(mod(n\\,3))+gt(n\\,40) -vsync vfr {_X264}",
    "surround.mkv": f"{_PICTURE} {_TONE} -af pan=5.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0 {_X264}"
    " -c:a ac3",
    "ten-bit.mkv": f"{_PICTURE} -pix_fmt yuv420p10le {_X264}",
    "odd.mkv": f"{_PICTURE} -vf crop=639:359:0:0 -pix_fmt yuv444p {_X264}",
    "no-sound.mp4": f"{_PICTURE} {_X264}",
    "only-sound.mp3": f"{_TONE} -c:a libmp3lame",
    "interlaced.mpg": f"-f lavfi -i testsrc2=size=720x576:rate=50:duration=2 {_TONE}"
    " -vf interlace,setsar=64/45 -c:v mpeg2video -flags +ilme+ildct -b:v 8M",
    "full-range.mkv": f"{_PICTURE} -pix_fmt yuvj420p {_X264}",
    "hdr.mkv": f"{_PICTURE} -pix_fmt yuv420p10le -c:v libx265 -x265-params {_PQ}",
}
# What tone mapping or the weaving of fields changes on purpose isn't compared.
_CHANGED = frozenset({"hdr.mkv", "interlaced.mpg"})


def rows(run: Run) -> Iterator[Row]:
    """One row for each preset."""
    if shutil.which("ffmpeg") is None:
        raise RuntimeError("ffmpeg is not installed")
    with temporary_folder() as folder:
        sources = [*_oddities(folder), *_clips()]
        for preset in PRESETS:
            yield _row(preset, sources, folder, 2000 if run.quick else None)


def _row(preset: BuiltinPreset, sources: list[Path], folder: Path, duration: int | None) -> Row:
    faults, similarities = [], []
    for source in sources:
        output = folder / f"made.{preset.extension}"
        request = TranscodeRequest(str(source), str(output), preset.settings, duration=duration)
        try:
            made = run_in_child(TRANSCODE, request, Transcoded, ChildLimits())
            similarity = _check(source, output, made, preset)
        except MissingTrackError:
            if preset.settings.video is None and _has(source, "audio"):
                faults.append(f"{source.name}: no sound found")
            continue
        except Exception as error:  # noqa: BLE001 - the others are to be looked at all the same
            faults.append(f"{source.name}: {error}")
            continue
        if similarity is not None:
            similarities.append(similarity)
    least = min(similarities, default=1.0)
    good = not faults and least >= LEAST_SSIM
    compared = f", SSIM {least:.3f} to {max(similarities):.3f}" if similarities else ""
    return Row(
        f"preset {preset.key} on {len(sources)} inputs",
        f"{len(sources) - len(faults)} good{compared}",
        "decoded by ffmpeg",
        None,
        f"all, SSIM ≥ {LEAST_SSIM}",
        good,
        "; ".join(faults),
    )


def _check(source: Path, output: Path, made: Transcoded, preset: BuiltinPreset) -> float | None:
    """Decode an output whole and compare it; the similarity, if there is one to tell."""
    shown = _probe(output)
    assert abs(float(shown["format"]["duration"]) - made.seconds) < 0.2, "another duration"
    _run(["ffmpeg", "-v", "error", "-xerror", "-i", str(output), "-f", "null", "-"])
    video = next((s for s in shown["streams"] if s["codec_type"] == "video"), None)
    assert (video is not None) == (preset.settings.video is not None and _has(source, "video"))
    keeps_hdr = preset.settings.video is not None and preset.settings.video.hdr == "keep"
    if video is None or (source.name in _CHANGED and not (keeps_hdr and "hdr" in source.name)):
        return None
    size = f"{video['width']}:{video['height']}"
    graph = (
        f"[0:v]scale={size}:flags=bicubic,format=gray[a];"
        f"[1:v]scale={size}:flags=bicubic,format=gray[b];[a][b]ssim=shortest=1"
    )
    command = ["ffmpeg", "-i", str(output), "-i", str(source), "-lavfi", graph, "-f", "null", "-"]
    found = _SSIM.findall(_run(command))
    return float(found[-1])


def _probe(path: Path) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(path)]
    done = subprocess.run(command, check=True, capture_output=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _has(path: Path, kind: str) -> bool:
    return any(stream["codec_type"] == kind for stream in _probe(path)["streams"])


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip().splitlines()[-1][:200])
    return done.stderr


def _oddities(folder: Path) -> Iterator[Path]:
    for name, arguments in _ODDITIES.items():
        path = folder / name
        _run(["ffmpeg", "-v", "error", *arguments.split(), str(path)])
        yield path
    upright = folder / "upright.mp4"
    arguments = f"{_PICTURE} {_TONE} {_X264} -c:a aac".split()
    _run(["ffmpeg", "-v", "error", *arguments, str(upright)])
    turned = folder / "turned.mp4"
    command = ["ffmpeg", "-v", "error", "-i", str(upright), "-c", "copy"]
    _run([*command, "-metadata:s:v", "rotate=90", str(turned)])
    yield turned


def _clips() -> list[Path]:
    return sorted(SHARED.glob("*.mp4")) if SHARED.is_dir() else []
