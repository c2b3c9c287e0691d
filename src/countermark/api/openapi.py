"""The OpenAPI 3.1 document, made from the operations: nothing is described that is not done."""

from collections.abc import Iterable
from http import HTTPStatus
from importlib import metadata
from inspect import getdoc
from typing import Any

import msgspec
from msgspec import Struct

from countermark.api.examples import EXAMPLES
from countermark.api.negotiation import MEDIA_TYPES
from countermark.api.operation import FORM, JSON, Operation
from countermark.api.query import Parameter, parameters
from countermark.api.resources import REFERENCED, ErrorAnswer, Problem
from countermark.api.xml import ITEM_NAMES, to_xml
from countermark.errors import (
    AccessError,
    BodyTooLargeError,
    InternalError,
    PublicError,
    UnavailableError,
    UnsupportedMediaTypeError,
)

Document = dict[str, Any]
REF = "#/components/schemas/{name}"

_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The resource's id.",
    "schema": {"type": "string", "pattern": "^[0-9a-f]{24}$"},
}
_TAG = {
    "name": "tag",
    "in": "path",
    "required": True,
    "description": "An AutoGraph tag.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 256},
}
_SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of POST /v1/oauth2/token/.",
    },
    "hmac": {
        "type": "apiKey",
        "in": "query",
        "name": "signature",
        "description": "Append client_id, expiry_time (seconds since the epoch) and, if you like, "
        "multi_use (true, or false for a URL that works once) to the query; then signature: the "
        "lower-case hex HMAC-SHA256, with the base64-decoded client secret as key, of everything "
        "from /v1/ to there, exactly as it is sent. The signature is the last parameter.",
    },
}


def document(operations: Iterable[Operation[Any]], api_url: str) -> Document:
    """Describe the operations.

    Args:
        operations: All of them.
        api_url: The API's public base.
    """
    listed = list(operations)
    paths: Document = {}
    for operation in listed:
        path = operation.path.replace(":str}", "}").replace(":path}", "}")
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Countermark",
            "version": metadata.version("countermark"),
            "description": "A self-hosted hub for media files. Every route answers with and "
            "without the trailing slash, every GET also to HEAD.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": api_url}],
        "paths": paths,
        "components": {"schemas": _schemas(listed), "securitySchemes": _SECURITY_SCHEMES},
    }


def errors_of(operation: Operation[Any]) -> list[type[PublicError]]:
    """Every error that a call may answer, by code."""
    errors: set[type[PublicError]] = {InternalError, UnavailableError, operation.invalid}
    errors.update(operation.errors)
    if operation.scopes is not None:
        errors.add(AccessError)
    if "{id" in operation.path:
        errors.add(operation.missing)
    if operation.body or operation.form:
        errors |= {UnsupportedMediaTypeError, BodyTooLargeError}
    return sorted(errors, key=lambda error: error.code)


def _operation(operation: Operation[Any]) -> Document:
    summary, _, description = (getdoc(operation.handler) or "").partition("\n\n")
    described: Document = {
        "operationId": operation.name,
        "summary": summary.replace("\n", " "),
        "parameters": _parameters(operation),
        "responses": _responses(operation),
        "security": _security(operation),
    }
    if description:
        described["description"] = description.replace("\n", " ")
    if operation.body or operation.form:
        described["requestBody"] = _request_body(operation)
    return described


def _security(operation: Operation[Any]) -> list[Document]:
    if operation.scopes is None:
        return []
    wanted = sorted(operation.scopes)
    schemes: list[Document] = [{"bearer": wanted}]
    if operation.open:
        return [{}, *schemes]
    return [*schemes, {"hmac": wanted}] if operation.signable else schemes


def _parameters(operation: Operation[Any]) -> list[Document]:
    path = [one for one in (_ID, _TAG) if f"{{{one['name']}:" in operation.path]
    defaults = {item.encode_name: item.default for item in msgspec.structs.fields(operation.query)}
    known = parameters(operation.query).values()
    return path + [_parameter(one, defaults[one.name]) for one in known]


