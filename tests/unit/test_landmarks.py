"""What is remembered of listings: bounded, moved by changes, never replaced by what is older."""

from countermark.catalog.landmarks import (
    LANDMARKS,
    LISTINGS,
    Change,
    Known,
    Landmark,
    Landmarks,
    rank,
)


def _known(*offsets: int, version: int = 1) -> Known:
    marks = tuple(Landmark(offset, rank(offset, "")) for offset in offsets)
    return Known(version, since=0, until=10, total=100, landmarks=marks)


def test_files_without_a_value_stand_first_and_ties_are_broken_by_id() -> None:
    ordered = [rank(None, "a"), rank(None, "b"), rank(-1, "c"), rank(0, "a"), rank(0, "b")]
    assert sorted([*ordered[2:], *ordered[:2]]) == ordered


def test_the_nearest_landmarks_are_found_on_either_side() -> None:
    known = _known(10, 20, 30)
    assert [known.before(offset) for offset in (9, 10, 29)] == [None, *known.landmarks[:2]]
    assert [known.after(offset) for offset in (9, 10, 31)] == [*[known.landmarks[0]] * 2, None]


def test_a_change_moves_the_total_and_what_stands_after_it() -> None:
    changes = [Change(rank(15, ""), -1), Change(rank(20, ""), 1), Change(rank(0, "x"), -1)]
    moved = _known(10, 20, 30).moved(2, 5, 9, changes)
    assert [mark.offset for mark in moved.landmarks] == [9, 18, 29]
    assert (moved.total, moved.version, moved.since, moved.until) == (99, 2, 5, 9)


def test_landmarks_stay_bounded_and_the_newest_is_kept() -> None:
    known = _known()
    for offset in range(LANDMARKS * 3):
        newest = Landmark(offset, rank(offset, ""))
        known = known.learned([newest])
        assert newest in known.landmarks
    assert len(known.landmarks) <= LANDMARKS
    assert list(known.landmarks) == sorted(known.landmarks)


def test_the_listing_used_longest_ago_is_forgotten_first() -> None:
    memory = Landmarks()
    for number in range(LISTINGS):
        memory.remember(number, _known())
    memory.recall(0)
    memory.remember("one more", _known())
    assert memory.recall(0) is not None
    assert memory.recall(1) is None


def test_an_older_reader_does_not_undo_what_a_newer_one_knows() -> None:
    memory = Landmarks()
    memory.remember("listing", _known(version=2))
    memory.remember("listing", _known(10, version=1))
    assert memory.recall("listing") == _known(version=2)


def test_what_is_known_holds_for_one_version_until_a_file_expires() -> None:
    known = _known()
    assert [known.holds(1, now) for now in (-1, 0, 9, 10)] == [False, True, True, False]
    assert not known.holds(2, 5)
