"""The Backtraces resource: asked for, shown, listed, deleted; the worker's part is played."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
import xmlschema

from countermark.autograph.report import in_short
from countermark.catalog.readers import backtraces as read_backtraces
from countermark.catalog.readers import trash as read_trash
from countermark.catalog.writers import backtraces as write_backtraces
from countermark.errors import BacktraceInputMissingError
from countermark.ids import new_id
from countermark.links.keys import KeyRing, LinkKey
from countermark.links.link import read
from countermark.storage.layout import report_key
from support.api import NOW, Account, Hub, error_of
from support.reports import insufficient, named

SCHEMA = xmlschema.XMLSchema(str(Path(__file__).parents[3] / "docs" / "countermark.xsd"))
PATHS = ["/v1/backtraces/", "/v1/titles/backtraces/"]


async def ask(
    owner: Account, input_name: str = "leak.mp4", path: str = PATHS[0], **more: Any
) -> httpx.Response:
    query = more.pop("query", {})
    body = {"pipeline": {"id": owner.pipeline.id}, "input": {"input_name": input_name}, **more}
    return await owner.call("POST", path, params=query, json={"backtrace": body})


async def asked(owner: Account, input_name: str = "leak.mp4", **more: Any) -> dict[str, Any]:
    answer = await ask(owner, input_name, **more)
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["backtrace"])


def finish(hub: Hub, backtrace_id: str, *tags: str, master: str | None = None) -> None:
    """What the worker does at the end."""
    report = named(*tags).report if tags else insufficient().report
    values = {
        "master_id": master,
        "finding": msgspec.to_builtins(in_short(report)),
        "json_size": 10,
        "html_size": 20,
    }
    with hub.database.write() as connection:
        write_backtraces.begin(connection, backtrace_id, hub.clock())
        assert write_backtraces.succeed(connection, backtrace_id, tags, values, hub.clock())


@pytest.mark.parametrize("path", PATHS)
async def test_a_leak_is_traced_from_where_it_was_uploaded(owner: Account, path: str) -> None:
    leak = owner.add_file("leaks/leak.mkv")
    answer = await ask(owner, "leaks/leak.mkv", path)
    assert answer.status_code == 201
    made = answer.json()["backtrace"]
    assert (made["status"], made["percentage_completed"]) == ("QUEUED", 0)
    assert made["input"]["input_name"] == "leaks/leak.mkv"
    assert made["input"]["file"]["id"] == leak.id
    assert made["pipeline"]["id"] == owner.pipeline.id
    assert "extracted_data" not in made
    shown = await owner.get(f"{path}{made['id']}")
    assert shown.json()["backtrace"] == made
    listed = (await owner.get(path)).json()
    assert ([one["id"] for one in listed["backtraces"]], listed["total"]) == ([made["id"]], 1)


async def test_the_recipient_is_what_the_trace_extracted(owner: Account) -> None:
    owner.add_file("leak.mp4")
    master = owner.add_file("film.mp4", autograph=True, size=1000, size_on_disk=2000)
    made = await asked(owner)
    finish(owner.hub, made["id"], "Zoë 🎬", "b", master=master.id)
    shown = (await owner.get(f"/v1/backtraces/{made['id']}")).json()["backtrace"]
    assert (shown["status"], shown["percentage_completed"]) == ("SUCCESS", 100)
    found = shown["extracted_data"]
    assert found["autograph_tag"] == "Zoë 🎬"
    assert found["verdict"] == "named"
    assert [one["autograph_tag"] for one in found["recipients"]] == ["Zoë 🎬", "b"]
    assert found["recipients"][0]["probability"] < 1e-11
    assert found["acting_together"] is True
    assert shown["master"]["id"] == master.id


async def test_insufficient_evidence_names_nobody_and_says_what_would_do(owner: Account) -> None:
    owner.add_file("leak.mp4")
    made = await asked(owner)
    finish(owner.hub, made["id"])
    found = (await owner.get(f"/v1/backtraces/{made['id']}")).json()["backtrace"]["extracted_data"]
    assert "autograph_tag" not in found
    assert found["verdict"] == "insufficient evidence"
    assert found["more_seconds_needed"] == 34.6
    assert found["recipients"] == []


async def test_the_report_has_signed_links_for_an_hour(owner: Account) -> None:
    owner.add_file("leak.mp4")
    made = await asked(owner)
    finish(owner.hub, made["id"], "a")
    report = (await owner.get(f"/v1/backtraces/{made['id']}")).json()["backtrace"]["report"]
    wanted = (("html", "text/html; charset=utf-8", 20), ("json", "application/json", 10))
    for form, mime_type, size in wanted:
        token, name = urlsplit(report[form]).path.removeprefix("/d/").split("/")
        link = read(token, name, KeyRing([LinkKey(1, b"k" * 32)]), NOW // 1000)
        assert (link.blob_key, link.mime_type, link.size) == (
            report_key(made["id"], form),
            mime_type,
            size,
        )
        assert link.expires_at == NOW // 1000 + 3600
        assert link.file == made["id"]
    listed = (await owner.get("/v1/backtraces/")).json()["backtraces"]
    assert "report" not in listed[0]


async def test_lists_filter_by_status_and_by_part_of_the_tag(owner: Account) -> None:
    owner.add_file("leak.mp4")
    waiting, zoe, anna, nobody = [(await asked(owner))["id"] for _ in range(4)]
    finish(owner.hub, zoe, "ZOË 100%")
    finish(owner.hub, anna, "first", "Anna_1")
    finish(owner.hub, nobody)
    filters: list[tuple[dict[str, str], list[str]]] = [
        ({"status": "QUEUED"}, [waiting]),
        ({"status": "QUEUED,SUCCESS"}, [waiting, zoe, anna, nobody]),
        ({"autograph_tag": "zoë 1"}, [zoe]),
        ({"extracted_data__autograph_tag": "0%"}, [zoe]),
        ({"autograph_tag": "a_1"}, [anna]),
        ({"autograph_tag": "a%1"}, []),
        ({"pipeline__id": owner.pipeline.id, "direction": "-1"}, [nobody, anna, zoe, waiting]),
        ({"sort": "extracted_data.autograph_tag", "start": "2"}, [zoe, anna]),
    ]
    for params, wanted in filters:
        listed = (await owner.get("/v1/backtraces/", **params)).json()
        assert [one["id"] for one in listed["backtraces"]] == wanted, params


async def test_pages_lead_to_each_other(owner: Account) -> None:
    owner.add_file("leak.mp4")
    ids = [(await asked(owner))["id"] for _ in range(3)]
    first = (await owner.get("/v1/backtraces/", limit=2)).json()
    assert [one["id"] for one in first["backtraces"]] == ids[:2]
    second = (await owner.call("GET", first["next"]["href"])).json()
    assert [one["id"] for one in second["backtraces"]] == ids[2:]


async def test_references_expand(owner: Account) -> None:
    owner.add_file("leak.mp4")
    master = owner.add_file("film.mp4", autograph=True, size=1000, size_on_disk=2000)
    made = await asked(owner)
    finish(owner.hub, made["id"], "a", master=master.id)
    shown = await owner.get(f"/v1/backtraces/{made['id']}", expand="file,pipeline")
    found = shown.json()["backtrace"]
    assert found["input"]["file"]["name"] == "leak.mp4"
    assert found["master"]["autograph"] is True
    assert found["pipeline"]["name"] == "films"


async def test_xml_says_the_same(owner: Account) -> None:
    owner.add_file("leak.mp4")
    made = await asked(owner)
    finish(owner.hub, made["id"], "a & <b>", "c")
    for path in (f"/v1/backtraces/{made['id']}", "/v1/backtraces/"):
        for nulls in ("true", "false"):
            answer = await owner.get(path, format="xml", show_null=nulls)
            SCHEMA.validate(answer.text)
            assert "<recipient><autograph_tag>a &amp; &lt;b&gt;</autograph_tag>" in answer.text


async def test_a_failure_says_why(owner: Account) -> None:
    owner.add_file("leak.mp4")
    made = await asked(owner)
    with owner.hub.database.write() as connection:
        write_backtraces.fail(connection, made["id"], BacktraceInputMissingError(), NOW)
    shown = (await owner.get(f"/v1/backtraces/{made['id']}")).json()["backtrace"]
    assert (shown["status"], shown["error_code"]) == ("FAILURE", "0x02a0003")
    assert shown["error_msg"].startswith("Upload the leak again")


async def test_a_deleted_backtrace_is_gone_with_its_report(owner: Account) -> None:
    owner.add_file("leak.mp4")
    made = await asked(owner)
    finish(owner.hub, made["id"], "a")
    path = f"/v1/backtraces/{made['id']}"
    assert (await owner.call("DELETE", path)).status_code == 204
    assert error_of(await owner.get(path))[:2] == (404, "0x02a0002")
    assert error_of(await owner.call("DELETE", path))[:2] == (404, "0x02a0002")
    with owner.hub.database.read() as connection:
        assert set(read_trash.trash(connection, 10)) == {
            report_key(made["id"], form) for form in ("html", "json")
        }
        assert read_backtraces.waiting(connection) == []


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"input": {"input_name": "unknown.mp4"}}, 400, "0x02a0001"),
        ({"input": {"input_name": ""}}, 400, "0x02a0001"),
        ({"input": {}}, 400, "0x02a0001"),
        ({"pipeline": {"id": "0" * 24}}, 404, "0x0210002"),
        ({"pipeline": {"id": "x"}}, 400, "0x02a0001"),
        ({"master": {"id": "0" * 24}}, 400, "0x02a0001"),
        ({"query": {"job_id": "0" * 24}}, 404, "0x0220002"),
        ({"query": {"job_id": "x"}}, 400, "0x02a0001"),
    ],
)
async def test_what_cannot_be_traced_is_refused(
    owner: Account, change: dict[str, Any], status: int, code: str
) -> None:
    owner.add_file("leak.mp4")
    assert error_of(await ask(owner, **change))[:2] == (status, code)


async def test_a_master_named_must_be_one(owner: Account) -> None:
    leak = owner.add_file("leak.mp4")
    assert error_of(await ask(owner, master={"id": leak.id}))[:2] == (400, "0x02a0001")
    master = owner.add_file("film.mp4", autograph=True, size=1000, size_on_disk=2000)
    assert (await ask(owner, master={"id": master.id})).status_code == 201


async def test_another_users_backtraces_are_not_there(owner: Account, stranger: Account) -> None:
    owner.add_file("leak.mp4")
    path = f"/v1/backtraces/{(await asked(owner))['id']}"
    for method in ("GET", "DELETE"):
        assert error_of(await stranger.call(method, path))[:2] == (404, "0x02a0002")
    assert (await stranger.get("/v1/backtraces/")).json()["total"] == 0
    assert error_of(await ask(stranger))[:2] == (400, "0x02a0001")


async def test_backtraces_need_the_scope_autograph(owner: Account) -> None:
    owner.add_file("leak.mp4")
    owner.token = await owner.new_token(scope="mediahub")
    answers = [await ask(owner), *[await owner.get(path) for path in PATHS]]
    answers += [await owner.call("DELETE", f"/v1/backtraces/{new_id()}")]
    for answer in answers:
        assert error_of(answer)[:2] == (403, "0x0000003")
