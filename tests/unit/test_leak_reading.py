"""How much of a leak is read: as much as it takes, and no more."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from countermark.autograph.code import Code
from countermark.autograph.reading import Reader, Reading
from countermark.work.leak_reading import Inquiry, Issued

KEY, MASTER = bytes(range(32)), "65f0c0ffee0123456789abcd"
TAGS = [f"recipient {number}" for number in range(2000)]
SEGMENTS, SECONDS = 10, 8.0


class Told(Reader):
    """A reader that was told what segments look like."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def reading(self) -> Reading:
        numbers = np.array(sorted(self.rows), np.int64)
        seen = np.array([self.rows[number] for number in numbers.tolist()])
        count = len(numbers)
        both = np.stack((seen, -seen), axis=1)
        return Reading(numbers, both, np.full(count, 0.5), np.full(count, 12))


class Leak(Inquiry):
    """An inquiry whose leak shows the mean of these tags' marks, or some tag's in each segment."""

    def __init__(self, pieces: int, tags: Sequence[str], *, mixed: bool = False) -> None:
        count = pieces * SEGMENTS
        edges = np.arange(pieces + 1) * SECONDS
        spans = [(float(edges[n]), float(edges[n + 1])) for n in range(pieces)]
        film = SimpleNamespace(plan=lambda: spans)
        index = SimpleNamespace(master=MASTER, variants=2, carries=bytes([9] * count))
        master = SimpleNamespace(index=index, times=np.arange(count + 1) * SECONDS / SEGMENTS)
        issued = Issued(len(TAGS), lambda: TAGS)
        super().__init__(cast("Any", film), cast("Any", master), KEY, issued, 1e-6)
        self.reader: Told = Told()
        random = np.random.default_rng(3)
        segments = np.arange(count)
        words = [1 - 2.0 * Code(KEY, MASTER, 2).codeword(tag, segments) for tag in tags]
        shown = np.stack(words) if words else np.zeros((1, count))
        by_lot = shown[random.integers(0, len(shown), count), segments]
        self.shown = (by_lot if mixed else shown.mean(axis=0)) + random.normal(0, 0.5, count)

    def _read(self, start: float, stop: float) -> None:
        for number in range(round(start / SECONDS * SEGMENTS), round(stop / SECONDS * SEGMENTS)):
            self.reader.rows[number] = float(self.shown[number])

    def names(self) -> list[str]:
        return [one.tag for one in self.verdict.accused] if self.verdict else []


@pytest.mark.parametrize("pieces", [20, 400])
def test_what_is_read_depends_on_the_evidence_and_not_on_the_length(pieces: int) -> None:
    leak, told = Leak(pieces, ["recipient 77"]), list[float]()
    leak.run(float("inf"), told.append)
    assert leak.names() == ["recipient 77"]
    assert leak.seconds_read <= 10 * SECONDS
    assert told
    assert all(0 < part <= 1 for part in told)


def test_two_who_mix_segments_are_both_sought() -> None:
    leak = Leak(400, ["recipient 5", "recipient 1234"], mixed=True)
    leak.run(float("inf"), lambda _: None)
    assert sorted(leak.names()) == ["recipient 1234", "recipient 5"]
    assert leak.seconds_read < 200 * SECONDS


def test_of_two_who_average_pictures_at_least_one_is_named() -> None:
    leak = Leak(400, ["recipient 5", "recipient 1234"])
    leak.run(float("inf"), lambda _: None)
    assert leak.names()
    assert set(leak.names()) <= {"recipient 5", "recipient 1234"}
    assert leak.seconds_read < 200 * SECONDS


def test_others_who_were_never_issued_are_not_sought_for_ever() -> None:
    leak = Leak(2000, ["recipient 5", "nobody"], mixed=True)
    leak.run(float("inf"), lambda _: None)
    assert leak.names() == ["recipient 5"]
    assert leak.verdict is not None
    assert leak.verdict.together
    assert leak.verdict.unexplained > 0.3
    assert leak.seconds_read < 500 * SECONDS


def test_a_copy_that_was_not_issued_is_read_until_nobody_can_be_named() -> None:
    leak = Leak(2000, ["nobody"])
    leak.run(float("inf"), lambda _: None)
    assert leak.names() == []
    assert leak.seconds_read < 1000 * SECONDS


def test_a_short_leak_is_read_to_its_end_before_it_is_given_up() -> None:
    leak = Leak(12, ["nobody"])
    leak.run(float("inf"), lambda _: None)
    assert leak.names() == []
    assert leak.seconds_read == 12 * SECONDS


def test_a_leak_without_a_mark_is_given_up_after_a_sample() -> None:
    leak = Leak(2000, [])
    leak.run(float("inf"), lambda _: None)
    assert leak.names() == []
    assert leak.verdict is not None
    assert leak.seconds_read < 100 * SECONDS


def test_no_more_is_read_than_allowed() -> None:
    leak = Leak(100, ["nobody"])
    leak.run(5 * SECONDS, lambda _: None)
    assert leak.seconds_read == 5 * SECONDS
    assert leak.verdict is not None
