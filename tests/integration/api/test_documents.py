"""The OpenAPI document, the reference page and the documents in docs/ say what is so."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from countermark.api.app import RESOURCES
from countermark.api.examples import EXAMPLES
from countermark.api.resources import ErrorAnswer
from countermark.errors import public_errors
from support.api import API_URL, Hub

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture
async def document(hub: Hub) -> dict[str, Any]:
    answer = await hub.http.get("/v1/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    return dict(answer.json())


def test_every_error_code_is_documented() -> None:
    text = (DOCS / "errors.md").read_text()
    documented = set(
        re.findall(r"^\| `(0x[0-9a-f]{7})` \| (\d{3}) \| ([^|]+?) \|", text, re.MULTILINE)
    )
    assert documented == {
        (error.code, str(error.status), error.message) for error in public_errors()
    }


async def test_every_route_is_in_the_document(hub: Hub, document: dict[str, Any]) -> None:
    routed = {
        (re.sub(r":[a-z]+}", "}", operation.path), operation.method.lower())
        for route in hub.app.routed.routes
        for handler in getattr(route, "route_handlers", None) or [route.route_handler]
        for operation in handler.opt["operations"]
    }
    documented = {(path, method) for path, some in document["paths"].items() for method in some}
    assert documented == routed
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": API_URL}]


async def test_every_json_answer_has_its_xml_beside_it(document: dict[str, Any]) -> None:
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                content = set(response.get("content", ()))
                others = {"show_openapi", "show_reference", "follow_job"}
                if operation["operationId"] in others and status == "200":
                    continue
                assert content in (set(), {"application/json", "application/xml"})


async def test_every_call_documents_its_errors(document: dict[str, Any]) -> None:
    calls = {
        operation["operationId"]: operation["responses"]
        for operations in document["paths"].values()
        for operation in operations.values()
    }
    assert set(calls["show_file"]) == {"200", "400", "403", "404", "500", "503"}
    assert set(calls["get_download"]) == {"200", "302", "400", "403", "404", "500", "503"}
    assert "0x0230002" in calls["show_file"]["404"]["description"]
    assert {"413", "415"} < set(calls["finish_upload"])


async def test_every_parameter_is_described(document: dict[str, Any]) -> None:
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation["parameters"]:
                assert parameter["description"], parameter
                assert parameter["schema"], parameter


async def test_the_parameters_of_the_reference_are_there(document: dict[str, Any]) -> None:
    def of(path: str) -> set[str]:
        return {parameter["name"] for parameter in document["paths"][path]["get"]["parameters"]}

    common = {"format", "human", "show_null", "expand_all", "expand", "bin_data"}
    paging = {"start", "limit", "sort", "direction", "type", "pipeline.id", "job.id"}
    assert of("/v1/files/") == common | paging
    assert of("/v1/files/{id}") == common | {"id"}
    assert of("/v1/files/downloads/") == {
        *("format", "human", "object_key", "pipeline_id", "file_id", "autograph_tag", "redirect"),
        *("expiry_time", "anti_fraud", "max_parallel_downloads", "streaming", "ip"),
    }


def test_examples_are_answers() -> None:
    kinds = {
        operation.answer.__name__: operation.answer for operation in RESOURCES if operation.answer
    }
    assert set(EXAMPLES) <= set(kinds) | {ErrorAnswer.__name__}
    for name, example in EXAMPLES.items():
        msgspec.convert(example, kinds[name])


async def test_the_reference_page_needs_nothing_from_outside(hub: Hub) -> None:
    answer = await hub.http.get("/docs")
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", answer.text)
    for word in ("GET /v1/files/{id}", "show_null", "0x0230002", "signature"):
        assert word in answer.text


async def test_health_is_told(hub: Hub) -> None:
    answer = await hub.http.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_readiness_is_told(hub: Hub) -> None:
    answer = await hub.http.get("/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


def test_the_xml_schema_knows_every_field() -> None:
    text = (DOCS / "countermark.xsd").read_text()
    for operation in RESOURCES:
        if operation.answer:
            for name in re.findall(
                r'"(\w+)":', msgspec.json.encode(_names(operation.answer)).decode()
            ):
                assert f'name="{name}"' in text, name


def _names(kind: type[msgspec.Struct]) -> dict[str, Any]:
    _, schemas = msgspec.json.schema_components([kind])
    return {name: 0 for schema in schemas.values() for name in schema.get("properties", {})}
