"""JSON or XML: the parameter `format` first, then the Accept header (RFC 9110, 12.5.1)."""

from typing import Literal

Format = Literal["json", "xml"]
MEDIA_TYPES: dict[Format, str] = {"json": "application/json", "xml": "application/xml"}

_XML_TYPES = {"application/xml", "text/xml"}


def asked_format(raw_query: bytes, accept: str) -> Format:
    """Which format an answer has to have, even if the rest of the request is wrong.

    Args:
        raw_query: The query string as it came.
        accept: The Accept header, or "".
    """
    if b"format=xml" in raw_query or b"format=json" in raw_query:
        for pair in raw_query.split(b"&"):
            if pair in {b"format=xml", b"format=json"}:
                return "xml" if pair == b"format=xml" else "json"
    return accepted_format(accept) if "xml" in accept.lower() else "json"


def accepted_format(accept: str) -> Format:
    """XML if the header likes it better than JSON and does not come from a browser, else JSON.

    Browsers put application/xml before */* without wanting it; they are told by text/html.
    """
    weights = _weights(accept)
    if "text/html" in weights:
        return "json"
    xml = max((weights.get(name, 0.0) for name in _XML_TYPES), default=0.0)
    if (json := weights.get("application/json")) is not None:
        return "xml" if xml > json else "json"
    # A type that is named wins over one that is only not excluded.
    anything = weights.get("application/*", weights.get("*/*", 0.0))
    return "xml" if xml > 0 and xml >= anything else "json"


def _weights(accept: str) -> dict[str, float]:
    weights = {}
    for item in accept.lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        weights[name] = next((_weight(part[2:]) for part in parameters if part[:2] == "q="), 1.0)
    return weights


def _weight(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
