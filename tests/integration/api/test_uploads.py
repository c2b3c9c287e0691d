"""The upload's first and third step, and how it shows."""

from typing import Any

import pytest

from countermark.catalog.readers import uploads as read_uploads
from countermark.catalog.writers import uploads as write_uploads
from countermark.ids import new_id
from countermark.links.keys import KeyRing, LinkKey
from countermark.links.policy import read_form
from support.api import API_URL, EDGE_URL, NOW, Account, Hub, error_of

UPLOADS = "/v1/files/uploads/"
NOW_S = NOW // 1000
DAY = 86_400_000


async def begin(owner: Account, object_key: str = "a/b.mp4", **params: Any) -> dict[str, Any]:
    known = {"object_key": object_key, "pipeline_id": owner.pipeline.id}
    answer = await owner.call("POST", UPLOADS, params=known | params)
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["upload"])


async def finish(owner: Account, upload_id: str, nb_chunks: Any = 1) -> Any:
    body = {"upload": {"nb_chunks": nb_chunks}}
    return await owner.call("PUT", f"{UPLOADS}{upload_id}", json=body)


def expiry(owner: Account, upload_id: str) -> int | None:
    with owner.hub.database.read() as connection:
        record = read_uploads.upload(connection, owner.user.id, upload_id)
    assert record is not None
    return record.file_expires_at


async def test_a_new_upload_has_the_fields_of_the_notes(owner: Account) -> None:
    upload = await begin(owner, show_null="true")
    assert list(upload) == [
        *("id", "status", "form_post_url", "form_post_params", "nb_chunks", "storage_type"),
        *("object_key", "pipeline", "file", "error_msg"),
    ]
    assert (upload["status"], upload["nb_chunks"]) == ("UPLOADING", 1)
    assert upload["form_post_url"] == f"{EDGE_URL}/uploads/{upload['id']}"
    assert (upload["storage_type"], upload["object_key"]) == ("intern", "a/b.mp4")
    assert upload["pipeline"]["href"] == f"{API_URL}/v1/pipelines/{owner.pipeline.id}"
    assert len(upload["file"]["id"]) == 24


async def test_the_form_carries_a_policy_for_this_upload(owner: Account) -> None:
    upload = await begin(owner, ip="3232236033")
    policy = read_form(upload["form_post_params"], KeyRing([LinkKey(1, b"k" * 32)]), NOW_S)
    assert (policy.upload_id, policy.object_key) == (upload["id"], "a/b.mp4")
    assert policy.address == "192.168.2.1"
    assert policy.ends_at == NOW_S + 86_400
    assert upload["form_post_params"]["success_action_status"] == "201"


async def test_a_file_expires_after_seven_days_or_when_it_is_told(owner: Account) -> None:
    assert expiry(owner, (await begin(owner))["id"]) == NOW + 7 * DAY
    assert expiry(owner, (await begin(owner, expires_at=0))["id"]) is None
    assert expiry(owner, (await begin(owner, expires_at=NOW_S + 9))["id"]) == NOW + 9000


async def test_a_pipelines_own_retention_counts(owner: Account) -> None:
    body = {"pipeline": {"name": "short", "default_object_timeout": 60}}
    made = (await owner.call("POST", "/v1/pipelines/", json=body)).json()["pipeline"]
    upload = await begin(owner, pipeline_id=made["id"])
    assert expiry(owner, upload["id"]) == NOW + 60_000


@pytest.mark.parametrize(
    "object_key",
    [
        *("", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a/..", "a\\b", "a\0b", "a\nb"),
        *("a\x7fb", "a\x85b", "n" * 256, "ä" * 128, "a/" * 512 + "a", "ä/" * 400, "x" * 5000),
    ],
)
async def test_a_hostile_object_key_is_refused(owner: Account, object_key: str) -> None:
    params = {"object_key": object_key, "pipeline_id": owner.pipeline.id}
    answer = await owner.call("POST", UPLOADS, params=params)
    assert error_of(answer) == (400, "0x0240001", "Invalid Input")
    assert answer.json()["error"]["error_detail"].startswith("object_key: ")


@pytest.mark.parametrize(
    "object_key",
    ["a", "...", ".hidden", "a b+c&d=e%2f", "Ünïcödé/e\u0301", "n" * 255, "/".join("a" * 512)],
)
async def test_an_object_key_is_kept_as_it_is(owner: Account, object_key: str) -> None:
    assert (await begin(owner, object_key))["object_key"] == object_key


async def test_a_folder_is_no_place_for_a_file_nor_a_file_for_a_folder(owner: Account) -> None:
    owner.add_file("a/b.mp4")
    for object_key in ("a", "a/b.mp4/c"):
        params = {"object_key": object_key, "pipeline_id": owner.pipeline.id}
        answer = await owner.call("POST", UPLOADS, params=params)
        assert error_of(answer)[:2] == (400, "0x0240001")
    await begin(owner, "a/b.mp4")  # which will replace the file


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pipeline_id", "abc"),
        ("expires_at", "-1"),
        ("expires_at", "1"),
        ("expires_at", "x"),
        ("ip", "nowhere"),
        ("ip", ""),
    ],
)
async def test_a_wrong_parameter_is_named(owner: Account, name: str, value: str) -> None:
    params = {"object_key": "a", "pipeline_id": owner.pipeline.id, name: value}
    answer = await owner.call("POST", UPLOADS, params=params)
    assert error_of(answer)[:2] == (400, "0x0240001")
    assert answer.json()["error"]["error_detail"].startswith(f"{name}: ")


