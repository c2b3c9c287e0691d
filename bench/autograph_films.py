"""Long films for tracing: all clips in turn, each time another part of them."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av

from bench.autograph_clips import Clip
from bench.autograph_leaks import (
    Degradation,
    Plane,
    Planes,
    changed,
    mirrored,
    pictures,
    planes_of,
    resized,
    share,
    spoil,
)
from bench.autograph_masters import KEY, MASTER, Made
from countermark.autograph.index import decode
from countermark.autograph.splice import Copy
from countermark.work.master_request import MasterOptions, MasterRequest
from countermark.work.mastering import make_master

RATE = 25
_WIDER = 1.5  # than the film, so that a part of a picture still fills it
_PARTS = 0.67, 0.95


@dataclass(frozen=True)
class Film:
    """What a film is to be.

    Attributes:
        name: for people and for files.
        size: width and height, pixels.
        seconds: how long.
    """

    name: str
    size: tuple[int, int]
    seconds: int


def film_master(folder: Path, clips: Sequence[Clip], film: Film) -> Made:
    """A master of all clips in turn."""
    folder = folder / film.name
    folder.mkdir()
    width, height = (round(side * _WIDER) // 2 * 2 for side in film.size)
    small = [_smaller(clip, folder / f"{n}.mp4", (width, height)) for n, clip in enumerate(clips)]
    frames = islice(_endless(small, film.size), film.seconds * RATE)
    path = spoil(folder / "film.mp4", frames, RATE, Degradation("", 0, crf=16))
    request = MasterRequest(
        source=str(path),
        folder=str(folder / "master"),
        master=MASTER,
        key_id=1,
        key=KEY,
        options=MasterOptions(),
    )
    made = make_master(request, lambda _: None)
    index = decode(Path(made.index).read_bytes())
    return Made(Clip(film.name, path), Path(made.blob), index, path, 0.0, 0.0)


def _smaller(clip: Clip, path: Path, size: tuple[int, int]) -> Path:
    def change(plane: Plane, pitch: int) -> Plane:
        return resized(plane, (size[0] // pitch, size[1] // pitch))

    return spoil(path, _shown(clip.path), RATE, Degradation("", 0, change, crf=10), "ultrafast")


def _shown(path: Path) -> Iterator[Planes]:
    with av.open(str(path)) as container:
        yield from map(planes_of, container.decode(video=0))


def _endless(paths: Sequence[Path], size: tuple[int, int]) -> Iterator[Planes]:
    chance = random.Random(3)  # noqa: S311 - a bench repeats
    while True:
        for path in chance.sample(paths, len(paths)):
            part, flipped = _Part(chance, size), chance.random() < 0.5
            shown = [changed(planes, part.of) for planes in _shown(path)]
            shown = shown[::-1] if chance.random() < 0.5 else shown
            yield from (changed(planes, mirrored) if flipped else planes for planes in shown)


class _Part:
    """A part of a picture, so that what is shown again is not the same."""

    def __init__(self, chance: random.Random, size: tuple[int, int]) -> None:
        self._part, self._size = chance.uniform(*_PARTS), size
        self._left, self._top = (chance.uniform(0, 1 - self._part) for _ in range(2))

    def of(self, plane: Plane, pitch: int) -> Plane:
        height, width = plane.shape
        top, left = share(height, self._top, pitch), share(width, self._left, pitch)
        height, width = share(height, self._part, pitch), share(width, self._part, pitch)
        part = plane[top : top + height, left : left + width]
        return resized(part, (self._size[0] // pitch, self._size[1] // pitch))


def copy_of(made: Made, tag: str, start: float, seconds: float) -> Iterator[Planes]:
    """The pictures of a recipient's copy."""
    choice = list(Copy(made.index, KEY, tag).symbols(0, len(made.index)))
    return shown(made, choice, start, seconds)


def shown(made: Made, choice: Sequence[int], start: float, seconds: float) -> Iterator[Planes]:
    """The pictures of a copy that takes these variants, from a time on."""
    first = int(start * RATE)
    return islice(pictures(made, choice), first, first + int(seconds * RATE))
