"""Clocks that jump in the middle of a stream."""

import pytest

from countermark.media.timeline import Timeline


def test_a_clock_that_does_not_jump_is_left_alone() -> None:
    timeline = Timeline()
    assert [timeline.shift(0, time, 0.04) for time in (5.0, 5.04, 5.08, 12.0)] == [0.0] * 4


@pytest.mark.parametrize("jump", [-150.0, 3600.0])
def test_after_a_jump_both_tracks_go_on_side_by_side(jump: float) -> None:
    timeline = Timeline()
    for number in range(50):
        timeline.shift(0, 100 + number * 0.04, 0.04)
        timeline.shift(1, 100 + number * 0.04, 0.04)
    # Sound that is stored late still has the old clock when the pictures have the new one.
    pictures = 200 + jump + timeline.shift(0, 200 + jump, 0.04)
    assert timeline.shift(1, 102.0, 0.04) == 0.0
    sound = 200.05 + jump + timeline.shift(1, 200.05 + jump, 0.04)
    assert pictures == pytest.approx(102.0)
    assert sound - pictures == pytest.approx(0.05)
    assert 200.04 + jump + timeline.shift(0, 200.04 + jump, 0.04) == pytest.approx(102.04)


def test_a_track_that_begins_after_a_jump_keeps_to_the_others() -> None:
    timeline = Timeline()
    timeline.shift(0, 0.0, 1.0)
    shift = timeline.shift(0, 500.0, 1.0)
    assert timeline.shift(1, 500.5, 1.0) == shift
