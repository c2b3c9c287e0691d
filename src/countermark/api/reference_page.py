"""The reference as one HTML page made from the OpenAPI document: no script, no outside address."""

from html import escape
from importlib import resources
from typing import Any

import msgspec

Document = dict[str, Any]


def render(document: Document) -> bytes:
    """Write the page."""
    style = resources.files("countermark.api").joinpath("reference.css").read_text()
    calls = [
        (method.upper(), path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    info = document["info"]
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{escape(info['title'])} API</title><style>{style}</style></head><body>",
        f"<h1>{escape(info['title'])} API {escape(info['version'])}</h1>",
        f"<p>{escape(info['description'])} ",
        '<a href="v1/openapi.json">OpenAPI document</a></p><nav><ul>',
        *(_entry(*call) for call in calls),
        "</ul></nav>",
        _schemes(document["components"]["securitySchemes"]),
        *(_call(*call) for call in calls),
        _schemas(document["components"]["schemas"]),
        "</body></html>",
    ]
    return "".join(parts).encode()


def _entry(method: str, path: str, operation: Document) -> str:
    link = f'<a href="#{operation["operationId"]}"><code>{escape(path)}</code></a>'
    return f"<li><code>{method}</code> {link} {escape(operation['summary'])}</li>"


def _schemes(schemes: Document) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(scheme['description'])}</td></tr>"
        for name, scheme in schemes.items()
    )
    return f"<h2>Authorization</h2><table>{rows}</table>"


def _call(method: str, path: str, operation: Document) -> str:
    scopes = {scope for one in operation["security"] for some in one.values() for scope in some}
    schemes = " or ".join(name for one in operation["security"] for name in one)
    needs = f"{schemes}; scope {' or '.join(sorted(scopes))}" if scopes else "nothing"
    return "".join(
        (
            f'<h2 id="{operation["operationId"]}"><code>{method} {escape(path)}</code></h2>',
            f"<p>{escape(operation['summary'])} {escape(operation.get('description', ''))}</p>",
            f"<p>Needs: {escape(needs)}</p>",
            _parameters(operation["parameters"]),
            _body(operation.get("requestBody")),
            _responses(operation["responses"]),
        )
    )


def _parameters(parameters: list[Document]) -> str:
    if not parameters:
        return ""
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{one['in']}"
        f"{', required' if one['required'] else ''}</td><td>{escape(_type(one['schema']))}</td>"
        f"<td>{escape(one.get('description', ''))}</td></tr>"
        for one in parameters
    )
    return f"<table><tr><th>Parameter<th>In<th>Type<th>Meaning</tr>{rows}</table>"


def _body(body: Document | None) -> str:
    if body is None:
        return ""
    ((media_type, content),) = body["content"].items()
    return f"<p>Body: <code>{media_type}</code>, {_link(content['schema']['$ref'])}</p>"


def _responses(responses: Document) -> str:
    rows = "".join(
        f"<tr><td>{status}</td><td>{escape(response['description'])}</td></tr>"
        for status, response in responses.items()
    )
    table = f"<table><tr><th>Status<th>Meaning</tr>{rows}</table>"
    success = next(iter(responses.values())).get("content", {})
    return table + "".join(
        f"<details><summary>Example: {media_type}</summary><pre>{_example(content)}</pre></details>"
        for media_type, content in success.items()
        if "example" in content
    )


def _example(content: Document) -> str:
    example = content["example"]
    if isinstance(example, str):
        return escape(example)
    return escape(msgspec.json.format(msgspec.json.encode(example), indent=2).decode())


def _schemas(schemas: Document) -> str:
    return "<h2>Schemas</h2>" + "".join(_schema(name, one) for name, one in schemas.items())


def _schema(name: str, schema: Document) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(key)}</code></td><td>{escape(_type(one))}</td>"
        f"<td>{escape(one.get('description', ''))}</td></tr>"
        for key, one in schema.get("properties", {}).items()
    )
    text = escape(schema.get("description", ""))
    return f'<h3 id="schema-{name}">{name}</h3><p>{text}</p><table>{rows}</table>'


def _type(schema: Document) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    name = str(schema.get("type", "any"))
    if name == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return name


def _link(ref: str) -> str:
    name = ref.rpartition("/")[2]
    return f'<a href="#schema-{name}">{name}</a>'
