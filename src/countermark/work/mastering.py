"""Making a master: K variants of a film, marked apart, of which every copy is spliced.

    cut → mark and encode segment by segment → write → check

Everything is a function of the request, so a maker that was killed goes on where it was, and one
that runs twice makes the same.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from fractions import Fraction
from io import FileIO
from pathlib import Path

import msgspec
import numpy as np

from countermark.autograph import fingerprint
from countermark.autograph.code import Code
from countermark.autograph.index import SpliceIndex, encode
from countermark.autograph.marking import Strength
from countermark.autograph.pattern import Pattern
from countermark.media.pictures import Pictures
from countermark.media.segment_encoder import EncoderSettings
from countermark.media.variant_file import Sample, sample_places, write_variant
from countermark.work.master_check import check_master
from countermark.work.master_request import Master, MasterRequest
from countermark.work.master_segments import Segment, SegmentFolder, SegmentMaker, cut

Progress = Callable[[float], None]

_ENCODED, _WRITTEN = 0.9, 0.95


class Timeline(msgspec.Struct, frozen=True):
    """When everything is shown.

    Attributes:
        time_base: seconds of a tick.
        times: of every picture in the order of display, ticks, and one more for the end.
        firsts: number of each segment's first picture, and one more for the end.
    """

    time_base: Fraction
    times: list[int]
    firsts: list[int]


def make_master(request: MasterRequest, progress: Progress = lambda _: None) -> Master:
    """Make a master.

    Args:
        request: what to make.
        progress: told the part that is done, 0 to 1, from time to time.

    Returns:
        The master; its blob lies in the request's folder.
    """
    folder = _prepared(request)
    with FileIO(request.source, "r") as file, closing(Pictures(file)) as pictures:
        settings = _settings(request, pictures)
        _make_segments(request, pictures, settings, folder, progress)
        time_base = pictures.time_base
    timeline = _timeline(folder, time_base)
    blob = request.folder / "master"
    with FileIO(request.source, "r") as file:
        starts, size = _write(request, file, settings, timeline, folder, blob)
    progress(_WRITTEN)
    check_master(blob, size, request.options.variants, starts, timeline.times[:-1])
    return _described(request, folder, timeline, starts, size, blob)


def _prepared(request: MasterRequest) -> SegmentFolder:
    """Open the work folder, emptied if it is another request's."""
    stat = request.source.stat()
    what = msgspec.json.encode((repr(request), stat.st_size, stat.st_mtime_ns))
    mine = hashlib.sha256(what).hexdigest()
    note = request.folder / "request"
    if not note.exists() or note.read_text() != mine:
        shutil.rmtree(request.folder, ignore_errors=True)
        request.folder.mkdir(parents=True)
        note.write_text(mine)
    return SegmentFolder(request.folder / "segments")


def _settings(request: MasterRequest, pictures: Pictures) -> EncoderSettings:
    return EncoderSettings(
        width=pictures.width,
        height=pictures.height,
        rate=pictures.rate.as_integer_ratio(),
        pixel_aspect=pictures.pixel_aspect.as_integer_ratio(),
        crf=request.options.crf,
        preset=request.options.preset,
    )


def _make_segments(
    request: MasterRequest,
    pictures: Pictures,
    settings: EncoderSettings,
    folder: SegmentFolder,
    progress: Progress,
) -> None:
    options = request.options
    pattern = Pattern(
        request.key, request.master, options.variants, pictures.width, pictures.height
    )
    maker = SegmentMaker(folder, pattern, Strength(options.strength), settings)
    segments = cut(pictures, pictures.time_base, options.segment_seconds)
    for shown_at in maker.make(segments):
        if pictures.seconds:
            done = float((shown_at - pictures.start) * pictures.time_base) / pictures.seconds
            progress(_ENCODED * min(1.0, done))
    progress(_ENCODED)


