"""The address of a file elsewhere, with its credentials: parsed, and shown without them.

    https://USER:PASSWORD@HOST/PATH?QUERY
    s3://KEY:SECRET@BUCKET/OBJECT?region=NAME&endpoint=URL
    sftp://USER:PASSWORD@HOST:PORT/PATH?host_key=SHA256:FINGERPRINT

What a credential must not contain in a URI is percent-encoded. Only the credentials given there
are used: the service's own are not for whoever writes an address.
"""

from typing import Literal, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from countermark.errors import PlaceInvalidError

Scheme = Literal["http", "https", "s3", "sftp"]
_OPTIONS: dict[str, frozenset[str]] = {
    "s3": frozenset({"region", "endpoint"}),
    "sftp": frozenset({"host_key"}),
}
_LONGEST = 8192
_FORMS = "use https://HOST/PATH, s3://BUCKET/OBJECT or sftp://USER@HOST/PATH"


class Place(NamedTuple):
    """A parsed address.

    Attributes:
        scheme: How it is reached.
        host: Host, or bucket.
        port: None for the scheme's own.
        path: Without percent-encoding, with its leading slash.
        user: User, or access key.
        secret: Password, or secret key.
        options: What is said behind the question mark; none for HTTP, where that is the server's.
        uri: The whole, secrets included.
    """

    scheme: Scheme
    host: str
    port: int | None
    path: str
    user: str | None
    secret: str | None
    options: dict[str, str]
    uri: str

    def __repr__(self) -> str:
        return f"Place({shown(self.uri)!r})"


def parse(uri: str) -> Place:
    """Parse an address.

    Raises:
        PlaceInvalidError: It has none of the forms above.
    """
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise PlaceInvalidError(_FORMS) from error
    if parts.scheme not in {"http", "https", "s3", "sftp"} or not host or len(uri) > _LONGEST:
        raise PlaceInvalidError(_FORMS)
    if any(ord(character) <= ord(" ") for character in uri) or len(parts.path) <= 1:
        raise PlaceInvalidError(f"{_FORMS}, with a file's name and without spaces")
    return Place(
        scheme=parts.scheme,  # type: ignore[arg-type]  # one of them, as just checked
        host=host,
        port=port,
        path=unquote(parts.path),
        user=unquote(parts.username) if parts.username else None,
        secret=unquote(parts.password) if parts.password else None,
        options=_options(parts.scheme, parts.query),
        uri=uri,
    )


def below(folder: str, object_key: str) -> str:
    """The address of a file in a folder elsewhere; the folder's options are the file's, too.

    Raises:
        PlaceInvalidError: The folder's has none of the forms above.
    """
    try:
        parts = urlsplit(folder)
    except ValueError as error:
        raise PlaceInvalidError(_FORMS) from error
    path = f"{parts.path.rstrip('/')}/{quote(object_key)}"
    return parse(urlunsplit(parts._replace(path=path))).uri


def shown(uri: str) -> str:
    """The address as logs and people may see it: without what may be a secret."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return "…"
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}{'?…' if parts.query else ''}"


def _options(scheme: str, query: str) -> dict[str, str]:
    if scheme not in _OPTIONS:
        return {}
    options = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := options.keys() - _OPTIONS[scheme]:
        accepted = ", ".join(sorted(_OPTIONS[scheme]))
        raise PlaceInvalidError(f"{min(unknown)[:40]!r} is no option; accepted: {accepted}")
    return options
