"""Making a master: K variants of a film, marked apart, of which every copy is spliced.

    survey → cut → mark and encode segment by segment → write → check

Everything is a function of the request, so a maker that was killed goes on where it was. It runs
FFmpeg on whatever it is given, so it belongs in a process of its own, which
`countermark.work.masters` starts.
"""

import hashlib
import shutil
from collections.abc import Callable
from contextlib import closing
from io import FileIO
from pathlib import Path

import cv2
import msgspec
import numpy as np

from countermark.autograph import fingerprint
from countermark.autograph.code import Code
from countermark.autograph.index import FRAMES_SIDECAR, SIDECAR, SpliceIndex, encode
from countermark.autograph.marking import Strength
from countermark.autograph.pattern import Pattern
from countermark.errors import MediaSettingsError
from countermark.media.encoding_settings import VideoSettings
from countermark.media.memory import keep_freed_memory
from countermark.media.pictures import Pictures
from countermark.media.probe import open_nameless
from countermark.media.segment_encoder import EncoderSettings
from countermark.media.survey import Survey, survey
from countermark.work.master_check import check_master, check_samples
from countermark.work.master_file import Layout, Seal, Timeline, timeline_of, write_master
from countermark.work.master_request import Master, MasterOptions, MasterRequest
from countermark.work.master_segments import SegmentFolder, SegmentMaker, cut

Report = Callable[[float], None]

_ENCODED, _WRITTEN = 0.92, 0.95
# As of one pixel in fifty that changes by a luma step: what a subtitle covers, or a codec's error.
_LEAST_ENERGY = 1 / 50
# A change here orphans the segments of masters in the making.
_MAKER = b"8"


def make_master(request: MasterRequest, report: Report) -> Master:
    """Make a master.

    Args:
        request: what to make.
        report: told the part that is done, 0 to 1.

    Returns:
        The master; its files lie in the request's folder.

    Raises:
        PublicError: why there can be none.
    """
    cv2.setNumThreads(1)  # segments fill the cores
    keep_freed_memory()
    _check(request.options.video)
    source = survey(Path(request.source), pictures=True, sound=False)
    folder = _prepared(request)
    with open_nameless(Path(request.source)) as file:
        with closing(_pictures(file, source, request.options)) as pictures:
            _make_segments(request, pictures, folder, report)
        timeline = timeline_of(folder, pictures.time_base)
        layout, seals = _written(request, source, pictures.encoder, timeline, folder)
    report(_WRITTEN)
    check_samples(layout, seals)
    check_master(layout, timeline.times[:-1])
    master = _described(request, pictures, timeline, layout)
    folder.clear()
    return master


def _pictures(file: FileIO, source: Survey, options: MasterOptions) -> Pictures:
    return Pictures(file, source, options.video, options.segment_seconds)


def _check(settings: VideoSettings) -> None:
    unfit = {
        "codec": settings.codec not in {None, "h264"},
        "profile": settings.profile is not None,
        "bitrate": settings.bitrate is not None,
        "passes": settings.passes == 2,  # noqa: PLR2004 - the number of passes, as it is set
        "bit_depth": settings.bit_depth not in {None, 8},
        "hdr": settings.hdr == "keep",
    }
    for name, is_unfit in unfit.items():
        if is_unfit:
            raise MediaSettingsError(
                f"video.{name}: an AutoGraph master is H.264 of constant quality and 8 bits"
            )


def _prepared(request: MasterRequest) -> SegmentFolder:
    """Open the folder of segments, emptied if they are another request's."""
    stat = Path(request.source).stat()
    what = msgspec.msgpack.encode((_MAKER, request, stat.st_size, stat.st_mtime_ns))
    mine = hashlib.sha256(what).hexdigest()
    path = Path(request.folder) / "segments"
    note = path / "request"
    if not note.exists() or note.read_text() != mine:
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        note.write_text(mine)
    return SegmentFolder(path)


def _make_segments(
    request: MasterRequest, pictures: Pictures, folder: SegmentFolder, report: Report
) -> None:
    options, encoder = request.options, pictures.encoder
    pattern = Pattern(request.key, request.master, options.variants, encoder.width, encoder.height)
    maker = SegmentMaker(folder, pattern, Strength(options.strength), encoder)
    for shown_at in maker.make(cut(pictures, pictures.time_base, options.segment_seconds)):
        if pictures.seconds:
            done = float(shown_at * pictures.time_base) / pictures.seconds
            report(_ENCODED * min(1.0, done))
    report(_ENCODED)


def _written(
    request: MasterRequest,
    source: Survey,
    encoder: EncoderSettings,
    timeline: Timeline,
    folder: SegmentFolder,
) -> tuple[Layout, list[Seal]]:
    blob = Path(request.folder) / "master"
    variants = request.options.variants
    with open_nameless(Path(request.source)) as file:
        return write_master(blob, file, source.origin, encoder, timeline, folder, variants)


def _described(
    request: MasterRequest, pictures: Pictures, timeline: Timeline, layout: Layout
) -> Master:
    folder = Path(request.folder)
    index = _index(request, timeline, layout)
    (folder / SIDECAR).write_bytes(encode(index))
    seconds = np.array(timeline.times[:-1], np.float64) * float(timeline.time_base)
    cells = np.concatenate(timeline.thumbnails)
    shaped = cells.reshape(-1, fingerprint.ROWS, fingerprint.COLUMNS)
    (folder / FRAMES_SIDECAR).write_bytes(fingerprint.pack(seconds, shaped))
    damaged = pictures.damaged
    return Master(
        blob=str(layout.blob),
        size=layout.size,
        index=str(folder / SIDECAR),
        fingerprint=str(folder / FRAMES_SIDECAR),
        segments=len(layout.starts),
        carrying=sum(1 for carried in index.carries if carried),
        padding=timeline.filler // layout.variants,
        warnings=(f"{damaged} damaged pictures were left out.",) if damaged else (),
    )


def _index(request: MasterRequest, timeline: Timeline, layout: Layout) -> SpliceIndex:
    code = Code(request.key, request.master, layout.variants)
    return SpliceIndex(
        master=request.master,
        key_id=request.key_id,
        variants=layout.variants,
        size=layout.size,
        strength=request.options.strength,
        starts=layout.starts,
        biases=code.biases(np.arange(len(layout.starts))).tobytes(),
        first_frames=timeline.firsts,
        time_base=timeline.time_base.as_integer_ratio(),
        times=[timeline.times[first] for first in timeline.firsts],
        carries=bytes(_carries(energy) for energy in timeline.energies),
    )


def _carries(energy: float) -> int:
    """The index's estimate of a segment's energy, in 1/255 of a squared luma step, or 0."""
    return min(255, round(energy * 255)) if energy >= _LEAST_ENERGY else 0