@pytest.mark.parametrize("missing", ["object_key", "pipeline_id"])
async def test_a_missing_parameter_is_named(owner: Account, missing: str) -> None:
    params = {"object_key": "a", "pipeline_id": owner.pipeline.id}
    del params[missing]
    answer = await owner.call("POST", UPLOADS, params=params)
    assert answer.json()["error"]["error_detail"].startswith(f"{missing}: missing")


async def test_a_foreign_pipeline_is_an_unknown_one(owner: Account, stranger: Account) -> None:
    answers = [
        await owner.call("POST", UPLOADS, params={"object_key": "a", "pipeline_id": pipeline_id})
        for pipeline_id in (stranger.pipeline.id, new_id())
    ]
    assert error_of(answers[0]) == (404, "0x0210002", "Requested pipeline does not exist")
    assert answers[0].content == answers[1].content


async def test_finishing_needs_every_chunk_and_starts_the_worker(owner: Account) -> None:
    upload_id = (await begin(owner))["id"]
    await owner.hub.put_note(upload_id, 1)
    answer = await finish(owner, upload_id, 3)
    assert error_of(answer) == (400, "0x0240001", "Invalid Input")
    assert answer.json()["error"]["error_detail"] == "nb_chunks: missing of 3: 0, 2"
    assert owner.hub.enqueued == []
    for chunk in (2, 0):
        await owner.hub.put_note(upload_id, chunk)
    answer = await finish(owner, upload_id, 3)
    assert answer.status_code == 200
    assert answer.json()["upload"]["status"] == "COMPLETING"
    assert answer.json()["upload"]["nb_chunks"] == 3
    assert owner.hub.enqueued == [upload_id]


async def test_more_chunks_than_said_are_refused(owner: Account) -> None:
    upload_id = (await begin(owner))["id"]
    for chunk in (0, 1):
        await owner.hub.put_note(upload_id, chunk)
    answer = await finish(owner, upload_id, 1)
    assert answer.json()["error"]["error_detail"] == "nb_chunks: 2 chunks were received"


async def test_finishing_may_be_repeated_but_not_otherwise(owner: Account) -> None:
    upload_id = (await begin(owner))["id"]
    await owner.hub.put_note(upload_id, 0)
    first, second = await finish(owner, upload_id), await finish(owner, upload_id)
    assert first.content == second.content
    assert error_of(await finish(owner, upload_id, 2))[:2] == (400, "0x0240001")
    with owner.hub.database.write() as connection:
        write_uploads.complete(connection, upload_id, "no video was found", NOW)
    done = (await finish(owner, upload_id)).json()["upload"]
    assert (done["status"], done["error_msg"]) == ("COMPLETED", "no video was found")
    assert (await owner.get(f"{UPLOADS}{upload_id}")).json()["upload"] == done


async def test_a_failed_upload_says_why(owner: Account) -> None:
    upload_id = (await begin(owner))["id"]
    with owner.hub.database.write() as connection:
        write_uploads.fail(connection, upload_id, "not finished in time", NOW)
    answer = await finish(owner, upload_id)
    assert error_of(answer)[:2] == (400, "0x0240001")
    assert "not finished in time" in answer.json()["error"]["error_detail"]
    shown = (await owner.get(f"{UPLOADS}{upload_id}/")).json()["upload"]
    assert (shown["status"], shown["error_msg"]) == ("FAILED", "not finished in time")
    assert "form_post_params" not in shown


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'{"upload":{}}', b'{"upload":{"nb_chunks":"1"}}', b"\xff",
     b'{"upload":{"nb_chunks":0}}', b'{"upload":{"nb_chunks":10001}}', b"[" * 30_000,
     b'{"upload":{"nb_chunks":1.5}}', b'{"upload":{"nb_chunks":true}}', b'{"upload":null}',
     b'{"upload":{"nb_chunks":1e400}}'],
)  # fmt: skip
async def test_a_wrong_body_is_refused(owner: Account, body: bytes) -> None:
    upload_id = (await begin(owner))["id"]
    headers = {"Content-Type": "application/json"}
    answer = await owner.call("PUT", f"{UPLOADS}{upload_id}", content=body, headers=headers)
    assert error_of(answer) == (400, "0x0240001", "Invalid Input")


async def test_foreign_and_unknown_uploads_look_the_same(owner: Account, stranger: Account) -> None:
    upload_id = (await begin(owner))["id"]
    answers = []
    for one in (upload_id, new_id(), "abc", "%00"):
        answers += [await stranger.get(f"{UPLOADS}{one}"), await finish(stranger, one)]
    assert len({answer.content for answer in answers}) == 1
    assert error_of(answers[0]) == (404, "0x0240002", "Requested upload does not exist")


async def test_a_file_posted_to_the_api_itself_changes_nothing(owner: Account) -> None:
    params = {"object_key": "a", "pipeline_id": owner.pipeline.id}
    answer = await owner.call("POST", UPLOADS, params=params, files={"file": b"bytes"})
    assert answer.status_code == 201


async def test_the_hub_keeps_nothing_of_a_refused_upload(hub: Hub, owner: Account) -> None:
    await owner.call("POST", UPLOADS, params={"object_key": "..", "pipeline_id": owner.pipeline.id})
    with hub.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM uploads").scalar() == 0
