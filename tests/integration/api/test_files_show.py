"""GET /files/ID and DELETE /files/ID, field by field and parameter by parameter."""

import base64
import json
from typing import Any

import pytest

from countermark.catalog.records import Thumbnail
from countermark.ids import new_id
from support.api import API_URL, NOW, Account, Hub, error_of

VIDEO_TRACK = {
    "video_codec": "H.264 / AVC",
    "video_bitrate": 2503,
    "width": 1280,
    "height": 720,
    "framerate": 23.98,
    "aspect_ratio": "1:1",
    "video_duration": 24576,
    "orientation": "rotate-90",
}
AUDIO_TRACK = {
    "audio_codec": "MPEG-4 AAC",
    "audio_bitrate": 133,
    "audio_width": 16,
    "samplingrate": 48000,
    "nb_channels": 2,
    "audio_duration": 24576,
}
# The sample's keys, in the sample's order.
KEYS = [
    *("storage", "title", "name", "type", "subtype", "job", "autograph", "container"),
    *("mime_type", "md5_checksum", "header_crc", "size", "size_on_disk", "application"),
    *("duration", "pipeline", "finished_at", "expires_at", "elements", "video_tracks"),
    *("audio_tracks", "subtitle_tracks", "description", "download_count", "parents"),
    *("thumbnail", "user_data", "uri", "version", "user", "created_at", "updated_at", "id", "href"),
]


async def shown(owner: Account, file_id: str, **params: Any) -> dict[str, Any]:
    answer = await owner.get(f"/v1/files/{file_id}", **params)
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["file"]
    return dict(answer.json()["file"])


def reference(collection: str, resource_id: str) -> dict[str, str]:
    return {"id": resource_id, "href": f"{API_URL}/v1/{collection}/{resource_id}"}


async def test_a_file_has_every_field_of_the_sample(owner: Account) -> None:
    record = owner.add_file(
        "Intro.mp4",
        container="ISO MP4/M4A",
        md5_checksum="e59c2d39394b5a7cfa585713c517aec6",
        size=8094037,
        size_on_disk=64752296,
        autograph=True,
        duration=24576,
        video_tracks=[VIDEO_TRACK],
        audio_tracks=[AUDIO_TRACK],
    )
    file = await shown(owner, record.id, show_null="true", human="true")
    assert list(file) == KEYS
    assert file == {
        "storage": "intern",
        "title": "Intro",
        "name": "Intro.mp4",
        "type": "file",
        "subtype": "video",
        "job": None,
        "autograph": True,
        "container": "ISO MP4/M4A",
        "mime_type": "video/mp4",
        "md5_checksum": "e59c2d39394b5a7cfa585713c517aec6",
        "header_crc": None,
        "size": 8094037,
        "size_on_disk": 64752296,
        "application": reference("applications", owner.application.id),
        "duration": 24576,
        "pipeline": reference("pipelines", owner.pipeline.id),
        "finished_at": NOW,
        "expires_at": None,
        "elements": None,
        "video_tracks": [VIDEO_TRACK],
        "audio_tracks": [AUDIO_TRACK],
        "subtitle_tracks": None,
        "description": None,
        "download_count": None,
        "parents": [{"id": owner.pipeline.root_folder_id, "type": "folder", "is_root": True}],
        "thumbnail": None,
        "user_data": None,
        "uri": f"{API_URL}/v1/files/downloads/?file_id={record.id}",
        "version": 1,
        "user": reference("users", owner.user.id),
        "created_at": NOW,
        "updated_at": NOW,
        **reference("files", record.id),
    }
    (track,) = file["video_tracks"]
    assert list(track) == list(VIDEO_TRACK)


async def test_a_file_in_a_folder_names_that_folder_as_its_parent(owner: Account) -> None:
    file = await shown(owner, owner.add_file("a/b/c.mp4").id)
    (parent,) = file["parents"]
    assert parent["is_root"] is False
    folder = await shown(owner, parent["id"])
    assert (folder["name"], folder["type"]) == ("b", "folder")
    assert "uri" not in folder


