"""Signed links and upload forms: what was given out comes back, and nothing else does."""

import base64
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.errors import LinkExpiredError, LinkInvalidError, UploadRefusedError
from countermark.links.keys import KeyRing, LinkKey
from countermark.links.link import MAX_NAME_BYTES, download_url, mint, path_name, read
from countermark.links.policy import form, read_form
from support.links import LINK, NEW_KEY, OLD_KEY, RING, link, policy

NAMES = st.text(max_size=300)
TEXTS = st.text(max_size=40)
TOKEN, NAME = mint(LINK, RING).split("/")[2:]
FORM = form(policy(), RING)


@given(
    name=NAMES,
    size=st.integers(0, 1 << 60),
    mime_type=TEXTS,
    inline=st.booleans(),
    address=st.none() | st.ip_addresses().map(str),
    expires_at=st.integers(1, 1 << 40),
)
def test_a_link_says_what_was_minted(name: str, **changes: object) -> None:
    minted = link(name=name, **changes)
    path = mint(minted, RING)
    root, d, token, last = path.split("/")
    assert (root, d) == ("", "d")
    assert path.isascii()
    found = read(token, last, RING, minted.expires_at - 0.001)
    assert found == link(name=path_name(name), **changes)


@given(name=NAMES)
def test_a_name_in_a_path_is_one_that_a_client_can_save(name: str) -> None:
    shown = path_name(name)
    assert 0 < len(shown.encode()) <= MAX_NAME_BYTES
    assert shown not in {".", ".."}
    if 0 < len(name.encode()) <= MAX_NAME_BYTES and name not in {".", ".."}:
        assert shown == name


def test_a_long_name_keeps_its_ending() -> None:
    assert path_name("ü" * 300 + ".mp4").endswith("ü.mp4")
    assert len(path_name("." + "x" * 300)) == MAX_NAME_BYTES


