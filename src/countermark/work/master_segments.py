"""From a film to its coded segments, each finished one kept in a folder.

A few segments at a time are encoded in one go, which depends on their own frames and the few that
follow alone; so these are made side by side, and a maker that is killed loses only those under way.
"""

import os
import shutil
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import msgspec
from msgspec import Struct

from countermark.autograph.fingerprint import thumbnail
from countermark.autograph.marking import SegmentMark, Strength
from countermark.autograph.pattern import Pattern
from countermark.autograph.visibility import halved
from countermark.media.avc import equal_lengths
from countermark.media.picture import Picture
from countermark.media.segment_encoder import (
    Coded,
    EncoderSettings,
    encode_variants,
    free_kinds,
)

# A group of one picture could not tell itself from the next by idr_pic_id (H.264, 7.4.3).
LEAST_PICTURES = 2

# Of one segment; a few of them are in memory at a time.
_MOST_PIXELS = 1 << 28

# Segments of a chunk: the more, the less x264 looks at pictures of the next one, too; the fewer,
# the less a killed maker loses, and the less memory it takes.
_CHUNK_SEGMENTS = 6
_CHUNK_PIXELS = 1 << 27
# Pictures that x264 holds beside those that it looks ahead at.
_REORDERED = 8


class Segment(Struct, frozen=True):
    """A coded segment, as it is kept in the folder.

    Attributes:
        times: when its pictures are shown, ticks, in the order of display.
        order: their places in the order of display, in the order of decoding.
        syncs: whether each is an IDR picture, in the order of decoding.
        sizes: of their samples, bytes, in the order of decoding; the same in every variant.
        variants: the samples of each variant, one after another.
        sums: of each variant's samples, CRC-32, taken as they came from the encoder.
        filler: bytes of padding, all variants together.
        energy: mean square of the mark before encoding.
        thumbnails: for the fingerprint, 144 bytes a picture.
    """

    times: tuple[int, ...]
    order: tuple[int, ...]
    syncs: tuple[bool, ...]
    sizes: tuple[int, ...]
    variants: tuple[bytes, ...]
    sums: tuple[int, ...]
    filler: int
    energy: float
    thumbnails: bytes

    def samples(self, variant: int) -> Iterator[bytes]:
        """Yield the samples of one variant in the order of decoding."""
        at = 0
        for size in self.sizes:
            yield self.variants[variant][at : at + size]
            at += size


