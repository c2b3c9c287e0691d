"""Pipelines, and the resources that files refer to."""

from typing import Any

import pytest

from countermark.catalog.readers import pipelines
from countermark.ids import new_id
from support.api import API_URL, Account, error_of

FULL: dict[str, Any] = {
    "name": "films",
    "description": "What we sell",
    "default_object_timeout": 3600,
    "cancel_timeout": 60,
    "input_download_dir": "s3://bucket/in",
    "output_upload_dir": "https://example.com/out",
    "store_options": {"mode": "archive"},
    "ping_urls": {"error": "https://example.com/e", "finished": "https://example.com/f"},
}


async def test_a_pipeline_is_made_shown_and_listed(owner: Account) -> None:
    answer = await owner.call("POST", "/v1/pipelines/", json={"pipeline": FULL})
    assert answer.status_code == 201
    made = answer.json()["pipeline"]
    assert {key: made[key] for key in FULL} == FULL
    assert made["href"] == f"{API_URL}/v1/pipelines/{made['id']}"
    assert made["root_folder"]["is_root"] is True
    assert (await owner.get(f"/v1/pipelines/{made['id']}")).json()["pipeline"] == made
    page = (await owner.get("/v1/pipelines/", limit=1, start=1)).json()
    assert (page["pipelines"], page["total"]) == ([made], 2)
    assert page["prev"]["href"] == f"{API_URL}/v1/pipelines/?limit=1&start=0"


async def test_a_pipelines_root_folder_is_a_file(owner: Account) -> None:
    made = await owner.call("POST", "/v1/pipelines/", json={"pipeline": {"name": "p"}})
    root_id = made.json()["pipeline"]["root_folder"]["id"]
    assert (await owner.get(f"/v1/files/{root_id}")).json()["file"]["type"] == "folder"


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "n" * 256},
        {"name": "a\0b"},
        {"name": None},
        {"name": 1},
        {"default_object_timeout": 0},
        {"default_object_timeout": "60"},
        {"cancel_timeout": -1},
        {"store_options": {"mode": "forever"}},
        {"store_options": None},
        {"ping_urls": {"other": "x"}},
        {"input_download_dir": "ftp://example.com/in"},
        {"output_upload_dir": "somewhere"},
        {"ping_urls": {"error": 5}},
        {"description": "x" * 5000},
    ],
)
async def test_a_wrong_pipeline_is_refused(owner: Account, change: dict[str, Any]) -> None:
    answer = await owner.call("POST", "/v1/pipelines/", json={"pipeline": FULL | change})
    assert error_of(answer) == (400, "0x0210001", "Invalid Input")
    assert (await owner.get("/v1/pipelines/")).json()["total"] == 1


async def test_a_pipeline_is_changed_and_secrets_that_come_back_hidden_stay(
    owner: Account, stranger: Account
) -> None:
    secret = {
        "input_download_dir": "s3://key:hunter2@bucket/in?region=x",
        "output_upload_dir": "https://example.com/out?sig=hunter2",
        "ping_urls": {"error": "https://u:hunter2@example.com/e"},
    }
    answer = await owner.call("POST", "/v1/pipelines/", json={"pipeline": FULL | secret})
    made = answer.json()["pipeline"]
    path = f"/v1/pipelines/{made['id']}"
    assert "hunter2" not in answer.text + (await owner.get("/v1/pipelines/")).text
    change = {key: made[key] for key in secret} | {"name": "clips", "cancel_timeout": None}
    changed = (await owner.call("PUT", path, json={"pipeline": change})).json()["pipeline"]
    assert (changed["name"], "cancel_timeout" in changed) == ("clips", False)
    assert changed["default_object_timeout"] == FULL["default_object_timeout"]
    with owner.hub.database.read() as connection:
        kept = pipelines.pipeline(connection, owner.user.id, made["id"])
    assert kept is not None
    assert {key: getattr(kept, key) for key in secret} == secret
    answer = await stranger.call("PUT", path, json={"pipeline": {"name": "x"}})
    assert error_of(answer)[:2] == (404, "0x0210002")


