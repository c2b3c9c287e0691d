"""What a master costs: to the picture, to its size, and to the machine.

A copy spliced at random and an unmarked encode of the same settings (x264 at the same quality and
preset, keyframes at the same places, the same sound) are both compared with the source.
"""

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.filter import Graph

from bench.autograph_clips import Clip
from bench.results import Row
from countermark.autograph.index import SpliceIndex, decode
from countermark.autograph.marking import SegmentMark, Strength
from countermark.autograph.pattern import Pattern
from countermark.media.avc import sample_of
from countermark.media.encoding_settings import VideoSettings
from countermark.media.picture import Picture
from countermark.media.pictures import Pictures
from countermark.media.probe import open_nameless
from countermark.media.segment_encoder import open_encoder
from countermark.media.survey import survey
from countermark.media.variant_file import Sample, write_variant
from countermark.work.master_check import Splice
from countermark.work.master_request import MasterOptions, MasterRequest
from countermark.work.master_segments import cut
from countermark.work.mastering import make_master

KEY, MASTER = bytes(range(32)), "65f0c0ffee0123456789abcd"
_SETTINGS = VideoSettings()
_SECONDS = MasterOptions().segment_seconds
# Whatever else a machine does adds to processor time, so the least of some turns is nearest to it.
_TURNS = 5


@dataclass(frozen=True)
class Made:
    """A master of a clip, and the unmarked encode beside it.

    Attributes:
        clip: of which.
        blob: the master's file.
        index: its index.
        plain: the unmarked encode.
        padding: part of a variant that is filler.
        cpu: processor time of the master, in that of the unmarked encode; the least of each.
    """

    clip: Clip
    blob: Path
    index: SpliceIndex
    plain: Path
    padding: float
    cpu: float


def make(clip: Clip, folder: Path) -> Made:
    """Make both."""
    folder = folder / clip.path.stem
    folder.mkdir()
    request = MasterRequest(
        source=str(clip.path),
        folder=str(folder / "master"),
        master=MASTER,
        key_id=1,
        key=KEY,
        options=MasterOptions(video=_SETTINGS),
    )
    plains, masters = [], []
    for _ in range(_TURNS):
        began = time.process_time()
        plain = _plain(clip, folder / "plain.mp4")
        half = time.process_time()
        made = make_master(request, lambda _: None)
        plains.append(half - began)
        masters.append(time.process_time() - half)
    index = decode(Path(made.index).read_bytes())
    cpu = min(masters) / min(plains)
    return Made(clip, Path(made.blob), index, plain, made.padding / made.size, cpu)


def rows(made: Sequence[Made]) -> Iterator[Row]:
    """Measure."""
    found = [_measured(one) for one in made]
    names = [one.clip.name for one in made]

    def row(
        what: str,
        key: str,
        unit: str,
        reach: str,
        judge: Callable[[float], bool],
        more: Callable[[dict[str, float]], str] = lambda _: "",
    ) -> Row:
        values = [one[key] for one in found]
        shown = min(values) if key == "psnr" else max(values)
        notes = [f"{v:.4g}{unit}{more(one)}" for v, one in zip(values, found, strict=True)]
        note = ", ".join(f"{n} {v}" for n, v in zip(names, notes, strict=True))
        return Row(what, f"{shown:.4g}{unit}", "", None, reach, all(map(judge, values)), note)

    yield row("luma PSNR before encoding, worst frame", "psnr", " dB", "≥ 50 dB", lambda v: v >= 50)
    yield row("XPSNR lost to the mark", "xpsnr", " dB", "≤ 0.3 dB", lambda v: v <= 0.3)
    yield row(
        "XPSNR of the worst plane lost to the mark",
        "worst",
        " dB",
        "≤ 0.3 dB",
        lambda v: v <= 0.3,
        _chroma,
    )
    yield row(
        "SSIM lost to the mark",
        "ssim",
        "",
        "≤ 0.001",
        lambda v: v <= 0.001,
        lambda one: f" (all planes {one['all']:.4g})",
    )
    yield row("size of a copy above the unmarked", "growth", " %", "≤ 2 %", lambda v: v <= 2)
    yield row("padding", "padding", " %", "≤ 1.5 %", lambda v: v <= 1.5)
    yield row(
        "luma change at seams above the unmarked encode's, in its standard deviations",
        "seams",
        "",
        "≤ 1",
        lambda v: v <= 1,
    )
    yield row(
        "processor time, K = 2, in unmarked encodes", "cpu", " x", "≤ 2.2 x", lambda v: v <= 2.2
    )


def _chroma(one: dict[str, float]) -> str:
    """How well both chroma planes are shown; those without any error are not named."""
    planes = [
        f"{plane} {one[f'{plane} level']:.4g} dB, {one[plane]:.4g} lost"
        for plane in "uv"
        if not math.isnan(one[plane])
    ]
    return f" ({'; '.join(planes)})" if planes else ""


def _measured(made: Made) -> dict[str, float]:
    chance = random.Random(1)  # noqa: S311 - the bench repeats
    choice = chance.choices(range(made.index.variants), k=len(made.index))
    copied = Splice(made.blob, made.index.size, made.index.starts, choice)
    starts = set(made.index.first_frames[1:-1])
    with copied, made.plain.open("rb") as plain, open_nameless(made.clip.path) as source:
        copy_quality, copy_changes = _quality(source, copied)
        plain_quality, plain_changes = _quality(source, plain)
    excess = (copy_changes - plain_changes)[[frame - 1 for frame in sorted(starts)]]
    growth = made.index.size / made.plain.stat().st_size - 1
    return {
        "psnr": _worst_psnr(made),
        **_lost(plain_quality, copy_quality),
        "growth": 100 * growth,
        "padding": 100 * made.padding,
        "seams": float(excess.max() / plain_changes.std()) if len(excess) else 0.0,
        "cpu": made.cpu,
    }


