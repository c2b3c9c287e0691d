"""Putting a master's segments into its file: K variants, alike but for the pictures' samples."""

import os
from collections.abc import Iterator
from fractions import Fraction
from io import FileIO
from pathlib import Path

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from countermark.errors import MasterFlawError
from countermark.media.segment_encoder import EncoderSettings
from countermark.media.variant_file import Sample, sample_places, write_variant
from countermark.work.master_segments import SegmentFolder

# Frames from whose distances the last one's duration is taken.
_LATEST = 250
_USUAL_RATE = 25
_PIECE = 1 << 20


class Timeline(Struct, frozen=True):
    """When everything is shown, and what else is known of the segments.

    Attributes:
        time_base: seconds of a tick.
        times: of every picture in the order of display, ticks, and one more for the end.
        firsts: number of each segment's first picture, and one more for the end.
        energies: of each segment's mark, squared luma steps.
        thumbnails: of the pictures, one array a segment.
        filler: bytes, all variants together.
    """

    time_base: Fraction
    times: list[int]
    firsts: list[int]
    energies: list[float]
    thumbnails: list[NDArray[np.uint8]]
    filler: int


class Layout(Struct, frozen=True):
    """Where everything lies.

    Attributes:
        blob: the file of all variants.
        variants: how many.
        size: of one, bytes.
        starts: of the segments within a variant.
    """

    blob: Path
    variants: int
    size: int
    starts: list[int]


class Seal(Struct, frozen=True):
    """By what a segment in the file is told from anything else.

    Attributes:
        places: offset within a variant and size of each picture's sample, shape (pictures, 2).
        sums: CRC-32 of each variant's samples, one after another.
    """

    places: NDArray[np.int64]
    sums: tuple[int, ...]


def timeline_of(folder: SegmentFolder, time_base: Fraction) -> Timeline:
    """Gather what the segments know."""
    times: list[int] = []
    firsts, energies, thumbnails, filler = [], [], [], 0
    for segment in folder.segments():
        firsts.append(len(times))
        times += segment.times
        energies.append(segment.energy)
        thumbnails.append(np.frombuffer(segment.thumbnails, np.uint8))
        filler += segment.filler
    steps = np.diff(times[-_LATEST:]) if len(times) > 1 else [1 / (_USUAL_RATE * time_base)]
    end = times[-1] + max(1, round(float(np.median(np.array(steps, np.float64)))))
    return Timeline(time_base, [*times, end], [*firsts, len(times)], energies, thumbnails, filler)


def write_master(
    blob: Path,
    source: FileIO,
    origin: Fraction,
    encoder: EncoderSettings,
    timeline: Timeline,
    folder: SegmentFolder,
    variants: int,
) -> tuple[Layout, list[Seal]]:
    """Write the file.

    FFmpeg writes the first variant. The others are copies of it with their own samples in the
    places of the first one's, so that nothing else can differ.

    Returns:
        Where everything lies, and the segments' seals, by which it is checked.

    Raises:
        MasterFlawError: the first variant is not what was written.
    """
    samples = _samples(folder, timeline)
    write_variant(blob, source, origin, encoder, timeline.time_base, timeline.times, samples)
    size = blob.stat().st_size
    _repeat(blob, size, variants)
    places = sample_places(blob)
    starts, seals = [], []
    with FileIO(blob, "r+") as target:
        for segment in folder.segments():
            mine = [next(places) for _ in segment.sizes]
            if tuple(length for _, length in mine) != segment.sizes:
                raise MasterFlawError("a sample is not where the file says")
            starts.append(mine[0][0])
            seals.append(Seal(np.array(mine, np.int64), segment.sums))
            for variant in range(1, variants):
                for data, (offset, _) in zip(segment.samples(variant), mine, strict=True):
                    os.pwrite(target.fileno(), data, variant * size + offset)
    return Layout(blob, variants, size, starts), seals


def _samples(folder: SegmentFolder, timeline: Timeline) -> Iterator[Sample]:
    for segment, first in zip(folder.segments(), timeline.firsts, strict=False):
        for shown, sync, data in zip(segment.order, segment.syncs, segment.samples(0), strict=True):
            yield Sample(timeline.times[first + shown], data, sync)


def _repeat(blob: Path, size: int, variants: int) -> None:
    """Append further copies of a file's first bytes to it."""
    with blob.open("rb") as source, blob.open("ab") as target:
        for _ in range(1, variants):
            source.seek(0)
            for at in range(0, size, _PIECE):
                target.write(source.read(min(_PIECE, size - at)))
