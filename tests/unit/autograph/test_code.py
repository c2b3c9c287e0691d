"""The fingerprinting code; golden values pin what issued copies carry."""

import hashlib

import numpy as np
import pytest

from countermark.autograph.code import Code, symbols_of_draws
from countermark.autograph.derivation import CHUNK_SEGMENTS, MAX_TAG_BYTES, TagError, tag_bytes

KEY = bytes(range(32))
MASTER = "65f0c0ffee0123456789abcd"
GOLDEN = {
    2: ([[13, 3], [5, 11]], "6d1663eb277dc54c", "f33bc4e9a35525b2"),
    4: ([[6, 4, 3, 3], [2, 6, 3, 5]], "936b79a5d284bcdd", "c30166423311e421"),
    8: (
        [[4, 2, 1, 4, 1, 1, 1, 2], [1, 1, 5, 2, 1, 2, 1, 3]],
        "5bcc40af9e650433",
        "61eaf015ef611aa4",
    ),
}


def the_code(variants: int, key: bytes = KEY, master: str = MASTER) -> Code:
    return Code(key, master, variants)


def digest(values: np.ndarray) -> str:
    return hashlib.sha256(values.tobytes()).hexdigest()[:16]


@pytest.mark.parametrize("variants", [2, 4, 8])
def test_issued_masters_keep_their_biases_and_codewords(variants: int) -> None:
    code, segments = the_code(variants), np.arange(3 * CHUNK_SEGMENTS)
    rows, biases, word = GOLDEN[variants]
    assert code.biases(segments)[:2].tolist() == rows
    assert digest(code.biases(segments)) == biases
    assert digest(code.codeword("Zoë 🎬", segments)) == word


@pytest.mark.parametrize("variants", [2, 4, 8])
def test_code_equals_a_slow_one_of_plain_integers(variants: int) -> None:
    segments = np.array([0, 1, 7, CHUNK_SEGMENTS - 1, CHUNK_SEGMENTS, 5 * CHUNK_SEGMENTS + 3])
    code = the_code(variants)
    slow = [slow_symbol(variants, "slow", int(segment)) for segment in segments]
    assert code.biases(segments).tolist() == [biases for biases, _ in slow]
    assert code.codeword("slow", segments).tolist() == [symbol for _, symbol in slow]


def slow_symbol(variants: int, tag: str, segment: int) -> tuple[list[int], int]:
    chunk, place = divmod(segment, 1344)
    tail = bytes([variants]) + chunk.to_bytes(4, "big") + KEY
    tail += hashlib.blake2b(MASTER.encode(), digest_size=32).digest()
    balls, weight = 16 - variants, {2: 6, 4: 2, 8: 1}[variants]
    random = hashlib.shake_128(b"countermark autograph v1b" + tail).digest(2 * 1344 * balls)
    counts = [0] * variants
    for ball in range(balls):
        at = 2 * (place * balls + ball)
        left = int.from_bytes(random[at : at + 2], "little") % (2 * ball + variants * weight)
        colour = 0
        while left >= 2 * counts[colour] + weight:
            left -= 2 * counts[colour] + weight
            colour += 1
        counts[colour] += 1
    word = hashlib.shake_128(b"countermark autograph v1w" + tail + tag.encode()).digest(672)
    draw = word[place // 2] >> 4 if place % 2 == 0 else word[place // 2] & 15
    biases = [count + 1 for count in counts]
    return biases, next(k for k in range(variants) if draw < sum(biases[: k + 1]))


@pytest.mark.parametrize("variants", [2, 4, 8])
def test_symbols_fall_as_often_as_their_biases_say(variants: int) -> None:
    code, segments = the_code(variants), np.arange(40)
    biases = code.biases(segments) / 16
    words = np.stack([code.codeword(f"recipient {number}", segments) for number in range(4000)])
    shares = (words[:, :, None] == np.arange(variants)).mean(axis=0)
    spread = np.sqrt(biases * (1 - biases) / len(words))
    assert np.abs((shares - biases) / spread).max() < 4.5
    assert np.sqrt((((shares - biases) / spread) ** 2).mean()) < 1.15


def test_two_variants_have_symmetric_biases_from_one_to_fifteen_sixteenths() -> None:
    first = the_code(2).biases(np.arange(20_000))[:, 0]
    counts = np.bincount(first, minlength=17)
    assert counts[0] == counts[16] == 0
    assert counts[1:16].all()
    assert abs(first.mean() - 8) < 0.1


@pytest.mark.parametrize(
    "other",
    [
        the_code(2, key=bytes(32)),
        the_code(2, master="65f0c0ffee0123456789abce"),
        the_code(2, master=""),
    ],
)
def test_another_key_or_master_is_another_code(other: Code) -> None:
    segments = np.arange(2000)
    code = the_code(2)
    assert (code.biases(segments) == other.biases(segments)).all(axis=1).mean() < 0.2
    agreement = (code.codeword("tag", segments) == other.codeword("tag", segments)).mean()
    assert abs(agreement - 0.5) < 0.06


def test_tags_that_differ_in_one_bit_have_unrelated_codewords() -> None:
    segments = np.arange(4000)
    code = the_code(2)
    biases = code.biases(segments) / 16
    chance = (biases**2).sum(axis=1).mean()
    agreement = (code.codeword("tag0", segments) == code.codeword("tag1", segments)).mean()
    assert abs(agreement - chance) < 0.04


def test_tags_that_only_look_alike_are_two_recipients() -> None:
    assert tag_bytes("Zo\u00eb") != tag_bytes("Zoe\u0308")


@pytest.mark.parametrize("tag", ["", "x" * (MAX_TAG_BYTES + 1), "é" * 129, "\ud800"])
def test_empty_long_and_broken_tags_are_refused(tag: str) -> None:
    with pytest.raises(TagError):
        the_code(2).codeword(tag, np.arange(3))


@pytest.mark.parametrize("tag", [" ", "\0", "x" * MAX_TAG_BYTES, "é" * 128, "\U0010ffff"])
def test_any_other_text_is_a_tag(tag: str) -> None:
    assert the_code(4).codeword(tag, np.arange(50)).max() < 4


@pytest.mark.parametrize("variants", [0, 1, 3, 16])
def test_only_2_4_and_8_variants_exist(variants: int) -> None:
    with pytest.raises(ValueError, match="2, 4 or 8"):
        the_code(variants)


def test_a_short_key_is_refused_and_no_key_is_shown() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Code(b"short", MASTER, 2)
    assert repr(KEY) not in repr(the_code(2))


@pytest.mark.parametrize("segments", [np.array([-1]), np.array([1 << 32]), np.array([[1]])])
def test_segments_that_cannot_be_are_refused(segments: np.ndarray) -> None:
    with pytest.raises(ValueError, match="Segments"):
        the_code(2).codeword("tag", segments)


def test_no_segments_have_no_symbols() -> None:
    assert the_code(8).biases(np.array([], np.int64)).shape == (0, 8)
    assert the_code(8).codeword("tag", np.array([], np.int64)).shape == (0,)


def test_each_symbol_owns_as_many_draws_as_its_bias() -> None:
    draws = np.arange(16, dtype=np.uint8)[None]
    symbols = symbols_of_draws(np.array([[3, 1, 11, 1]], np.uint8), draws)
    assert symbols.tolist() == [[0] * 3 + [1] + [2] * 11 + [3]]