def _parameter(parameter: Parameter, default: Any) -> Document:
    schema = _without_null(msgspec.json.schema(parameter.type))
    described: Document = {"name": parameter.name, "in": "query", "required": parameter.required}
    if "description" in schema:
        described["description"] = schema.pop("description")
    if schema.get("type") == "array":
        described |= {"style": "form", "explode": False}
    if default is not msgspec.NODEFAULT and default is not None and default != ():
        schema["default"] = default
    return described | {"schema": schema}


def _without_null(schema: Document) -> Document:
    choices = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return rest | choices[0] if len(choices) == 1 else schema


def _without_default(schema: Document) -> Document:
    return {key: value for key, value in schema.items() if key != "default"}


def _request_body(operation: Operation[Any]) -> Document:
    kind, media_type = (operation.form, FORM) if operation.form else (operation.body, JSON)
    schema = {"$ref": REF.format(name=kind.__name__ if kind else "")}
    return {"required": True, "content": {media_type: {"schema": schema}}}


def _responses(operation: Operation[Any]) -> Document:
    success: Document = {"description": HTTPStatus(operation.status).phrase}
    if operation.answer:
        success["content"] = _content(operation.answer)
    elif operation.media_type:
        success["content"] = {operation.media_type: {"schema": {}}}
    responses = {str(operation.status): success}
    if operation.redirects:
        location = {"description": "The link.", "schema": {"type": "string", "format": "uri"}}
        responses["302"] = {"description": "With redirect=true.", "headers": {"Location": location}}
    return responses | _error_responses(errors_of(operation))


def _error_responses(errors: list[type[PublicError]]) -> Document:
    responses: Document = {}
    for status in sorted({error.status for error in errors}):
        same = [error for error in errors if error.status == status]
        text = "; ".join(f"{error.code}: {error.message}" for error in same)
        problem = Problem(same[0].code, same[0].message)
        example = msgspec.to_builtins(ErrorAnswer(problem))
        responses[str(status)] = {"description": text, "content": _content(ErrorAnswer, example)}
    return responses


def _content(answer: type[Struct], example: Document | None = None) -> Document:
    name = answer.__name__
    example = example or EXAMPLES.get(name)
    json: Document = {"schema": {"$ref": REF.format(name=name)}}
    xml: Document = {"schema": {"$ref": REF.format(name=name), "xml": {"name": "response"}}}
    if example:
        json["example"] = example
        xml["example"] = to_xml(example, human=True).decode()
    return {MEDIA_TYPES["json"]: json, MEDIA_TYPES["xml"]: xml}


def _schemas(operations: list[Operation[Any]]) -> Document:
    kinds: set[type[Struct]] = {ErrorAnswer, *REFERENCED}
    for operation in operations:
        kinds.update(filter(None, (operation.answer, operation.body, operation.form)))
    ordered = sorted(kinds, key=lambda kind: kind.__name__)
    _, schemas = msgspec.json.schema_components(ordered, ref_template=REF)
    for schema in schemas.values():
        for name, one in schema.get("properties", {}).items():
            _name_items(name, one)
    for form in filter(None, (operation.form for operation in operations)):
        described = schemas[form.__name__]["properties"]
        schemas[form.__name__]["properties"] = {
            name: _without_default(_without_null(one)) for name, one in described.items()
        }
    return dict(sorted(schemas.items()))


def _name_items(name: str, schema: Document) -> None:
    """Say how a list looks in XML: wrapped, its items named in the singular."""
    for one in (schema, *schema.get("anyOf", ())):
        if one.get("type") == "array" and name in ITEM_NAMES:
            one["xml"] = {"wrapped": True}
            one["items"] = {**one["items"], "xml": {"name": ITEM_NAMES[name]}}
