"""Object keys: paths of files below a pipeline's root folder, as clients choose them.

A key is taken as it is or refused, never mended: what a client stores under a key it must find
under the same one. The limits are those of S3 keys and of file names.
"""

import unicodedata

MAX_KEY_BYTES = 1024
MAX_SEGMENT_BYTES = 255
# For the OpenAPI document, whose lengths count characters; `object_key_problem` decides.
_SEGMENT = r"(?!\.{1,2}(/|$))[^/\\\x00-\x1f\x7f-\x9f]{1,255}"
KEY_PATTERN = f"^{_SEGMENT}(/{_SEGMENT})*$"


def object_key_problem(key: str) -> str | None:
    """What is wrong with a key, for people; None if nothing is."""
    if not key or len(key.encode("utf-8", "replace")) > MAX_KEY_BYTES:
        return f"accepted: 1 to {MAX_KEY_BYTES} bytes"
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in key):
        return "contains a control character"
    if "\\" in key:
        return "contains a backslash; separate folders by /"
    if key.startswith("/"):
        return "starts with /; keys are relative to the pipeline's root folder"
    return next(filter(None, map(_segment_problem, key.split("/"))), None)


def _segment_problem(segment: str) -> str | None:
    if segment in {"", ".", ".."}:
        return "contains an empty, . or .. segment"
    if len(segment.encode()) > MAX_SEGMENT_BYTES:
        return f"a segment is over {MAX_SEGMENT_BYTES} bytes"
    return None


def folders_of(key: str) -> list[str]:
    """The keys of the folders that a key lies in, outermost first."""
    segments = key.split("/")
    return ["/".join(segments[:count]) for count in range(1, len(segments))]
