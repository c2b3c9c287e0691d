"""One-time links: one client, every byte once, and what came in between."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from countermark.edge.one_time import without_last
from countermark.links.client import Client
from countermark.links.one_time import GONE_SECONDS, PREVIEW_BYTES, claim, deliver

SIZE = 1 << 20
WINDOW = 3600.0
UNTIL = 1 << 33
ANN = Client("192.0.2.1").fingerprint("serial")
BOB = Client("192.0.2.2").fingerprint("serial")


def claimed(value: bytes | None, client: str, now: float) -> tuple[bytes | None, bool]:
    revised = claim(client, SIZE, WINDOW, UNTIL)(value, now)
    return revised.value, revised.answer


def delivered(value: bytes | None, client: str, start: int, stop: int, now: float) -> bytes | None:
    return deliver(client, [(start, stop)], SIZE, UNTIL)(value, now).value


def test_the_first_client_has_it_and_comes_back() -> None:
    value, answer = claimed(None, ANN, 0)
    assert answer
    value = delivered(value, ANN, 0, SIZE // 2, 1)
    assert claimed(value, ANN, 100)[1]
    assert not claimed(value, BOB, 100)[1]


@given(cuts=st.lists(st.integers(1, SIZE - 1), max_size=20), seed=st.randoms())
def test_it_is_spent_exactly_when_every_byte_was_delivered(
    cuts: list[int], seed: random.Random
) -> None:
    borders = sorted({0, SIZE, *cuts})
    spans = list(pairwise(borders))
    seed.shuffle(spans)
    value, _ = claimed(None, ANN, 0)
    for start, stop in spans:
        assert claimed(value, ANN, 1)[1]
        value = delivered(value, ANN, start, stop, 1)
    assert not claimed(value, ANN, 2)[1]
    assert not claimed(value, BOB, 2 + 10 * WINDOW)[1]


def test_a_download_given_up_is_spent_after_the_resume_window() -> None:
    value, _ = claimed(None, ANN, 0)
    value = delivered(value, ANN, 0, SIZE // 2, 10)
    assert claimed(value, ANN, 10 + WINDOW)[1]
    assert not claimed(value, ANN, 11 + WINDOW)[1]


def test_who_took_next_to_nothing_and_went_does_not_keep_it() -> None:
    value, _ = claimed(None, ANN, 0)
    value = delivered(value, ANN, 0, PREVIEW_BYTES - 1, 1)
    assert not claimed(value, BOB, 1 + GONE_SECONDS)[1]
    value, answer = claimed(value, BOB, 2 + GONE_SECONDS)
    assert answer
    assert not claimed(value, ANN, 3 + GONE_SECONDS)[1]


def test_what_a_client_reports_after_it_lost_the_link_counts_for_nothing() -> None:
    value, _ = claimed(None, ANN, 0)
    value, _ = claimed(value, BOB, 1 + GONE_SECONDS)
    assert delivered(value, ANN, 0, SIZE, 20) == value


@given(lengths=st.lists(st.integers(1, 100), max_size=8), count=st.integers(0, 1000))
def test_the_last_bytes_are_cut_off_the_last_spans(lengths: list[int], count: int) -> None:
    spans = [[200 * place, 200 * place + length] for place, length in enumerate(lengths)]
    sent = [at for start, stop in spans for at in range(start, stop)]
    kept = [at for start, stop in without_last(spans, count) for at in range(start, stop)]
    assert kept == sent[: max(0, len(sent) - count)]