def _timeline(folder: SegmentFolder, time_base: Fraction) -> Timeline:
    times: list[int] = []
    firsts = []
    for segment in folder.segments():
        firsts.append(len(times))
        times += segment.times
    steps = np.diff(times[-250:]) if len(times) > 1 else np.array([1 / (25 * time_base)])
    end = times[-1] + max(1, round(float(np.median(steps))))
    return Timeline(time_base, [*times, end], [*firsts, len(times)])


def _write(
    request: MasterRequest,
    file: FileIO,
    settings: EncoderSettings,
    timeline: Timeline,
    folder: SegmentFolder,
    blob: Path,
) -> tuple[list[int], int]:
    """Write the blob; returns where segments start in a variant, and a variant's size."""
    write_variant(
        blob, file, settings, timeline.time_base, timeline.times, _samples(folder, timeline)
    )
    size = blob.stat().st_size
    places = list(sample_places(blob))
    _repeat(blob, size, request.options.variants)
    starts, at = [], 0
    with FileIO(blob, "r+") as target:
        for segment in folder.segments():
            starts.append(places[at][0])
            for variant in range(request.options.variants):
                _put_samples(target.fileno(), variant, size, segment, places[at:])
            at += len(segment.sizes)
    return starts, size


def _samples(folder: SegmentFolder, timeline: Timeline) -> Iterator[Sample]:
    for segment, first in zip(folder.segments(), timeline.firsts, strict=False):
        rows = zip(segment.order, segment.syncs, segment.samples(0), strict=True)
        for shown, sync, data in rows:
            yield Sample(timeline.times[first + shown], data, sync)


def _repeat(blob: Path, size: int, variants: int) -> None:
    """Append further copies of a file's first bytes to it."""
    with FileIO(blob, "r+") as file:
        for variant in range(1, variants):
            copied = 0
            while copied < size:
                copied += os.copy_file_range(
                    file.fileno(),
                    file.fileno(),
                    size - copied,
                    copied,
                    variant * size + copied,
                )


def _put_samples(
    descriptor: int, variant: int, size: int, segment: Segment, places: list[tuple[int, int]]
) -> None:
    for data, (offset, length) in zip(segment.samples(variant), places, strict=False):
        if len(data) != length:
            raise ValueError("a sample has not the length that it was written with")
        if variant == 0:
            if os.pread(descriptor, length, offset) != data:
                raise ValueError("a sample is not where the file says")
        else:
            os.pwrite(descriptor, data, variant * size + offset)


def _described(
    request: MasterRequest,
    folder: SegmentFolder,
    timeline: Timeline,
    starts: list[int],
    size: int,
    blob: Path,
) -> Master:
    thumbnails, energies, filler = [], [], 0
    for segment in folder.segments():
        thumbnails.append(np.frombuffer(segment.thumbnails, np.uint8))
        energies.append(segment.energy)
        filler += segment.filler
    carries = bytes(_carries(energy) for energy in energies)
    variants = request.options.variants
    code = Code(request.key, request.master, variants)
    index = SpliceIndex(
        master=request.master,
        key_id=request.key_id,
        variants=variants,
        size=size,
        strength=request.options.strength,
        starts=starts,
        biases=code.biases(np.arange(len(starts))).tobytes(),
        first_frames=timeline.firsts,
        time_base=timeline.time_base.as_integer_ratio(),
        times=[timeline.times[first] - timeline.times[0] for first in timeline.firsts],
        carries=carries,
    )
    seconds = np.array(timeline.times[:-1], np.float64) * float(timeline.time_base)
    cells = np.concatenate(thumbnails).reshape(-1, fingerprint.ROWS, fingerprint.COLUMNS)
    return Master(
        blob=blob,
        size=size,
        index=encode(index),
        fingerprint=fingerprint.pack(seconds, cells),
        segments=len(starts),
        carrying=sum(1 for carried in carries if carried),
        padding=filler // variants,
    )


def _carries(energy: float) -> int:
    """The index's estimate of a segment's energy, in 1/256 of a squared luma step."""
    return min(255, int(energy * 256))