@given(bit=st.integers(0, len(base64.urlsafe_b64decode(TOKEN + "==")) * 8 - 1))
def test_any_altered_bit_is_refused(bit: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(TOKEN + "=="))
    raw[bit // 8] ^= 1 << bit % 8
    altered = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    with pytest.raises(LinkInvalidError):
        read(altered, NAME, RING, 0)


@given(at=st.integers(0, len(TOKEN) - 1), character=st.characters())
def test_any_altered_character_is_refused(at: int, character: str) -> None:
    altered = TOKEN[:at] + character + TOKEN[at + 1 :]
    if altered == TOKEN:
        return
    with pytest.raises(LinkInvalidError):
        read(altered, NAME, RING, 0)


@given(name=NAMES)
def test_under_another_name_it_is_refused(name: str) -> None:
    if name == LINK.name:
        return
    with pytest.raises(LinkInvalidError):
        read(TOKEN, quote(name.encode("utf-8", "replace"), safe=""), RING, 0)


@given(
    token=st.text(max_size=200)
    | st.binary(max_size=300).map(lambda b: base64.urlsafe_b64encode(b).decode())
)
def test_what_we_did_not_mint_is_refused(token: str) -> None:
    with pytest.raises(LinkInvalidError):
        read(token, NAME, RING, 0)


def test_other_spellings_of_the_name_are_the_same_name() -> None:
    token, name = mint(link(name="a b.mp4"), RING).split("/")[2:]
    assert name == "a%20b.mp4"
    assert read(token, "%61%20b%2Emp4", RING, 0).name == "a b.mp4"


def test_a_token_beyond_the_limit_is_not_even_decoded() -> None:
    with pytest.raises(LinkInvalidError):
        read("A" * 5000, NAME, RING, 0)
    with pytest.raises(LinkInvalidError):
        read(TOKEN, "A" * 5000, RING, 0)


def test_a_link_ends_at_its_second() -> None:
    token, name = mint(link(expires_at=1000), RING).split("/")[2:]
    assert read(token, name, RING, 999.99).expires_at == 1000
    with pytest.raises(LinkExpiredError):
        read(token, name, RING, 1000)


def test_an_altered_link_that_has_expired_is_altered_first() -> None:
    token, name = mint(link(expires_at=1000), RING).split("/")[2:]
    with pytest.raises(LinkInvalidError):
        read(token[:-2] + "AA", name, RING, 2000)


def test_links_of_an_older_key_hold_until_it_is_dropped() -> None:
    token, name = mint(LINK, KeyRing([OLD_KEY])).split("/")[2:]
    assert read(token, name, RING, 0) == LINK
    with pytest.raises(LinkInvalidError):
        read(token, name, KeyRing([NEW_KEY]), 0)


def test_a_key_of_the_same_id_and_another_secret_is_another_key() -> None:
    with pytest.raises(LinkInvalidError):
        read(TOKEN, NAME, KeyRing([LinkKey(NEW_KEY.id, b"z" * 32)]), 0)


def test_two_links_of_one_file_differ_by_their_serial() -> None:
    assert mint(link(serial="1"), RING) != mint(link(serial="2"), RING)


def test_a_key_does_not_show_its_secret() -> None:
    assert "secret" not in repr(LinkKey(1, b"secret" * 8))


@pytest.mark.parametrize(("key_id", "secret"), [(-1, b"x" * 32), (1 << 32, b"x" * 32), (1, b"x")])
def test_a_weak_or_impossible_key_is_refused(key_id: int, secret: bytes) -> None:
    with pytest.raises(ValueError, match="key"):
        LinkKey(key_id, secret)


def test_a_download_url_is_below_the_edges_base() -> None:
    assert download_url("https://x.example/edge/", "/d/t/n") == "https://x.example/edge/d/t/n"


@given(object_key=TEXTS, max_bytes=st.integers(0, 1 << 60), address=st.none() | TEXTS)
def test_a_form_says_what_was_given_out(**changes: object) -> None:
    given_out = policy(**changes)
    assert read_form(form(given_out, RING), RING, 0) == given_out


def test_a_forms_fields_come_in_the_order_to_send_them() -> None:
    assert list(FORM) == ["key", "policy", "signature", "success_action_status"]


@given(
    field=st.sampled_from(["key", "policy", "signature"]),
    at=st.integers(0, 30),
    character=st.characters(),
)
def test_any_altered_character_of_a_form_is_refused(field: str, at: int, character: str) -> None:
    text = FORM[field]
    altered = text[: at % len(text)] + character + text[at % len(text) + 1 :]
    if altered == text:
        return
    with pytest.raises(UploadRefusedError):
        read_form({**FORM, field: altered}, RING, 0)


@pytest.mark.parametrize("field", ["key", "policy", "signature"])
def test_a_missing_field_is_refused(field: str) -> None:
    with pytest.raises(UploadRefusedError):
        read_form({name: text for name, text in FORM.items() if name != field}, RING, 0)


def test_a_form_ends_at_its_second() -> None:
    with pytest.raises(UploadRefusedError):
        read_form(form(policy(ends_at=1000), RING), RING, 1000)


def test_a_signature_for_one_purpose_is_none_for_another() -> None:
    raw = base64.urlsafe_b64decode(TOKEN + "==")
    lifted = {
        "key": LINK.name,
        "policy": base64.urlsafe_b64encode(raw[:5] + raw[37:]).rstrip(b"=").decode(),
        "signature": base64.urlsafe_b64encode(raw[5:37]).rstrip(b"=").decode(),
    }
    with pytest.raises(UploadRefusedError):
        read_form(lifted, RING, 0)


@given(name=st.text(min_size=1, max_size=80))
def test_a_name_survives_the_path(name: str) -> None:
    last = mint(link(name=name), RING).split("/")[3]
    assert unquote(last) == path_name(name)


def test_a_link_that_was_read_before_still_ends_in_time_and_with_its_key() -> None:
    token, name = mint(LINK, KeyRing([OLD_KEY])).split("/")[2:]
    for _ in range(2):
        assert read(token, name, KeyRing([OLD_KEY, NEW_KEY]), 0) == LINK
        assert read(token, name, RING, 0) == LINK
        with pytest.raises(LinkExpiredError):
            read(token, name, RING, LINK.expires_at)
        with pytest.raises(LinkInvalidError):
            read(token, name, KeyRing([NEW_KEY]), 0)
