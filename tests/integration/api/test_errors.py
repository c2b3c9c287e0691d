"""Every failure, wherever it arises, has the shape of the reference and tells nothing else."""

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from countermark import errors
from countermark.catalog.database import Database
from support.api import Account, Hub, error_of, running

SECRET = "/srv/secret/path"


async def test_an_unknown_route_is_said_so_in_the_shape(hub: Hub) -> None:
    for path in ("/", "/v1", "/v1/nothing", "/v2/files/", "/v1/files/a/b/c", "/%00", "/%ff", "/é"):
        for method in ("GET", "POST", "OPTIONS", "DELETE"):
            answer = await hub.http.request(method, path)
            expected = (404, "0x0000002", "Requested resource does not exist")
            assert error_of(answer) == expected
    assert (await hub.http.head("/nothing")).content == b""


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/v1/files/", "GET, HEAD, OPTIONS"),
        ("PATCH", "/v1/files/0", "DELETE, GET, HEAD, OPTIONS"),
        ("TRACE", "/v1/files/downloads/", "GET, HEAD, OPTIONS"),
        ("GET", "/v1/oauth2/token/", "OPTIONS, POST"),
        ("DELETE", "/v1/files/uploads/0", "GET, HEAD, OPTIONS, PUT"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(
    hub: Hub, method: str, path: str, allowed: str
) -> None:
    answer = await hub.http.request(method, path)
    assert error_of(answer) == (405, "0x0000004", "Method not allowed")
    assert sorted(answer.headers["allow"].split(", ")) == allowed.split(", ")


async def test_errors_come_as_xml_too(hub: Hub) -> None:
    for path in ("/v1/nothing?format=xml", "/v1/files/?format=xml", "/v1/files/?x&format=xml&y"):
        answer = await hub.http.get(path)
        assert answer.headers["content-type"] == "application/xml"
        assert "<error><error_code>0x" in answer.text
    answer = await hub.http.get("/v1/files/", headers={"Accept": "application/xml"})
    assert "<error_code>0x0000003</error_code>" in answer.text


async def test_a_body_of_another_type_or_size_is_refused(hub: Hub, owner: Account) -> None:
    wrong_type = await owner.call("POST", "/v1/pipelines/", data={"name": "x"})
    assert error_of(wrong_type) == (415, "0x0000006", "Unsupported media type")
    as_json = await hub.http.post("/v1/oauth2/token/", json={"grant_type": "client_credential"})
    assert error_of(as_json)[:2] == (415, "0x0000006")
    large = await owner.call("POST", "/v1/pipelines/", json={"pipeline": {"name": "n" * 70_000}})
    assert error_of(large) == (413, "0x0000005", "Request body too large")


async def test_a_failure_inside_tells_nothing_and_is_logged(
    tmp_path: Path, sqlite_database: Database
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError(SECRET)

    async with running(
        tmp_path, sqlite_database, change=lambda parts: parts | {"ring": fail}
    ) as hub:
        owner = await hub.account()
        record = owner.add_file()
        with capture_logs() as logs:
            answer = await owner.get("/v1/files/downloads/", file_id=record.id)
    assert error_of(answer) == (500, "0x0000001", "Internal Error")
    assert answer.json() == {
        "error": {"error_code": "0x0000001", "error_message": "Internal Error"}
    }
    (entry,) = logs
    assert SECRET in str(entry["exc_info"])
    assert owner.token not in str(entry)


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (errors.UnavailableError(), 503, "0x0000007"),
        (errors.StorageError(SECRET), 503, "0x0000007"),
        (errors.StorageFullError(), 507, "0x0240004"),
    ],
)
async def test_a_part_that_fails_is_reported_by_its_code(
    tmp_path: Path, sqlite_database: Database, raised: Exception, status: int, code: str
) -> None:
    def fail(*_: Any) -> None:
        raise raised

    async with running(
        tmp_path, sqlite_database, change=lambda parts: parts | {"enqueue_ingest": fail}
    ) as hub:
        owner = await hub.account()
        params = {"object_key": "a", "pipeline_id": owner.pipeline.id}
        begun = await owner.call("POST", "/v1/files/uploads/", params=params)
        upload_id = begun.json()["upload"]["id"]
        await hub.put_note(upload_id, 0)
        answer = await owner.call(
            "PUT", f"/v1/files/uploads/{upload_id}", json={"upload": {"nb_chunks": 1}}
        )
    assert error_of(answer)[:2] == (status, code)
    assert SECRET not in answer.text


async def test_browsers_may_call_from_anywhere(hub: Hub, owner: Account) -> None:
    preflight = await hub.http.options(
        f"/v1/files/{owner.user.id}",
        headers={"Origin": "https://app.example", "Access-Control-Request-Method": "DELETE"},
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "DELETE" in preflight.headers["access-control-allow-methods"]
    assert "Authorization" in preflight.headers["access-control-allow-headers"]
    for answer in (
        await owner.get("/v1/files/"),
        await hub.http.get("/v1/files/"),
        await hub.http.get("/nothing"),
    ):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_wrong_host_or_query_encoding_is_no_server_error(hub: Hub) -> None:
    for query in ("%", "%zz", "a=%c3", "%c3=a", "=", "&&&", "format=%6a%73on"):
        assert (await hub.http.get(f"/v1/files/?{query}")).status_code == 403
