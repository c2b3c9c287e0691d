"""The signed link: all that the edge needs to know to serve a file, and proof that we said it.

`/d/<token>/<name>`: the token is head, MAC and payload (links/sealed.py), the payload is the link
as MessagePack. The name is the last segment so that `wget` and players name the file well; it is
not in the payload a second time, but bound to it: under another name the token does not verify.
"""

from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes

import msgspec

from countermark.errors import LinkExpiredError, LinkInvalidError
from countermark.links.keys import KeyRing
from countermark.links.sealed import (
    HEAD_BYTES,
    MAC_BYTES,
    NotSealedError,
    Sealed,
    check,
    from_text,
    seal,
    to_text,
)

PREFIX = "/d/"
VERSION = 1
MAX_NAME_BYTES = 255  # what file systems take, thus what a client can save

# Links that are remembered, and how long one may be: two megabytes in all.
_REMEMBERED = 1024
_REMEMBERED_CHARACTERS = 1024
_MAX_SUFFIX_BYTES = 32
# Each byte may come as "%XX".
_MAX_PATH_NAME_CHARACTERS = 3 * MAX_NAME_BYTES


class Link(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What a link says.

    The fields are a MessagePack array in this order. New ones are appended with a default, which a
    link minted before has.

    Attributes:
        blob_key: which blob to serve.
        name: the file's name for the user, without folders.
        size: of the file, bytes; a blob of another size is not the one that was meant.
        mime_type: IANA type of the answer.
        etag: strong entity tag, without the quotes.
        modified_at: for Last-Modified, milliseconds since the epoch.
        expires_at: the first second since the epoch at which the link no longer works.
        inline: shown by a browser if true, saved if false.
        address: the only client address that may use it, in canonical text, or None for all.
        account: id of the user who owns the file.
        application: id of the application that asked for the link.
        file: id of the file.
        serial: random, one for each link made.
        tag: AutoGraph tag of the person that it is for, "" for none.
        parallel: how many other downloads of the same person may run, or None for any number.
        once: whether the file may be downloaded only once with it.
        guarded: whether it is bound to the first client, and refused to listed addresses.
        poster: whether a picture to show before the file plays lies beside the blob.
        subtitles: languages of the WebVTT tracks beside the blob, "" for undetermined ones.
        variants: of a master, how many of its variants the blob holds, each of `size` bytes, for a
            copy to be spliced of; 1 for a blob that is sent as it is.
    """

    blob_key: str
    name: str
    size: int
    mime_type: str
    etag: str
    modified_at: int
    expires_at: int
    inline: bool
    address: str | None
    account: str
    application: str
    file: str
    serial: str
    tag: str = ""
    parallel: int | None = None
    once: bool = False
    guarded: bool = False
    poster: bool = False
    subtitles: tuple[str, ...] = ()
    variants: int = 1

    @property
    def needs_ledger(self) -> bool:
        """Whether it cannot be decided from the link alone."""
        return self.parallel is not None or self.once or self.guarded

    @property
    def mark(self) -> str:
        """The tag that a copy of a master carries: the person's, else the application's."""
        return self.tag or application_mark(self.application)


def application_mark(application: str) -> str:
    """The tag of copies that an application asks for without naming a person."""
    return f"application/{application}"


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Link)


def mint(link: Link, ring: KeyRing) -> str:
    """Give the link's URL path.

    A name that cannot be a path's last segment or is over 255 bytes is shortened to one that can.
    """
    name = path_name(link.name)
    payload = _encoder.encode(msgspec.structs.replace(link, name=""))
    token = to_text(b"".join(seal(ring, "link", VERSION, payload, name.encode())))
    return f"{PREFIX}{token}/{quote(name, safe='')}"


def read(path_token: str, name: str, ring: KeyRing, now_s: float) -> Link:
    """Give back what was minted.

    Args:
        path_token: the token, as it stands in the path.
        name: the path's last segment, still percent-encoded.
        ring: the keys in use.
        now_s: the time, seconds since the epoch.

    Raises:
        LinkInvalidError: the link is not exactly as it was minted, or its key is no longer in use.
        LinkExpiredError: it is, but its time is over.
    """
    if len(name) > _MAX_PATH_NAME_CHARACTERS:
        raise LinkInvalidError
    remembered = len(path_token) + len(name) <= _REMEMBERED_CHARACTERS
    link = (_opened_once if remembered else _opened)(path_token, name, ring)
    if now_s >= link.expires_at:
        raise LinkExpiredError
    return link


def _opened(path_token: str, name: str, ring: KeyRing) -> Link:
    try:
        context = unquote_to_bytes(name)
        sealed = _split(from_text(path_token))
        link = _decoder.decode(check(sealed, ring, "link", VERSION, context))
        return msgspec.structs.replace(link, name=context.decode())
    # Neither a path nor a payload need be UTF-8.
    except (NotSealedError, msgspec.MsgspecError, UnicodeError) as error:
        raise LinkInvalidError from error


# A player asks with the same link for many ranges. What is remembered was true under exactly these
# keys: they are read anew every few seconds, as another ring. What is false is never remembered.
_opened_once = lru_cache(_REMEMBERED)(_opened)


def _split(raw: bytes) -> Sealed:
    payload_at = HEAD_BYTES + MAC_BYTES
    return Sealed(raw[:HEAD_BYTES], raw[HEAD_BYTES:payload_at], raw[payload_at:])


def download_url(edge_url: str, path: str) -> str:
    """The absolute URL of a minted path, below the edge's public base."""
    return edge_url.rstrip("/") + path


def path_name(name: str) -> str:
    """The name as it stands in the path: never empty, a dot segment, or over 255 bytes."""
    # Lone surrogates have no UTF-8 form.
    name = name.encode("utf-8", "replace").decode()
    if name in {"", ".", ".."}:
        return "file"
    raw = name.encode()
    if len(raw) <= MAX_NAME_BYTES:
        return name
    stem, dot, suffix = raw.rpartition(b".")
    ending = dot + suffix if stem and len(suffix) < _MAX_SUFFIX_BYTES else b""
    kept = raw[: MAX_NAME_BYTES - len(ending)] + ending
    # The cut may have gone through a character.
    return kept.decode("utf-8", "ignore")