async def test_keys_without_a_value_are_left_out(owner: Account) -> None:
    record = owner.add_file(video_tracks=[VIDEO_TRACK | {"orientation": None, "width": None}])
    file = await shown(owner, record.id)
    assert [key for key in file if file[key] is None] == []
    assert "job" not in file
    assert not {"orientation", "width"} & set(file["video_tracks"][0])
    assert file["storage"] == "intern"


async def test_an_upright_track_has_no_orientation_even_with_show_null(owner: Account) -> None:
    record = owner.add_file(video_tracks=[VIDEO_TRACK | {"orientation": None, "width": None}])
    (track,) = (await shown(owner, record.id, show_null="true"))["video_tracks"]
    assert "orientation" not in track
    assert track["width"] is None


@pytest.mark.parametrize("framerate", [30, 23.98])
async def test_a_frame_rate_is_a_whole_number_if_it_can_be(
    owner: Account, framerate: float
) -> None:
    record = owner.add_file(video_tracks=[{"framerate": framerate}])
    answer = await owner.get(f"/v1/files/{record.id}")
    assert f'"framerate":{framerate}}}' in answer.text


async def test_human_answers_are_indented(owner: Account) -> None:
    record = owner.add_file()
    plain = await owner.get(f"/v1/files/{record.id}", human="false")
    human = await owner.get(f"/v1/files/{record.id}", human="true")
    assert plain.json() == human.json()
    assert plain.text == json.dumps(plain.json(), separators=(",", ":"))
    assert human.text == json.dumps(plain.json(), indent=4)


async def test_both_spellings_of_the_path_and_head_answer(owner: Account) -> None:
    record = owner.add_file()
    plain = await owner.get(f"/v1/files/{record.id}")
    slash = await owner.get(f"/v1/files/{record.id}/")
    head = await owner.call("HEAD", f"/v1/files/{record.id}")
    assert plain.content == slash.content
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(plain.content))


async def test_expand_replaces_the_named_references_only(owner: Account) -> None:
    record = owner.add_file("a/b.mp4")
    file = await shown(owner, record.id, expand="codec, user,pipeline,parents")
    assert file["user"]["name"] == "owner"
    assert file["pipeline"]["name"] == "films"
    assert file["pipeline"]["user"] == reference("users", owner.user.id)
    assert file["parents"][0]["name"] == "a"
    assert file["application"] == reference("applications", owner.application.id)


async def test_expand_all_goes_on_and_never_repeats_what_is_around(owner: Account) -> None:
    record = owner.add_file("a/b.mp4")
    file = await shown(owner, record.id, expand_all="true")
    assert file["application"]["user"]["name"] == "owner"
    assert "client_secret" not in json.dumps(file)
    root = file["pipeline"]["root_folder"]
    assert root["type"] == "folder"
    assert root["pipeline"] == reference("pipelines", owner.pipeline.id)


async def test_expand_all_ends_in_a_deep_tree(owner: Account) -> None:
    record = owner.add_file("/".join("abcdefgh") + ".mp4")
    file = await shown(owner, record.id, expand_all="true")
    depth = 0
    while "parents" in file and "name" in file["parents"][0]:
        file, depth = file["parents"][0], depth + 1
    assert depth == 4
    assert set(file["parents"][0]) == {"id", "type", "is_root"}


async def test_an_archive_lists_its_elements_and_expands_them(owner: Account) -> None:
    first, second = owner.add_file("1.mp4"), owner.add_file("2.mp4")
    archive = owner.add_archive([first.id, second.id])
    file = await shown(owner, archive.id)
    assert file["type"] == "archive"
    assert file["elements"] == [reference("files", first.id), reference("files", second.id)]
    expanded = await shown(owner, archive.id, expand="elements")
    assert [one["name"] for one in expanded["elements"]] == ["1.mp4", "2.mp4"]


