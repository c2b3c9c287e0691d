"""Jobs in the API: created, changed, cancelled, tried again, deleted, and shown as files are."""

from typing import Any

import pytest

from countermark.ids import new_id
from support.api import API_URL, Account, error_of


def asked(owner: Account, input_name: str = "movie.mp4", **more: Any) -> dict[str, Any]:
    """A job with one output, with a preset of the owner's own."""
    job = {"pipeline": {"id": owner.pipeline.id}, "input": {"input_name": input_name}}
    return {"job": job | {"outputs": [{"preset": {"id": owner.add_preset().id}}]} | more}


async def created(owner: Account, **more: Any) -> dict[str, Any]:
    answer = await owner.call("POST", "/v1/jobs/", json=asked(owner, **more))
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["job"])


async def test_a_job_is_created_shown_and_listed(owner: Account, stranger: Account) -> None:
    file = owner.add_file()
    job = await created(owner, user_data="mine", priority=5)
    assert (job["status"], job["percentage_completed"], job["priority"]) == ("QUEUED", 0, 5)
    assert job["href"] == f"{API_URL}/v1/jobs/{job['id']}"
    assert job["input"]["file"]["id"] == file.id
    assert job["outputs"][0]["output_name"] == "movie"
    assert (await owner.get(f"/v1/jobs/{job['id']}")).json()["job"] == job
    page = (await owner.get("/v1/jobs/", limit=1, user_data="mine")).json()
    assert (page["jobs"], page["total"]) == ([job], 1)
    assert page["first"]["href"] == f"{API_URL}/v1/jobs/?start=0&limit=1&user_data=mine"
    expanded = (await owner.get("/v1/jobs", expand="file,preset,pipeline")).json()["jobs"][0]
    assert expanded["input"]["file"]["name"] == "movie.mp4"
    assert expanded["outputs"][0]["preset"]["name"] == "small"
    assert expanded["pipeline"]["name"] == "films"
    assert (await stranger.get("/v1/jobs/")).json()["jobs"] == []


async def test_what_a_job_does_not_have_yet_is_null_if_asked_for(owner: Account) -> None:
    owner.add_file()
    job = await created(owner)
    hidden = {"error_code", "error_msg", "warnings", "folder", "archive", "finished_at"}
    assert not hidden & job.keys()
    answer = await owner.get(f"/v1/jobs/{job['id']}", show_null="true", human="true")
    shown = answer.json()["job"]
    assert {key for key, value in shown.items() if value is None} >= hidden
    assert {key: value for key, value in shown.items() if key in job}.keys() == job.keys()
    assert answer.text.startswith("{\n")


async def test_a_job_is_changed_cancelled_tried_again_and_deleted(
    owner: Account, stranger: Account
) -> None:
    owner.add_file()
    path = f"/v1/jobs/{(await created(owner))['id']}"
    change = {"job": {"priority": -3, "user_data": "later"}}
    changed = (await owner.call("PUT", path, json=change)).json()["job"]
    assert (changed["priority"], changed["user_data"]) == (-3, "later")
    assert error_of(await owner.call("DELETE", path))[:2] == (409, "0x0220003")
    assert error_of(await owner.call("POST", f"{path}/retry"))[:2] == (409, "0x0220003")
    for _ in range(2):
        ended = (await owner.call("POST", f"{path}/cancel/")).json()["job"]
        assert (ended["status"], ended["error_code"]) == ("FAILURE", "0x0220004")
    again = (await owner.call("POST", f"{path}/retry")).json()["job"]
    assert (again["status"], again["attempt"]) == ("QUEUED", 2)
    await owner.call("POST", f"{path}/cancel")
    for method, below in (("PUT", ""), ("POST", "/cancel"), ("POST", "/retry"), ("DELETE", "")):
        answer = await stranger.call(method, path + below, json=change)
        assert error_of(answer)[:2] == (404, "0x0220002")
    assert (await owner.call("DELETE", path)).status_code == 204
    assert error_of(await owner.get(path))[:2] == (404, "0x0220002")


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"outputs": [{"preset": {"id": "PRESET"}, "output_name": "../../up"}]}, "output_name"),
        ({"outputs": [{"preset": {"id": "PRESET"}, "output_name": "/root"}]}, "output_name"),
        ({"outputs": [{"preset": {"id": "PRESET"}, "output_name": "a"}] * 2}, "too"),
        ({"output_prefix": "a/../../b"}, "output_prefix"),
        ({"input": {"input_name": "../movie.mp4"}}, "input_name"),
        ({"input": {"input_name": "ftp://example.org/a.mp4"}}, "https://"),
        ({"input": {"input_name": "sftp://example.org/a.mp4?x=1"}}, "no option"),
        ({"output_prefix": "", "outputs": [{"preset": {"id": "PRESET"}}]}, "output_prefix"),
        ({"input": {"input_name": "movie.mp4", "start_time": -1}}, "start_time"),
        ({"user_data": "a\0"}, "user_data"),
    ],
)
async def test_a_job_that_makes_no_sense_is_refused(
    owner: Account, change: dict[str, Any], detail: str
) -> None:
    owner.add_file()
    body = asked(owner)
    preset = body["job"]["outputs"][0]["preset"]
    for output in change.get("outputs", ()):
        output["preset"] = preset
    answer = await owner.call("POST", "/v1/jobs/", json={"job": body["job"] | change})
    assert error_of(answer)[0] in {400, 404}
    assert detail in answer.json()["error"]["error_detail"]
    assert (await owner.get("/v1/jobs/")).json()["total"] == 0


async def test_another_users_things_are_not_there(owner: Account, stranger: Account) -> None:
    owner.add_file()
    body = asked(owner)["job"]
    for change, code in (
        ({"pipeline": {"id": stranger.pipeline.id}}, "0x0210002"),
        ({"outputs": [{"preset": {"id": stranger.add_preset().id}}]}, "0x0270002"),
        ({"outputs": [{"preset": {"id": new_id()}}]}, "0x0270002"),
    ):
        answer = await owner.call("POST", "/v1/jobs/", json={"job": body | change})
        assert error_of(answer)[:2] == (404, code)


async def test_secrets_of_addresses_are_not_listed(owner: Account) -> None:
    uris = {
        "https://u:hunter2@a.example/a.mp4?X-Amz-Signature=hunter2": "https://u:***@a.example/a.mp4?***",
        "s3://key:hunter2@bucket/a.mp4?region=x": "s3://key:***@bucket/a.mp4?region=x",
    }
    for uri, shown in uris.items():
        job = await created(owner, input={"input_name": uri})
        assert job["input"]["input_name"] == shown
    for path in ("/v1/jobs/", f"/v1/jobs/{job['id']}"):
        assert "hunter2" not in (await owner.get(path, expand_all="true")).text
