"""Mutated links and Range headers for a bounded time: refused, or understood; nothing else.

`FUZZ_SECONDS=600 python -m pytest tests/property/test_fuzzed_requests.py --timeout=0` runs each
for ten minutes. The seed is shown when a run fails, and `FUZZ_SEED` repeats it.
"""

import os
import random
import time
from collections.abc import Callable, Sequence

import msgspec
import pytest

from countermark.edge.ranges import MAX_RANGES, UnsatisfiableError, parse_range
from countermark.errors import LinkExpiredError, LinkInvalidError
from countermark.links.keys import KeyRing
from countermark.links.link import VERSION, Link, mint, read
from countermark.links.sealed import seal, to_text
from support.links import LINK, RING, link

SECONDS = float(os.environ.get("FUZZ_SECONDS", "3"))
SEED = int(os.environ.get("FUZZ_SEED", time.time_ns()))
# What a request line may have; see serve.MAX_LINE_BYTES.
LONGEST = 8190
# Of the processor; more would let one client hold up all. Generous, for slow machines.
SLOWEST_SECONDS = 0.25

RANGES = ["bytes=0-0", "bytes=-5", "bytes=5-", "bytes=0-1,3-4, 6-", "bytes=" + "0-0," * 99 + "0-0"]
RANGE_WORDS = ["bytes", "=", "-", ",", " ", "\t", "0", "9" * 20, "18446744073709551616", "٣", "--"]
LINKS = [mint(LINK, RING), mint(link(name="ü" * 120, once=True, tag="x"), RING)]
LINK_WORDS = ["/", "%2F", "%00", "%", "=", "A" * 50, "é", "\ud800", "-_", "+", "%C3", "..", "\x00"]


def mutated(dice: random.Random, seeds: Sequence[str], words: Sequence[str]) -> str:
    text = dice.choice(seeds)
    for _ in range(dice.choice([1, 1, 2, 3, 8])):
        at, end = sorted(dice.choices(range(len(text) + 1), k=2))
        new = dice.choice(
            [
                dice.choice(words),
                chr(dice.randrange(1, 0x250)),
                text[at:end] * dice.choice([0, 2, 30]),
                dice.choice(seeds)[at:end],
            ]
        )
        text = (text[:at] + new + text[dice.choice([at, at + 1, end]) :])[:LONGEST]
    return text


def fuzz(once: Callable[[random.Random], str]) -> None:
    """Call it until the time is over; it gives what it tried."""
    dice = random.Random(SEED)  # noqa: S311 - to be repeatable
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        before = dice.getstate()
        took, tried = timed(once, dice)
        if took >= SLOWEST_SECONDS:
            # Python's collector may have run just then. What is slow itself is slow again.
            dice.setstate(before)
            took = timed(once, dice)[0]
        assert took < SLOWEST_SECONDS, f"{took} s for {tried!r}, FUZZ_SEED={SEED}"


def timed(once: Callable[[random.Random], str], dice: random.Random) -> tuple[float, str]:
    began = time.thread_time()
    tried = once(dice)
    return time.thread_time() - began, tried


def test_any_range_header_is_ignored_refused_or_within_the_file() -> None:
    def once(dice: random.Random) -> str:
        header = mutated(dice, RANGES, RANGE_WORDS)
        size = dice.choice([0, 1, 5, 1000, 1 << 40])
        try:
            spans = parse_range(header, size)
        except UnsatisfiableError:
            return header
        if spans is not None:
            assert 1 <= len(spans) <= MAX_RANGES, (header, size, SEED)
            assert sum(span.length for span in spans) <= size, (header, size, SEED)
            assert all(0 <= span.start < span.stop <= size for span in spans), (header, size, SEED)
        return header

    fuzz(once)


def test_any_mutated_link_is_refused() -> None:
    def once(dice: random.Random) -> str:
        path = mutated(dice, LINKS, LINK_WORDS)
        token, name = ([*path.split("/"), "", "", ""])[2:4]
        if f"/d/{token}/{name}" not in LINKS:
            with pytest.raises(LinkInvalidError):
                read_as_in(LINKS, token, name)
        return path

    fuzz(once)


def read_as_in(known: Sequence[str], token: str, name: str) -> None:
    """Read a link; one that only spells a known one's name in another way is refused here, too."""
    found = read(token, name, RING, 0)
    if any(path.split("/")[2] == token for path in known) and found.serial == LINK.serial:
        raise LinkInvalidError


def test_any_payload_that_bears_our_signature_is_a_link_or_refused() -> None:
    payload = msgspec.msgpack.encode(LINK)

    def once(dice: random.Random) -> str:
        raw = bytearray(payload)
        for _ in range(dice.choice([1, 2, 6])):
            at = dice.randrange(len(raw))
            raw[at : at + dice.randrange(3)] = dice.randbytes(dice.randrange(4))
        token = signed(bytes(raw), RING)
        try:
            found = read(token, "clip.mp4", RING, 0)
        except (LinkInvalidError, LinkExpiredError):
            return token
        assert isinstance(found, Link), SEED
        return token

    fuzz(once)


def signed(payload: bytes, ring: KeyRing) -> str:
    return to_text(b"".join(seal(ring, "link", VERSION, payload, b"clip.mp4")))
