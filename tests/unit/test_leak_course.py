"""How a leak runs through its master, from the pieces that were put on it."""

import numpy as np
import pytest

from countermark.autograph.timing import Line
from countermark.work.leak_course import Course


def at(line: Line, leak: float) -> float:
    return float(line.at(np.array([leak]))[0])


def test_before_any_piece_is_known_the_likeliest_line_counts() -> None:
    course = Course([Line(1.02, 5.0), Line(0.9, 1.0)])
    assert course.near(100.0).line == Line(1.02, 5.0)
    assert [guess.line for guess in course.elsewhere(2)] == [Line(1.02, 5.0), Line(0.9, 1.0)]


def test_two_pieces_far_apart_tell_the_rate_better_than_either() -> None:
    truth, course = Line(1.0427, 12.5), Course([Line(1.04, 14.0)])
    course.learn(1000.0, Line(1.05, at(truth, 1000.0) - 1.05 * 1000))
    loose = course.near(1100.0)
    course.learn(1400.0, Line(1.03, at(truth, 1400.0) - 1.03 * 1400))
    close = course.near(1800.0)
    assert at(close.line, 1800.0) == pytest.approx(at(truth, 1800.0), abs=0.01)
    assert close.stray < loose.stray


def test_what_follows_a_cut_is_reckoned_from_what_follows_it() -> None:
    course = Course([Line(1.0, 0.0)])
    for middle in (10.0, 60.0, 110.0, 160.0):
        cut = 90.0 if middle > 100 else 0.0
        course.learn(middle, Line(1.0, cut))
    assert at(course.near(70.0).line, 70.0) == pytest.approx(70.0, abs=0.01)
    assert at(course.near(150.0).line, 150.0) == pytest.approx(240.0, abs=0.01)
