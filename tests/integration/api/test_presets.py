"""Presets and codecs in the API: everybody's, and one's own."""

from typing import Any

import pytest

from countermark.catalog.writers import presets as write_presets
from countermark.work.system_presets import system_preset_id, system_presets
from support.api import API_URL, Account, error_of

H264, AAC = "00000000000000c0dec00001", "00000000000000c0dec00011"
SMALL: dict[str, Any] = {
    "name": "small",
    "description": "For phones",
    "target_format": {
        "extension": "mp4",
        "container": "mp4",
        "vcodec": {"codec": {"id": H264}, "profile": "high", "caps": {"max_width": 640}},
        "acodec": {"codec": {"id": AAC}, "caps": {}},
    },
    "settings": {"video": {"width": "50%", "quality": 25}},
}


@pytest.fixture(autouse=True)
def built_in(owner: Account) -> None:
    with owner.hub.database.write() as connection:
        write_presets.keep_built_in(connection, system_presets(owner.hub.clock()))


async def test_a_preset_is_made_shown_changed_and_deleted(
    owner: Account, stranger: Account
) -> None:
    answer = await owner.call("POST", "/v1/presets/", json={"preset": SMALL})
    assert answer.status_code == 201, answer.text
    made, path = answer.json()["preset"], f"/v1/presets/{answer.json()['preset']['id']}"
    assert (made["type"], made["href"]) == ("custom", f"{API_URL}{path}")
    assert made["target_format"]["vcodec"]["codec"]["id"] == H264
    assert (await owner.get(path)).json()["preset"] == made
    change = {"preset": {"name": "tiny", "settings": {"video": {"height": 180}}}}
    changed = (await owner.call("PUT", path, json=change)).json()["preset"]
    assert (changed["name"], changed["description"]) == ("tiny", "For phones")
    assert changed["settings"] == {"video": {"height": 180}}
    listed = (await owner.get("/v1/presets/", type="custom")).json()["presets"]
    assert listed == [changed]
    assert (await stranger.get("/v1/presets/", type="custom")).json()["total"] == 0
    for method in ("GET", "PUT", "DELETE"):
        answer = await stranger.call(method, path, json=change)
        assert error_of(answer)[:2] == (404, "0x0270002")
    assert (await owner.call("DELETE", path)).status_code == 204
    assert error_of(await owner.get(path))[:2] == (404, "0x0270002")


async def test_built_in_presets_are_everybodys_and_stay(owner: Account) -> None:
    path = f"/v1/presets/{system_preset_id('h264-720p')}"
    shown = (await owner.hub.http.get(path)).json()["preset"]
    assert (shown["name"], shown["type"]) == ("h264-720p", "system")
    assert (await owner.get(path)).json()["preset"] == shown
    page = (await owner.get("/v1/presets/", limit=3, sort="name", direction=-1)).json()
    names = [preset["name"] for preset in page["presets"]]
    assert names == sorted(names, reverse=True)
    assert page["next"]["href"].endswith("start=3&limit=3&sort=name&direction=-1")
    for method in ("PUT", "DELETE"):
        answer = await owner.call(method, path, json={"preset": {"name": "mine"}})
        assert error_of(answer)[:2] == (404, "0x0270002")


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"target_format": {"container": "mp4"}},
        {"target_format": {"container": "avi", "acodec": {"codec": {"id": AAC}}}},
        {"target_format": {"container": "mp4", "vcodec": {"codec": {"id": AAC}}}},
        {"settings": {"video": {"width": "much"}}},
        {"settings": {"video": {"unknown": 1}}},
        {"settings": {"video": {"codec": "hevc"}}},
    ],
)
async def test_a_preset_that_makes_no_sense_is_refused(
    owner: Account, change: dict[str, Any]
) -> None:
    answer = await owner.call("POST", "/v1/presets/", json={"preset": SMALL | change})
    assert error_of(answer) == (400, "0x0270001", "Invalid Input")


async def test_codecs_are_listed_and_shown(owner: Account) -> None:
    page = (await owner.hub.http.get("/v1/codecs/?type=audio&sort=name")).json()
    assert [codec["type"] for codec in page["codecs"]] == ["audio"] * page["total"]
    for codec in page["codecs"]:
        assert (await owner.get(codec["href"])).json()["codec"] == codec
    assert error_of(await owner.get(f"/v1/codecs/{'0' * 24}"))[:2] == (404, "0x0290002")
