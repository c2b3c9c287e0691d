"""XML answers: one element a key under the root `response` (docs/countermark.xsd).

A list is an element with one element for each item, named in the singular; null is xsi:nil.
"""

import re
from typing import Any

XSI = "http://www.w3.org/2001/XMLSchema-instance"
_HEAD = f'<?xml version="1.0" encoding="UTF-8"?>\n<response xmlns:xsi="{XSI}">'
ITEM_NAMES = {
    "files": "file",
    "pipelines": "pipeline",
    "users": "user",
    "applications": "application",
    "presets": "preset",
    "codecs": "codec",
    "profiles": "profile",
    "jobs": "job",
    "backtraces": "backtrace",
    "recipients": "recipient",
    "outputs": "output",
    "images": "image",
    "thumbnails": "thumbnail",
    "logos": "logo",
    "warnings": "warning",
    "urls": "url",
    "elements": "element",
    "parents": "parent",
    "scopes": "scope",
    "refusals": "refusal",
    "tags": "tag",
    "video_tracks": "video_track",
    "audio_tracks": "audio_track",
    "subtitle_tracks": "subtitle_track",
}
# What is not a Char of XML 1.0 (2.2) cannot be written in any way, so it is replaced.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPECIAL = re.compile("[&<>\r]")
# A bare carriage return would be read back as a line feed.
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}


def to_xml(answer: dict[str, Any], *, human: bool) -> bytes:
    """Write an answer that consists of dicts, lists, text, numbers, booleans and nulls.

    Args:
        answer: Keys are XML names.
        human: Whether to put every element on a line of its own, indented.
    """
    parts = [_HEAD]
    for key, value in answer.items():
        _write(parts, key, value, "\n    " if human else "")
    parts.append("\n</response>\n" if human else "</response>")
    return "".join(parts).encode()


def _write(parts: list[str], name: str, value: Any, indent: str) -> None:
    if isinstance(value, str):
        parts.append(f"{indent}<{name}>{_escape(value)}</{name}>")
    elif value is None:
        parts.append(f'{indent}<{name} xsi:nil="true"/>')
    elif isinstance(value, bool):
        parts.append(f"{indent}<{name}>{'true' if value else 'false'}</{name}>")
    elif isinstance(value, dict):
        _write_all(parts, name, list(value.items()), indent)
    elif isinstance(value, list):
        _write_all(parts, name, [(ITEM_NAMES[name], item) for item in value], indent)
    else:
        parts.append(f"{indent}<{name}>{value}</{name}>")


def _write_all(parts: list[str], name: str, items: list[tuple[str, Any]], indent: str) -> None:
    parts.append(f"{indent}<{name}>")
    inner = indent and indent + "    "
    for key, value in items:
        _write(parts, key, value, inner)
    parts.append(f"{indent if items else ''}</{name}>")


def _escape(text: str) -> str:
    clean = _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
    return _SPECIAL.sub(lambda match: _ESCAPES[match[0]], clean)