async def test_bin_data_shows_the_thumbnail_as_data_uri(owner: Account) -> None:
    record = owner.add_file(thumbnail=Thumbnail("image/jpeg", b"\xff\xd8picture"))
    assert "thumbnail" not in await shown(owner, record.id, bin_data="false")
    file = await shown(owner, record.id, bin_data="true")
    encoded = base64.b64encode(b"\xff\xd8picture").decode()
    assert file["thumbnail"] == f"data:image/jpeg;base64,{encoded}"


@pytest.mark.parametrize("name", ["show_null", "human", "expand_all", "bin_data"])
@pytest.mark.parametrize("value", ["1", "0", "True", "yes", "", "true,false", "tru%00e", "%ff"])
async def test_a_boolean_is_true_or_false_only(owner: Account, name: str, value: str) -> None:
    answer = await owner.call("GET", f"/v1/files/{owner.pipeline.root_folder_id}?{name}={value}")
    assert error_of(answer) == (400, "0x0230001", "Invalid Input")
    assert answer.json()["error"]["error_detail"].startswith(f"{name}: ")


async def test_a_repeated_parameter_is_refused(owner: Account) -> None:
    path = f"/v1/files/{owner.pipeline.root_folder_id}?human=true&hum%61n=true"
    assert error_of(await owner.call("GET", path))[1] == "0x0230001"


async def test_an_unknown_parameter_is_ignored(owner: Account) -> None:
    path = f"/v1/files/{owner.pipeline.root_folder_id}?expert_mode=1&expert_mode=%ff&=&&%00"
    assert (await owner.call("GET", path)).status_code == 200


@pytest.mark.parametrize(
    "file_id",
    ["0" * 24, "abc", "F" * 24, "..", "%00", "a" * 4096, "%ff%fe", "' OR 1=1", "1" * 24 + "%0a"],
)
async def test_an_unknown_or_malformed_id_is_an_unknown_file(owner: Account, file_id: str) -> None:
    for method in ("GET", "DELETE"):
        answer = await owner.call(method, f"/v1/files/{file_id}?format=json")
        if file_id != "..":  # which the client resolves before it asks
            assert error_of(answer) == (404, "0x0230002", "Requested file does not exist")


async def test_a_foreign_file_looks_like_none(owner: Account, stranger: Account) -> None:
    record = owner.add_file()
    for method in ("GET", "DELETE"):
        foreign = await stranger.call(method, f"/v1/files/{record.id}")
        unknown = await stranger.call(method, f"/v1/files/{new_id()}")
        assert foreign.content == unknown.content
        assert error_of(foreign)[:2] == (404, "0x0230002")
    assert (await owner.get(f"/v1/files/{record.id}")).status_code == 200


async def test_an_expired_file_is_gone(hub: Hub, owner: Account) -> None:
    record = owner.add_file(expires_at=NOW + 1000)
    assert (await owner.get(f"/v1/files/{record.id}")).status_code == 200
    hub.clock.now += 1000
    assert error_of(await owner.get(f"/v1/files/{record.id}"))[1] == "0x0230002"


async def test_a_deleted_file_is_gone_and_its_folder_can_go(owner: Account) -> None:
    record = owner.add_file("a/b.mp4")
    (parent,) = (await shown(owner, record.id))["parents"]
    full = await owner.call("DELETE", f"/v1/files/{parent['id']}")
    assert error_of(full) == (400, "0x0230001", "Invalid Input")
    answer = await owner.call("DELETE", f"/v1/files/{record.id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert error_of(await owner.call("DELETE", f"/v1/files/{record.id}"))[1] == "0x0230002"
    assert (await owner.call("DELETE", f"/v1/files/{parent['id']}")).status_code == 204


async def test_a_root_folder_stays(owner: Account) -> None:
    answer = await owner.call("DELETE", f"/v1/files/{owner.pipeline.root_folder_id}")
    assert error_of(answer)[:2] == (400, "0x0230001")
