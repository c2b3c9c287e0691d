"""Plain JSON over HTTP, for the setting up around what is measured."""

import json
import urllib.error
import urllib.request
from typing import Any

from bench.load import HOST


def call(
    port: int, method: str, path: str, body: Any = None, token: str = "", form: bytes | None = None
) -> Any:
    """One request with a JSON (or ready form) body; the answer as parsed JSON, None if empty."""
    data = form if body is None else json.dumps(body).encode()
    headers = {"Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(
        f"http://{HOST}:{port}{path}", data=data, headers=headers, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        said = error.read(500).decode(errors="replace")
        raise RuntimeError(f"{method} {path.partition('?')[0]}: {error.code} {said}") from error
    return json.loads(text) if text else None
