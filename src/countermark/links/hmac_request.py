"""API requests signed by HMAC in place of a bearer token.

The caller appends `&client_id=…&expiry_time=…` and perhaps `&multi_use=…` to the query, computes
HMAC-SHA256 with the client secret over the text from `/v1/` to there, and appends
`&signature=<lower-case hex>`. What is verified are the bytes of the request target as they came:
decoding and encoding anew could make two requests look the same that are not.
"""

import hmac
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

from countermark.errors import AccessError
from countermark.ids import is_id

ROOT: Final = b"/v1/"
PARAMETERS: Final = ("client_id", "expiry_time", "multi_use", "signature")

# Requests that are remembered, and how long one may be: a megabyte in all.
_REMEMBERED = 1024
_REMEMBERED_BYTES = 1024
_SIGNATURE_START = b"&signature="
_SIGNATURE = re.compile(r"[0-9a-f]{64}\Z")
_SECONDS = re.compile(r"[0-9]{1,11}\Z")


@dataclass(frozen=True)
class SignedRequest:
    """What a signed request says of itself; nothing of it is proven before `check`.

    Attributes:
        client_id: the application's id.
        expiry_time: the first second since the epoch at which the request is no longer good.
        multi_use: false if it is good for one time only.
        signature: 64 lower-case hex digits.
        signed: the bytes that the signature covers.
    """

    client_id: str
    expiry_time: int
    multi_use: bool
    signature: str
    signed: bytes

    @property
    def spend_key(self) -> str:
        """What to spend in the ledger, until `expiry_time`, when `multi_use` is false."""
        return f"hmac/{self.client_id}/{self.signature}"


def parse(raw_path: bytes, raw_query: bytes) -> SignedRequest | None:
    """Take a request target apart, or give None if it has no signature.

    Args:
        raw_path: the path as it came, still percent-encoded; what precedes `/v1/` is not signed,
            since the caller may see the API under a prefix that we do not.
        raw_query: the query as it came, without the question mark.

    Raises:
        AccessError: a signature is there, but the request is not of the form that we verify.
    """
    return (_parse_once if len(raw_query) <= _REMEMBERED_BYTES else _parse)(raw_path, raw_query)


def _parse(raw_path: bytes, raw_query: bytes) -> SignedRequest | None:
    given = _given(raw_query)
    if not given["signature"]:
        return None
    repeated = next((name for name in PARAMETERS if len(given[name]) > 1), None)
    if repeated:
        raise AccessError(f"{repeated} is given more than once.")
    signed_query, _, signature = raw_query.rpartition(_SIGNATURE_START)
    if b"&" in signature or given["signature"] != [signature]:
        raise AccessError("signature must be the last parameter, after client_id and expiry_time.")
    _, root, path = raw_path.partition(ROOT)
    client_id, expiry_time = _text(given, "client_id"), _text(given, "expiry_time")
    multi_use = _text(given, "multi_use", "true")
    _refuse_malformed(client_id, expiry_time, multi_use, _text(given, "signature"))
    return SignedRequest(
        client_id,
        int(expiry_time),
        multi_use == "true",
        signature.decode(),
        root + path + b"?" + signed_query,
    )


# A signed URL that stands on a page comes time and again. To take it apart says nothing of whether
# it is good; `check` does, each time.
_parse_once = lru_cache(_REMEMBERED)(_parse)


def check(request: SignedRequest, secret: bytes, now_s: float) -> None:
    """Verify the signature, then the time.

    Args:
        request: as parsed.
        secret: the application's client secret, base64-decoded.
        now_s: the time, seconds since the epoch.

    Raises:
        AccessError: the signature is not of this secret, or the request's time is over.
    """
    if not hmac.compare_digest(_signature(request.signed, secret), request.signature):
        raise AccessError("The signature does not match the request.")
    if now_s >= request.expiry_time:
        raise AccessError("The signed request has expired.")


def sign(
    path_and_query: str,
    client_id: str,
    secret: bytes,
    expiry_time: int,
    *,
    multi_use: bool | None = None,
) -> str:
    """Append the parameters that sign a request.

    Args:
        path_and_query: from `/v1/` on, encoded as it will be sent.
        client_id: the application's id.
        secret: its client secret, base64-decoded.
        expiry_time: seconds since the epoch.
        multi_use: None leaves the parameter out, which means true.
    """
    joint = "&" if "?" in path_and_query else "?"
    target = f"{path_and_query}{joint}client_id={client_id}&expiry_time={expiry_time}"
    if multi_use is not None:
        target += f"&multi_use={str(multi_use).lower()}"
    return f"{target}&signature={_signature(target.encode(), secret)}"


def _signature(signed: bytes, secret: bytes) -> str:
    return hmac.digest(secret, signed, "sha256").hex()


def _given(raw_query: bytes) -> dict[str, list[bytes]]:
    """Every value of our parameters, however their names are spelt."""
    given: dict[str, list[bytes]] = {name: [] for name in PARAMETERS}
    for pair in raw_query.split(b"&"):
        raw_name, _, value = pair.partition(b"=")
        if b"%" in raw_name or b"+" in raw_name:
            raw_name = unquote_to_bytes(raw_name.replace(b"+", b" "))
        name = raw_name.decode("utf-8", "replace")
        if name in given:
            given[name].append(value)
    return given


def _text(given: dict[str, list[bytes]], name: str, default: str = "") -> str:
    values = given[name]
    return values[0].decode("ascii", "replace") if values else default


def _refuse_malformed(client_id: str, expiry_time: str, multi_use: str, signature: str) -> None:
    if not is_id(client_id):
        raise AccessError("client_id is missing or malformed.")
    if not _SECONDS.match(expiry_time):
        raise AccessError("expiry_time is missing or not in whole seconds since the epoch.")
    if multi_use not in {"true", "false"}:
        raise AccessError("multi_use must be true or false.")
    if not _SIGNATURE.match(signature):
        raise AccessError("signature must be 64 lower-case hexadecimal digits.")
