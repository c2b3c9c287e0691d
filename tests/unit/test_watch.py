"""Which workers are taken for dead."""

from pathlib import Path
from typing import Any

from countermark.work.identity import Identity
from countermark.work.job_queue import Watch
from countermark.work.parts import WorkParts


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _watch(clock: _Clock) -> Watch:
    nothing: Any = None
    parts = WorkParts(nothing, nothing, nothing, Path(), worker="me", dead_after=30.0)
    return Watch(parts, "here", clock)


def test_a_worker_whose_count_stands_still_is_dead_and_one_that_counts_lives() -> None:
    clock = _Clock()
    watch = _watch(clock)
    for second in range(0, 65, 5):
        clock.now = 1000.0 + second
        beats = {"still": 7, "counts": second, "me": 1}
        assert watch.dead(beats, beats) == (["still"] if second >= 30 else [])


def test_a_worker_that_was_never_seen_is_given_the_same_time() -> None:
    clock = _Clock()
    watch = _watch(clock)
    assert watch.dead({}, ["unknown"]) == []
    clock.now += 29
    assert watch.dead({}, ["unknown"]) == []
    clock.now += 1
    assert watch.dead({}, ["unknown"]) == ["unknown"]


def test_a_worker_that_comes_back_lives_again() -> None:
    clock = _Clock()
    watch = _watch(clock)
    watch.dead({"w": 1}, ["w"])
    clock.now += 40
    assert watch.dead({"w": 2}, ["w"]) == []


def test_a_restarted_worker_is_who_it_was_and_two_are_never_the_same(tmp_path: Path) -> None:
    with Identity(tmp_path) as first, Identity(tmp_path) as second:
        names = {first.name, second.name}
        assert len(names) == 2
        first_name = first.name
    with Identity(tmp_path) as again, Identity(tmp_path) as other, Identity(tmp_path) as third:
        assert {again.name, other.name} == names
        assert third.name not in names
        assert first_name in names
