"""Strict reading of query strings and form bodies into a msgspec Struct.

The Struct is the one source of a call's parameters: their names, types, bounds, defaults and
descriptions, here and in the OpenAPI document. Unknown parameters are ignored; a known one
stands at most once and says exactly what its type allows.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NoReturn, TypeVar, get_type_hints
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import NODEFAULT, Struct
from msgspec import inspect as kinds

from countermark.errors import PublicError

MAX_PARAMETERS = 100
# Queries that are remembered, and how long one may be: a megabyte in all.
_REMEMBERED = 1024
_REMEMBERED_BYTES = 1024
_INTEGER = re.compile(r"-?[0-9]{1,18}\Z")
# Unpaired surrogates cannot occur after strict UTF-8 decoding.
_BOOLEANS = {"true": True, "false": False}

Q = TypeVar("Q", bound=Struct)


@dataclass(frozen=True)
class Parameter:
    """One parameter of a call.

    Attributes:
        name: As it stands in the query.
        attribute: The Struct's field.
        type: The type as annotated, with its bounds.
        read: Turns text into a value of the plain type, or raises ValueError.
        accepted: What the parameter accepts, for people.
        required: Whether the call needs it.
    """

    name: str
    attribute: str
    type: Any
    read: Callable[[str], Any]
    accepted: str
    required: bool


def parse(raw: bytes, kind: type[Q], error: type[PublicError]) -> Q:
    """Read a query string or a form body.

    Args:
        raw: The bytes as they came.
        kind: What to make of them.
        error: What to raise, with a detail that names the parameter and what it accepts.
    """
    known = parameters(kind)
    values: dict[str, Any] = {}
    for name, text in _pairs(raw, known, error):
        parameter = known[name]
        if parameter.attribute in values:
            raise error(f"{name}: given more than once")
        values[parameter.attribute] = _value(parameter, text, error)
    _check_complete(known, values, error)
    return kind(**values)


def parse_again(raw: bytes, kind: type[Q], error: type[PublicError]) -> Q:
    """Like `parse`, of what may have been read before: many callers ask the same, time and again.

    Not for what must not stay in memory, such as a form with a secret.
    """
    return (_parse_once if len(raw) <= _REMEMBERED_BYTES else parse)(raw, kind, error)  # type: ignore[arg-type]  # a class has a hash


_parse_once = lru_cache(_REMEMBERED)(parse)


def parameters(kind: type[Struct]) -> dict[str, Parameter]:
    """The parameters of a call by name."""
    return _parameters(kind)


@cache
def _parameters(kind: type[Struct]) -> dict[str, Parameter]:
    info = kinds.type_info(kind)
    hints = get_type_hints(kind, include_extras=True)
    return {
        item.encode_name: _parameter(item, hints[item.name])
        for item in info.fields  # type: ignore[attr-defined]  # type_info of a Struct is a StructType
    }


def _check_complete(
    known: dict[str, Parameter], values: dict[str, Any], error: type[PublicError]
) -> None:
    for parameter in known.values():
        if parameter.required and parameter.attribute not in values:
            raise error(f"{parameter.name}: missing; accepted: {parameter.accepted}")


def _pairs(
    raw: bytes, known: dict[str, Parameter], error: type[PublicError]
) -> list[tuple[str, str]]:
    parts = raw.split(b"&") if raw else []
    if len(parts) > MAX_PARAMETERS:
        raise error(f"more than {MAX_PARAMETERS} parameters")
    pairs = []
    for part in parts:
        name, _, value = part.partition(b"=")
        # An unknown name may be anything, a known one is ASCII.
        key = _plain(name).decode("ascii", "replace")
        if key in known:
            pairs.append((key, _text(key, value, error)))
    return pairs


def _plain(raw: bytes) -> bytes:
    """What was encoded for a form; most has nothing to decode."""
    if b"%" not in raw and b"+" not in raw:
        return raw
    return unquote_to_bytes(raw.replace(b"+", b" "))


def _text(name: str, raw: bytes, error: type[PublicError]) -> str:
    try:
        text = _plain(raw).decode()
    except UnicodeDecodeError as cause:
        raise error(f"{name}: not UTF-8") from cause
    if "\0" in text:
        raise error(f"{name}: contains a NUL character")
    return text


def _value(parameter: Parameter, text: str, error: type[PublicError]) -> Any:
    try:
        return msgspec.convert(parameter.read(text), parameter.type)
    except (ValueError, msgspec.ValidationError) as cause:
        _refuse(parameter, text, error, cause)


def _refuse(
    parameter: Parameter, text: str, error: type[PublicError], cause: Exception
) -> NoReturn:
    shown = text if len(text) <= 40 else text[:40] + "…"  # noqa: PLR2004 - enough to recognize it
    raise error(
        f"{parameter.name}: {shown!r} is not accepted; accepted: {parameter.accepted}"
    ) from (cause)


def _parameter(item: Any, hint: Any) -> Parameter:
    kind = plain(item.type)
    return Parameter(
        name=item.encode_name,
        attribute=item.name,
        type=hint,
        read=_reader(kind),
        accepted=_accepted(kind),
        required=item.default is NODEFAULT and item.default_factory is NODEFAULT,
    )


def plain(kind: Any) -> Any:
    """A field's type without its description and without "or null"."""
    if isinstance(kind, kinds.Metadata):
        return plain(kind.type)
    if isinstance(kind, kinds.UnionType):
        return plain(next(one for one in kind.types if not isinstance(one, kinds.NoneType)))
    return kind


def _reader(kind: Any) -> Callable[[str], Any]:
    if isinstance(kind, kinds.BoolType):
        return _read_boolean
    if isinstance(kind, kinds.IntType):
        return _read_integer
    if isinstance(kind, kinds.VarTupleType):
        return _read_list
    return str


def _read_boolean(text: str) -> bool:
    if text not in _BOOLEANS:
        raise ValueError(text)
    return _BOOLEANS[text]


def _read_integer(text: str) -> int:
    if not _INTEGER.match(text):
        raise ValueError(text)
    return int(text)


def _read_list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _accepted(kind: Any) -> str:
    match kind:
        case kinds.BoolType():
            return "true or false"
        case kinds.IntType(ge=low, le=high):
            return f"an integer from {low} to {high}"
        case kinds.LiteralType(values=values):
            return " or ".join(map(str, values))
        case kinds.VarTupleType(item_type=item):
            return "a comma separated list of " + _accepted(plain(item))
        case kinds.StrType(pattern=pattern, max_length=length):
            return (
                f"text matching {pattern}" if pattern else f"at most {length or 'any'} characters"
            )
        case _:
            return "text"
