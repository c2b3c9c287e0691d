"""HMAC-signed requests: exactly the bytes that were signed are accepted."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.errors import AccessError
from countermark.links.hmac_request import SignedRequest, check, parse, sign

CLIENT = "54820cec18bac397e161aebc"
SECRET = b"a client's secret"
QUERY = st.text(
    st.characters(codec="ascii", exclude_characters="&#? ", categories=["L", "N", "P"]), max_size=20
)


def parsed(target: str) -> SignedRequest | None:
    path, _, query = target.partition("?")
    return parse(path.encode(), query.encode())


def checked(target: str, now_s: float = 0, secret: bytes = SECRET) -> SignedRequest:
    request = parsed(target)
    assert request is not None
    check(request, secret, now_s)
    return request


def signed(text: str) -> str:
    return f"{text}&signature={hmac.digest(SECRET, text.encode(), 'sha256').hex()}"


ENDING = f"client_id={CLIENT}&expiry_time=2000"
TARGET = sign("/v1/files/downloads/?file_id=1", CLIENT, SECRET, 2000)


@given(
    value=QUERY,
    expiry_time=st.integers(1, 10**10),
    multi_use=st.sampled_from([None, True, False]),
    prefix=st.sampled_from(["", "/hub", "/a/b"]),
)
def test_what_is_signed_is_accepted(
    *, value: str, expiry_time: int, multi_use: bool | None, prefix: str
) -> None:
    target = sign(
        f"/v1/files/downloads/?x={value}", CLIENT, SECRET, expiry_time, multi_use=multi_use
    )
    request = checked(prefix + target)
    assert request.client_id == CLIENT
    assert request.expiry_time == expiry_time
    assert request.multi_use == (multi_use is not False)


def test_a_request_without_other_parameters_can_be_signed() -> None:
    assert checked(sign("/v1/files/downloads/", CLIENT, SECRET, 2000)).multi_use


@given(
    at=st.integers(4, len(TARGET) - 1),
    character=st.characters(codec="ascii", exclude_characters="?"),
)
def test_any_altered_character_is_refused(at: int, character: str) -> None:
    altered = TARGET[:at] + character + TARGET[at + 1 :]
    if altered == TARGET:
        return
    try:
        request = parsed(altered)
    except AccessError:
        return
    if request is not None:
        with pytest.raises(AccessError):
            check(request, SECRET, 0)


def test_another_encoding_of_the_same_parameters_is_another_request() -> None:
    with pytest.raises(AccessError, match="match"):
        checked(TARGET.replace("file_id=1", "file_id=%31"))


def test_another_secret_is_refused() -> None:
    with pytest.raises(AccessError, match="match"):
        checked(TARGET, secret=b"another")


def test_a_request_ends_at_its_second() -> None:
    checked(TARGET, now_s=1999.9)
    with pytest.raises(AccessError, match="expired"):
        checked(TARGET, now_s=2000)


def test_a_wrong_signature_is_told_before_the_time() -> None:
    with pytest.raises(AccessError, match="match"):
        checked(TARGET[:-1] + ("0" if TARGET[-1] != "0" else "1"), now_s=3000)


def test_without_a_signature_it_is_no_signed_request() -> None:
    assert parsed(f"/v1/files/?{ENDING}") is None
    assert parsed("/v1/files/") is None


@pytest.mark.parametrize(
    "query",
    [
        f"client_id={CLIENT}&{ENDING}",
        f"{ENDING}&expiry_time=3000",
        f"{ENDING}&multi_use=true&multi_use=false",
        f"client%5Fid={CLIENT}&{ENDING}",
        f"{ENDING}&signature=00",
        f"{ENDING}&%73ignature=00",
    ],
)
def test_a_repeated_parameter_is_refused_however_it_is_spelt(query: str) -> None:
    with pytest.raises(AccessError, match="more than once"):
        parsed(signed(f"/v1/files/?{query}"))


def test_a_signature_that_is_not_last_is_refused() -> None:
    with pytest.raises(AccessError, match="last"):
        parsed(TARGET + "&file_id=2")
    with pytest.raises(AccessError, match="last"):
        parsed(f"/v1/files/?signature={'0' * 64}&{ENDING}")
    with pytest.raises(AccessError, match="last"):
        parsed(f"/v1/files/?{ENDING}&%73ignature={'0' * 64}")


@pytest.mark.parametrize(
    "query",
    [
        "expiry_time=2000",
        f"client_id={CLIENT}",
        "client_id=short&expiry_time=2000",
        f"client_id={CLIENT}&expiry_time=-1",
        f"client_id={CLIENT}&expiry_time=2e9",
        f"client_id={CLIENT}&expiry_time=999999999999",
        f"{ENDING}&multi_use=True",
        f"{ENDING}&multi_use=",
    ],
)
def test_a_missing_or_malformed_parameter_is_refused(query: str) -> None:
    with pytest.raises(AccessError):
        parsed(signed(f"/v1/files/?{query}"))


def test_an_upper_case_signature_is_not_a_second_spelling() -> None:
    head, _, signature = TARGET.rpartition("=")
    with pytest.raises(AccessError, match="lower-case"):
        parsed(f"{head}={signature.upper()}")


def test_what_is_spent_names_the_one_signature() -> None:
    assert checked(TARGET).spend_key == f"hmac/{CLIENT}/{TARGET[-64:]}"


@given(path=st.binary(max_size=40), query=st.binary(max_size=80))
def test_no_bytes_can_do_more_than_be_refused(path: bytes, query: bytes) -> None:
    try:
        request = parse(path, query + b"&signature=" + b"0" * 64)
    except AccessError:
        return
    assert request is not None
