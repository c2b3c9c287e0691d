"""Cues of WebVTT: what they look like, and that no text breaks out of one."""

import pytest

from countermark.media.webvtt import cue, plain_text, timestamp


def test_a_time_has_hours_and_milliseconds() -> None:
    assert timestamp(0) == "00:00:00.000"
    assert timestamp(3_723_004) == "01:02:03.004"
    assert timestamp(360_000_000) == "100:00:00.000"


def test_a_cue_is_its_times_and_its_text() -> None:
    assert cue(500, 1500, "Hello\nyou") == "00:00:00.500 --> 00:00:01.500\nHello\nyou\n\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\n\n00:00:09.000 --> 00:00:10.000\nb", "a\n00:00:09.000 --&gt; 00:00:10.000\nb"),
        ("<script>x</script> & y", "&lt;script&gt;x&lt;/script&gt; &amp; y"),
        ("a\x00b\rc", "a b c"),
    ],
)
def test_no_text_breaks_out_of_its_cue(text: str, shown: str) -> None:
    assert cue(0, 1, text) == f"00:00:00.000 --> 00:00:00.001\n{shown}\n\n"


@pytest.mark.parametrize(
    ("start", "stop", "text"), [(0, 1, " \n "), (5, 5, "a"), (-1, 5, "a"), (0, 10**13, "a")]
)
def test_a_cue_that_would_not_be_seen_is_left_out(start: int, stop: int, text: str) -> None:
    assert cue(start, stop, text) == ""


def test_the_text_of_an_event_is_without_its_styling() -> None:
    event = r"0,0,Default,,0,0,0,,{\an8}{\i1}Well, yes{\i0}\Nnext\hone"
    assert plain_text(event) == "Well, yes\nnext\xa0one"
