"""Taking secrets out of what is logged, wherever in an event they stand.

Whoever logs leaves secrets out; this is for what nobody thought of, such as the text of an
exception that quotes a URL. Links are secrets: who has one has the file.
"""

import logging
import re
from collections.abc import MutableMapping
from typing import Any

HIDDEN = "***"
_SECRET_KEYS = frozenset(
    {
        *("authorization", "client_secret", "cookie", "password", "policy"),
        *("secret", "set_cookie", "signature", "token"),
    }
)
_PATTERNS = (
    # The token of a link, wherever the link stands; the name after it helps and opens nothing.
    (re.compile(r"(/d/)[A-Za-z0-9_%-]{16,}"), rf"\1{HIDDEN}"),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (
        re.compile(
            r"""((?:signature|client_secret|access_token|password|secret|policy)["']?\s*[=:]\s*["']?)"""
            r"""[^\s"'&,;}]+""",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    # The password of a URL.
    (re.compile(r"(://[^/\s@:]*:)[^/\s@]+@"), rf"\1{HIDDEN}@"),
)
_DEEPEST = 6


def redact(text: str) -> str:
    """The text without what opens something."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def redact_event(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A processor of structlog, to stand after exceptions have become text."""
    return {key: _clean(key, value, 0) for key, value in event.items()}


def _clean(key: object, value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth == _DEEPEST or (
        isinstance(key, str) and key.lower().replace("-", "_") in _SECRET_KEYS
    ):
        return HIDDEN
    if isinstance(value, dict):
        return {name: _clean(name, one, depth + 1) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(None, one, depth + 1) for one in value]
    return redact(value if isinstance(value, str) else repr(value))


class RedactingFormatter(logging.Formatter):
    """For what libraries log by themselves."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text, traceback and all."""
        return redact(super().format(record))