class SegmentFolder:
    """The finished segments of a master in the making."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def has(self, number: int) -> bool:
        """Whether the segment is finished."""
        return self._path(number).exists()

    def keep(self, number: int, segment: Segment) -> None:
        """Keep a finished segment, whole or not at all."""
        partial_path = self._path(number).with_suffix(".partial")
        partial_path.write_bytes(msgspec.msgpack.encode(segment))
        partial_path.replace(self._path(number))

    def segments(self) -> Iterator[Segment]:
        """Read all segments in order."""
        for number in count():
            if not self.has(number):
                return
            yield msgspec.msgpack.decode(self._path(number).read_bytes(), type=Segment)

    @contextmanager
    def notes(self, number: int) -> Iterator[Path]:
        """A path for what an encoder notes of the segments from one on; gone afterwards."""
        path = self._folder / f"{number:06}.notes"
        yield path
        for left in self._folder.glob(f"{path.name}*"):
            left.unlink()

    def clear(self) -> None:
        """Remove all segments: the master is whole."""
        shutil.rmtree(self._folder)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06}.segment"


def cut(
    pictures: Iterable[Picture], time_base: Fraction, seconds: float
) -> Iterator[list[Picture]]:
    """Cut a film into segments of about a length; the last is from half to one and a half of it."""
    length = Fraction(seconds) / time_base
    held: list[Picture] = []
    boundary = Fraction(0)
    ready: list[Picture] = []
    for picture in pictures:
        if not held and not ready:
            boundary = picture.shown_at + length
        is_full = picture.shown_at >= boundary or len(held) * picture.luma.size >= _MOST_PIXELS
        if is_full and len(held) >= LEAST_PICTURES:
            if ready:
                yield ready
            ready, held = held, []
            if picture.shown_at >= boundary:
                boundary += length * ((picture.shown_at - boundary) // length + 1)
        held.append(picture)
    if ready and (len(held) < LEAST_PICTURES or held[-1].shown_at - held[0].shown_at < length / 2):
        held = ready + held
    elif ready:
        yield ready
    if held:
        yield held


class Chunk(NamedTuple):
    """Consecutive segments that are encoded in one go.

    Attributes:
        first: number of the first of them.
        segments: their pictures.
        following: the pictures that come next, or as many as are needed of them.
    """

    first: int
    segments: list[list[Picture]]
    following: list[Picture]

    @property
    def pictures(self) -> list[Picture]:
        """Of all segments."""
        return list(chain.from_iterable(self.segments))


def chunks(segments: Iterable[list[Picture]], following: int) -> Iterator[Chunk]:
    """Gather segments into chunks.

    Args:
        segments: of the film.
        following: how many pictures of the next chunk each needs to know.
    """
    first = 0
    held: list[list[Picture]] = []
    next_ones: list[list[Picture]] = []
    for segment in segments:
        pixels = sum(len(one) for one in next_ones) * segment[0].luma.size
        if len(next_ones) == _CHUNK_SEGMENTS or (next_ones and pixels >= _CHUNK_PIXELS):
            if held:
                yield Chunk(first, held, list(chain.from_iterable(next_ones))[:following])
            first += len(held)
            held, next_ones = next_ones, []
        next_ones.append(segment)
    if held:
        yield Chunk(first, held, list(chain.from_iterable(next_ones))[:following])
    if next_ones:
        yield Chunk(first + len(held), next_ones, [])


class SegmentMaker:
    """Makes segments on all cores."""

    def __init__(
        self,
        folder: SegmentFolder,
        pattern: Pattern,
        strength: Strength,
        settings: EncoderSettings,
    ) -> None:
        self._folder = folder
        self._pattern = pattern
        self._strength = strength
        self._settings = settings

    def make(self, segments: Iterable[list[Picture]]) -> Iterator[int]:
        """Make and keep all segments; yields the time stamp up to which all are finished."""
        cores = os.cpu_count() or 1
        with ThreadPoolExecutor(cores) as pool:
            waiting: deque[Future[int]] = deque()
            try:
                for chunk in chunks(segments, self._settings.lookahead + _REORDERED):
                    waiting.append(pool.submit(self._finish, chunk))
                    if len(waiting) > cores:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def _finish(self, chunk: Chunk) -> int:
        numbers = range(chunk.first, chunk.first + len(chunk.segments))
        if not all(self._folder.has(number) for number in numbers):
            for number, segment in zip(numbers, self._made(chunk), strict=True):
                if not self._folder.has(number):  # as a maker that was killed in between left it
                    self._folder.keep(number, segment)
        return chunk.segments[-1][-1].shown_at

    def _made(self, chunk: Chunk) -> Iterator[Segment]:
        marked = [
            self._mark(number, pictures)
            for number, pictures in enumerate(chunk.segments, chunk.first)
        ]
        marks = [mark for mark, _ in marked]
        kinds = [kind for pictures in chunk.segments for kind in free_kinds(len(pictures))]
        shown = [_marked(chunk, marks, one) for one in range(self._pattern.variants)]
        with self._folder.notes(chunk.first) as notes:
            variants = encode_variants(
                shown,
                chunk.following,
                self._settings,
                kinds,
                notes,
                is_start=chunk.first == 0,
            )
        at = 0
        for pictures, (mark, thumbnails) in zip(chunk.segments, marked, strict=True):
            end = at + len(pictures)
            coded = [one[at:end] for one in variants]
            yield _assembled(coded, at, pictures, mark.energy, thumbnails)
            at = end

    def _mark(self, number: int, pictures: Sequence[Picture]) -> tuple[SegmentMark, bytes]:
        """The mark of a segment, and its pictures' thumbnails."""
        lumas = [picture.luma for picture in pictures]
        small = [halved(luma) for luma in lumas]
        chroma = pictures[len(pictures) // 2].chroma
        mark = SegmentMark(self._pattern, number, lumas, self._strength, small, chroma)
        return mark, b"".join(thumbnail(one).tobytes() for one in small)


def _marked(chunk: Chunk, marks: Sequence[SegmentMark], variant: int) -> Iterator[Picture]:
    """The pictures of a variant, each in the place of the last: x264 makes copies of its own."""
    place = chunk.segments[0][0].blank()
    for mark, pictures in zip(marks, chunk.segments, strict=True):
        for number, picture in enumerate(pictures):
            yield picture.redrawn(partial(mark.lay, variant, number), place)


def _assembled(
    variants: Sequence[Sequence[Coded]],
    first: int,
    pictures: Sequence[Picture],
    energy: float,
    thumbnails: bytes,
) -> Segment:
    structures = {tuple((coded.shown, coded.kind) for coded in variant) for variant in variants}
    if len(structures) != 1:
        raise ValueError("the variants' pictures are of different kinds")
    padded = [
        equal_lengths([coded.sample for coded in same]) for same in zip(*variants, strict=True)
    ]
    before = sum(len(coded.sample) for variant in variants for coded in variant)
    after = sum(len(sample) for same in padded for sample in same)
    joined = tuple(b"".join(column) for column in zip(*padded, strict=True))
    return Segment(
        times=tuple(picture.shown_at for picture in pictures),
        order=tuple(coded.shown - first for coded in variants[0]),
        syncs=tuple(coded.kind.letter == "I" for coded in variants[0]),
        sizes=tuple(len(same[0]) for same in padded),
        variants=joined,
        sums=tuple(map(crc32, joined)),
        filler=after - before,
        energy=energy,
        thumbnails=thumbnails,
    )
