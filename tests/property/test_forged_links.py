"""A link forged in any of 100,000 random ways is never served."""

import random
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

import pytest

from countermark.errors import LinkInvalidError
from countermark.links.keys import KeyRing, LinkKey
from countermark.links.link import mint, read
from countermark.links.sealed import HEAD_BYTES, MAC_BYTES, from_text, to_text
from support.links import LINK, NEW_KEY, OLD_KEY, RING, link

FORGERIES = 100_000
SEED = 20_261_122
PAYLOAD_AT = HEAD_BYTES + MAC_BYTES
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/.%~é\x00 "

Parts = tuple[str, str]  # a link's token and name
Forge = Callable[[random.Random, Parts, Parts], Parts]


def parts_of(path: str) -> Parts:
    token, name = path.split("/")[2:]
    return token, name


# All true: other files, people, times, and an older key.
TRUE = [
    parts_of(mint(link(**changes), ring))
    for ring in (RING, KeyRing([OLD_KEY]))
    for changes in (
        {},
        {"serial": "fedcba9876543210"},
        {"name": "b.mp4", "blob_key": "files/bb/x", "size": 2000},
        {"expires_at": 1, "once": True, "guarded": True},
        {"address": "192.0.2.1", "tag": "ann", "parallel": 0},
    )
]


def altered_text(dice: random.Random, one: Parts, _other: Parts) -> Parts:
    at = dice.randrange(len(one[0]))
    end = at + dice.choice([0, 1, 1, 1, 2, 8])
    return one[0][:at] + "".join(dice.choices(ALPHABET, k=dice.randrange(4))) + one[0][end:], one[1]


def altered_bits(dice: random.Random, one: Parts, _other: Parts) -> Parts:
    raw = bytearray(from_text(one[0]))
    for _ in range(dice.choice([1, 1, 2, 5])):
        raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
    return to_text(bytes(raw)), one[1]


def cut_or_grown(dice: random.Random, one: Parts, _other: Parts) -> Parts:
    raw = from_text(one[0])
    if dice.random() < 0.5:
        return to_text(raw[: dice.randrange(len(raw))]), one[1]
    return to_text(raw + dice.randbytes(dice.randrange(1, 3000))), one[1]


def crossed(dice: random.Random, one: Parts, other: Parts) -> Parts:
    """Head, MAC, payload and name, each of one or the other."""
    ours, theirs = from_text(one[0]), from_text(other[0])
    at, mac_at = dice.choice([(0, HEAD_BYTES), (HEAD_BYTES, PAYLOAD_AT), (0, PAYLOAD_AT)])
    return to_text(ours[:at] + theirs[at:mac_at] + ours[mac_at:]), dice.choice([one, other])[1]


def lifted_to_another_name(_dice: random.Random, one: Parts, other: Parts) -> Parts:
    return one[0], other[1]


def renamed(dice: random.Random, one: Parts, _other: Parts) -> Parts:
    at = dice.randrange(len(one[1]) + 1)
    return one[0], one[1][:at] + dice.choice(["%00", "%2F", "a", ".", "%ff", "é"]) + one[1][at:]


def signed_by_another(dice: random.Random, _one: Parts, _other: Parts) -> Parts:
    stranger = KeyRing([LinkKey(dice.choice([NEW_KEY.id, OLD_KEY.id, 9]), dice.randbytes(32))])
    return parts_of(mint(link(size=dice.randrange(1 << 40)), stranger))


def made_up(dice: random.Random, one: Parts, _other: Parts) -> Parts:
    head = from_text(one[0])[:HEAD_BYTES]
    return to_text(head + dice.randbytes(dice.randrange(400))), one[1]


WAYS: list[Forge] = [
    altered_text,
    altered_bits,
    cut_or_grown,
    crossed,
    lifted_to_another_name,
    renamed,
    signed_by_another,
    made_up,
]


def is_true(forged: Parts) -> bool:
    """A random change may give back what we made, or spell the same name in another way."""
    token, name = forged
    return any(token == made and unquote_to_bytes(name) == known.encode() for made, known in TRUE)


def test_a_forged_link_is_never_served() -> None:
    dice = random.Random(SEED)  # noqa: S311 - the same forgeries at every run
    tried = 0
    while tried < FORGERIES:
        one, other = dice.sample(TRUE, 2)
        forged = dice.choice(WAYS)(dice, one, other)
        if is_true(forged):
            continue
        tried += 1
        with pytest.raises(LinkInvalidError):
            read(*forged, RING, 0)


def test_what_the_forgeries_were_made_of_is_served() -> None:
    assert read(*TRUE[0], RING, 0) == LINK
    assert len({read(*parts, RING, 0).serial for parts in TRUE}) == 2