def _plain(clip: Clip, target: Path) -> Path:
    source = survey(clip.path, pictures=True, sound=False)
    with (
        open_nameless(clip.path) as file,
        closing(Pictures(file, source, _SETTINGS, _SECONDS)) as pictures,
    ):
        most = math.ceil(_SECONDS * pictures.encoder.rate[0] / pictures.encoder.rate[1])
        encoder = open_encoder(pictures.encoder, most)
        times: list[int] = []
        packets: list[av.Packet] = []
        for segment in cut(pictures, pictures.time_base, _SECONDS):
            for number, picture in enumerate(segment):
                frame = picture.frame
                frame.pict_type = 1 if number == 0 else 0
                frame.pts, frame.time_base = len(times), encoder.time_base
                times.append(picture.shown_at)
                packets += encoder.encode(frame)
        packets += encoder.encode(None)
        samples = [
            Sample(times[packet.pts or 0], sample_of(bytes(packet)), packet.is_keyframe)
            for packet in packets
        ]
        end = 2 * times[-1] - times[-2]
        with open_nameless(clip.path) as sound:
            write_variant(
                target,
                sound,
                source.origin,
                pictures.encoder,
                pictures.time_base,
                [*times, end],
                samples,
            )
    return target


def _worst_psnr(made: Made) -> float:
    source = survey(made.clip.path, pictures=True, sound=False)
    worst = 0.0
    with (
        open_nameless(made.clip.path) as file,
        closing(Pictures(file, source, _SETTINGS, _SECONDS)) as pictures,
    ):
        size = pictures.encoder.width, pictures.encoder.height
        pattern = Pattern(KEY, MASTER, made.index.variants, *size)
        segments = cut(pictures, pictures.time_base, _SECONDS)
        for number, segment in enumerate(segments):
            lumas = [picture.luma for picture in segment]
            mark = SegmentMark(pattern, number, lumas, Strength.LIGHT)
            for frame, luma in enumerate(lumas):
                marked = np.empty_like(luma)
                mark.lay(0, frame, marked)
                error = np.square(marked.astype(np.int16) - luma).mean()
                worst = max(worst, float(error))
    return 10 * np.log10(255**2 / max(worst, 1e-9))


def _quality(source, other) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[no-untyped-def] # noqa: ANN001
    """What `_KEYS` names of each picture, and by how much its mean luma differs from the last's."""
    found, means = [], []
    looked = survey(Path(f"/proc/self/fd/{source.fileno()}"), pictures=True, sound=False)
    with (
        closing(Pictures(source, looked, _SETTINGS, _SECONDS)) as pictures,
        av.open(other) as container,
    ):
        graphs: dict[str, Graph] = {}
        pairs = zip(pictures, container.decode(video=0), strict=True)
        for number, (reference, frame) in enumerate(pairs):
            means.append(float(Picture(frame, 0).luma.mean()))
            if not graphs:
                graphs = {name: _compare(name, frame) for name in _KEYS}
            compared = (
                _values(graphs[name], keys, reference.frame, frame, number)
                for name, keys in _KEYS.items()
            )
            found.append([value for values in compared for value in values])
    return np.array(found), np.abs(np.diff(means))


_UNSAID = 2  # ITU-T H.273; the numbers are compared as they are
_KEYS = {
    "xpsnr": [f"lavfi.xpsnr.xpsnr.{plane}" for plane in "yuv"],
    "ssim": ["lavfi.ssim.Y", "lavfi.ssim.All"],
}


def _compare(name: str, frame: av.VideoFrame) -> Graph:
    graph = Graph()
    inputs = [
        graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=frame.format,
            time_base=frame.time_base,
        )
        for _ in range(2)
    ]
    compared, sink = graph.add(name), graph.add("buffersink")
    for number, one in enumerate(inputs):
        one.link_to(compared, 0, number)
    compared.link_to(sink)
    graph.configure()
    return graph


def _values(
    graph: Graph, keys: Sequence[str], reference: av.VideoFrame, frame: av.VideoFrame, number: int
) -> list[float]:
    for place, one in enumerate((frame, reference)):
        one.pts, one.time_base = number, frame.time_base
        one.colorspace, one.color_range = _UNSAID, 0
        graph.vpush(one, at=place)
    found = graph.vpull().metadata
    return [float(found[key]) for key in keys]


def _lost(plain: np.ndarray, copy: np.ndarray) -> dict[str, float]:
    """What `_NAMES` says: mean losses, and the copy's mean levels.

    Pictures that one of them shows without any error have no XPSNR to lose; NaN if all are so.
    """
    lost = {}
    for name, before, after in zip(_NAMES, _and_worst(plain).T, _and_worst(copy).T, strict=True):
        finite = np.isfinite(before) & np.isfinite(after)
        some = bool(finite.any())
        lost[name] = float((before[finite] - after[finite]).mean()) if some else math.nan
        lost[f"{name} level"] = float(after[finite].mean()) if some else math.nan
    return lost


_NAMES = ("xpsnr", "u", "v", "ssim", "all", "worst")


def _and_worst(quality: np.ndarray) -> np.ndarray:
    """Each picture's values with the XPSNR of its worst plane beside them."""
    return np.column_stack([quality, quality[:, :3].min(axis=1)])