async def test_only_an_empty_pipeline_is_deleted(owner: Account, stranger: Account) -> None:
    path = f"/v1/pipelines/{owner.pipeline.id}"
    file, job = owner.add_file(), owner.add_job()
    assert error_of(await owner.call("DELETE", path))[:2] == (409, "0x0210003")
    assert (await owner.call("DELETE", f"/v1/files/{file.id}")).status_code == 204
    assert error_of(await owner.call("DELETE", path))[:2] == (409, "0x0210003")
    assert (await owner.call("POST", f"/v1/jobs/{job.id}/cancel")).status_code == 200
    assert error_of(await stranger.call("DELETE", path))[:2] == (404, "0x0210002")
    assert (await owner.call("DELETE", path)).status_code == 204
    assert error_of(await owner.get(path))[:2] == (404, "0x0210002")


async def test_users_and_applications_are_renamed_by_themselves(
    owner: Account, stranger: Account
) -> None:
    user, application = f"/v1/users/{owner.user.id}", f"/v1/applications/{owner.application.id}"
    renamed = await owner.call("PUT", user, json={"user": {"name": "me"}})
    assert renamed.json()["user"]["name"] == "me"
    assert [one["name"] for one in (await owner.get("/v1/users/")).json()["users"]] == ["me"]
    named = await owner.call("PUT", application, json={"application": {"name": "player"}})
    assert named.json()["application"]["name"] == "player"
    listed = (await owner.get("/v1/applications/")).json()["applications"]
    assert [one["name"] for one in listed] == ["player"]
    for path, body in (
        (user, {"user": {"name": "x"}}),
        (application, {"application": {"name": "x"}}),
    ):
        assert error_of(await stranger.call("PUT", path, json=body))[0] == 404


async def test_integral_floats_are_integers_as_in_json(owner: Account) -> None:
    body = b'{"pipeline":{"name":"p","cancel_timeout":60.0}}'
    headers = {"Content-Type": "application/json"}
    answer = await owner.call("POST", "/v1/pipelines/", content=body, headers=headers)
    assert answer.json()["pipeline"]["cancel_timeout"] == 60


async def test_users_see_themselves_only(owner: Account, stranger: Account) -> None:
    shown = (await owner.get(f"/v1/users/{owner.user.id}")).json()["user"]
    assert shown["name"] == "owner"
    assert shown["href"] == f"{API_URL}/v1/users/{owner.user.id}"
    for user_id in (stranger.user.id, new_id(), "x"):
        answer = await owner.get(f"/v1/users/{user_id}")
        assert error_of(answer) == (404, "0x0030002", "Requested user does not exist")


async def test_applications_show_no_secret(owner: Account, stranger: Account) -> None:
    answer = await owner.get(f"/v1/applications/{owner.application.id}", show_null="true")
    shown = answer.json()["application"]
    assert set(shown) == {"name", "scopes", "user", "created_at", "updated_at", "id", "href"}
    for application_id in (stranger.application.id, new_id(), "x"):
        answer = await owner.get(f"/v1/applications/{application_id}")
        assert error_of(answer)[:2] == (404, "0x0020002")


async def test_jobs_resolve_for_their_owner(owner: Account, stranger: Account) -> None:
    job_id = owner.add_job().id
    file = owner.add_file(job_id=job_id)
    expanded = (await owner.get(f"/v1/files/{file.id}", expand="job")).json()["file"]
    assert expanded["job"]["status"] == "QUEUED"
    assert (await owner.get(f"/v1/jobs/{job_id}")).json()["job"] == expanded["job"]
    assert error_of(await stranger.get(f"/v1/jobs/{job_id}"))[:2] == (404, "0x0220002")


async def test_foreign_pipelines_are_unknown(owner: Account, stranger: Account) -> None:
    for pipeline_id in (stranger.pipeline.id, new_id(), "x"):
        answer = await owner.get(f"/v1/pipelines/{pipeline_id}")
        assert error_of(answer) == (404, "0x0210002", "Requested pipeline does not exist")


async def test_every_href_of_a_file_resolves(owner: Account) -> None:
    file = (await owner.get(f"/v1/files/{owner.add_file('a/b').id}")).json()["file"]
    hrefs = [
        file["href"],
        file["uri"],
        *(file[key]["href"] for key in ("user", "application", "pipeline")),
    ]
    for href in hrefs:
        assert (await owner.get(href)).status_code == 200, href
