"""The upload form: what authorizes a post of file content to the edge, without any token.

The shape is that of S3's browser uploads, which clients of the original service know: a policy
that says what may be sent where and until when, and its signature. Fields travel as text in
multipart/form-data, before the content.
"""

from collections.abc import Mapping

import msgspec

from countermark.errors import UploadRefusedError
from countermark.links.keys import KeyRing
from countermark.links.sealed import (
    HEAD_BYTES,
    NotSealedError,
    Sealed,
    check,
    from_text,
    seal,
    to_text,
)

VERSION = 1
SUCCESS_STATUS = "201"


class UploadPolicy(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What may be uploaded.

    Attributes:
        upload_id: the upload that the content belongs to.
        object_key: where the user will find it, relative to the pipeline's root folder.
        max_bytes: the most that one post may carry.
        ends_at: the first second since the epoch at which posts are no longer taken.
        address: the only client address that may post, in canonical text, or None for all.
    """

    upload_id: str
    object_key: str
    max_bytes: int
    ends_at: int
    address: str | None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(UploadPolicy)


def form(policy: UploadPolicy, ring: KeyRing) -> dict[str, str]:
    """Give the fields that a client must send first, in this order, before the part `file`."""
    head, mac, payload = seal(ring, "upload", VERSION, _encoder.encode(policy), b"")
    return {
        "key": policy.object_key,
        "policy": to_text(head + payload),
        "signature": to_text(mac),
        "success_action_status": SUCCESS_STATUS,
    }


def read_form(fields: Mapping[str, str], ring: KeyRing, now_s: float) -> UploadPolicy:
    """Give back the policy of a form; fields that the form did not have are ignored.

    Raises:
        UploadRefusedError: a field is missing or altered, or the policy's time is over.
    """
    try:
        claims = from_text(fields["policy"])
        sealed = Sealed(claims[:HEAD_BYTES], from_text(fields["signature"]), claims[HEAD_BYTES:])
        policy = _decoder.decode(check(sealed, ring, "upload", VERSION, b""))
    except KeyError as error:
        raise UploadRefusedError(f"The field {error} is missing.") from error
    except (NotSealedError, msgspec.MsgspecError) as error:
        raise UploadRefusedError(
            "The policy or its signature is not as it was given out."
        ) from error
    if fields.get("key") != policy.object_key:
        raise UploadRefusedError("The field 'key' is not that of the policy.")
    if now_s >= policy.ends_at:
        raise UploadRefusedError("The policy has expired. Start a new upload.")
    return policy
