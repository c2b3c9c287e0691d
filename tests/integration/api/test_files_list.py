"""GET /files/, parameter by parameter."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from countermark.catalog.records import Thumbnail
from support.api import API_URL, NOW, Account, Hub, error_of


async def listed(owner: Account, **params: Any) -> dict[str, Any]:
    answer = await owner.get("/v1/files/", **params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def names(page: dict[str, Any]) -> list[str]:
    return [file["name"] for file in page["files"]]


def start_of(page: dict[str, Any], link: str) -> int:
    return int(dict(parse_qsl(urlsplit(page[link]["href"]).query))["start"])


@pytest.fixture
def five(owner: Account) -> list[str]:
    return [owner.add_file(f"{number}.mp4", size=100 - number).name for number in range(5)]


async def test_a_page_has_the_fields_of_the_sample(owner: Account, five: list[str]) -> None:
    query = "start=1&limit=2&format=json&type=file&show_null=true&human=true"
    answer = await owner.call("GET", f"/v1/files/?{query}")
    page = answer.json()
    assert list(page) == ["files", "total", "start", "limit", "first", "last", "next", "prev"]
    assert (page["total"], page["start"], page["limit"]) == (5, 1, 2)
    base = f"{API_URL}/v1/files/?start="
    rest = query.removeprefix("start=1")
    assert page["first"] == {"href": f"{base}0{rest}"}
    assert page["last"] == {"href": f"{base}4{rest}"}
    assert page["next"] == {"href": f"{base}3{rest}"}
    assert page["prev"] == {"href": f"{base}0{rest}"}
    assert names(page) == five[1:3]


async def test_the_first_page_has_no_prev_and_the_last_no_next(
    owner: Account, five: list[str]
) -> None:
    first = await listed(owner, type="file", limit=3)
    last = await listed(owner, type="file", limit=3, start=3, show_null="true")
    assert "prev" not in first
    assert last["next"] is None
    assert names(first) + names(last) == five


async def test_following_next_visits_every_file_once(owner: Account, five: list[str]) -> None:
    url, seen = "/v1/files/?limit=2&type=file&sort=name&direction=-1", []
    while url:
        page = (await owner.call("GET", url)).json()
        seen += names(page)
        url = page.get("next", {}).get("href", "")
    assert seen == five[::-1]


async def test_a_start_past_the_end_is_an_empty_page_that_leads_back(
    owner: Account, five: list[str]
) -> None:
    page = await listed(owner, type="file", limit=2, start=1000)
    assert (page["files"], page["total"], page["start"]) == ([], 5, 1000)
    assert "next" not in page
    assert start_of(page, "prev") == start_of(page, "last") == 4


async def test_an_empty_list_has_its_links(owner: Account) -> None:
    page = await listed(owner, type="archive", show_null="true")
    assert (page["files"], page["total"], page["limit"]) == ([], 0, 1000)
    assert start_of(page, "first") == start_of(page, "last") == 0
    assert page["next"] is page["prev"] is None


async def test_links_carry_strange_parameters_of_the_callers_own(owner: Account) -> None:
    owner.add_file()
    rest = "&limit=1&x=a%20b&expand=user%2Cjob&z&y=%ff"
    page = (await owner.call("GET", f"/v1/files/?start=0{rest}")).json()
    assert page["next"]["href"] == f"{API_URL}/v1/files/?start=1{rest}"
    again = (await owner.call("GET", page["next"]["href"])).json()
    assert names(again) == ["movie.mp4"]


@pytest.mark.parametrize(
    ("types", "found"),
    [
        ("file", ["f.mp4"]),
        ("archive", ["all.zip"]),
        ("folder", ["films", "sub"]),
        ("file,archive", ["f.mp4", "all.zip"]),
        ("archive, folder", ["films", "sub", "all.zip"]),
    ],
)
async def test_type_filters(owner: Account, types: str, found: list[str]) -> None:
    file = owner.add_file("sub/f.mp4")
    owner.add_archive([file.id])
    page = await listed(owner, type=types)
    assert sorted(names(page)) == sorted(found)
    assert page["total"] == len(found)


async def test_pipeline_id_filters(hub: Hub, owner: Account) -> None:
    owner.add_file()
    other = await owner.call("POST", "/v1/pipelines/", json={"pipeline": {"name": "other"}})
    other_id = other.json()["pipeline"]["id"]
    page = await listed(owner, pipeline__id=other_id)
    assert [file["type"] for file in page["files"]] == ["folder"]
    assert (await listed(owner, pipeline__id=owner.pipeline.id, type="file"))["total"] == 1


async def test_job_id_filters(owner: Account) -> None:
    owner.add_file("of-job.mp4", job_id="5" * 24)
    owner.add_file("other.mp4")
    page = await listed(owner, job__id="5" * 24)
    assert names(page) == ["of-job.mp4"]
    assert page["files"][0]["job"]["href"] == f"{API_URL}/v1/jobs/{'5' * 24}"


async def test_a_foreign_pipeline_or_job_has_no_files(owner: Account, stranger: Account) -> None:
    owner.add_file(job_id="5" * 24)
    assert (await listed(stranger, pipeline__id=owner.pipeline.id))["total"] == 0
    assert (await listed(stranger, job__id="5" * 24))["total"] == 0
    assert (await listed(stranger, type="file"))["total"] == 0


@pytest.mark.parametrize(
    ("sort", "values"),
    [
        ("size", ("size", [1, 2, 3])),
        ("name", ("object_key", ["a.mp4", "b.mp4", "c.mp4"])),
        ("created_at", ("created_at", [NOW + 1, NOW + 2, NOW + 3])),
        (
            "video_tracks.width",
            ("video_tracks", [[{"width": 9}], [{"width": 10}], [{"width": 100}]]),
        ),
    ],
)
@pytest.mark.parametrize("direction", ["1", "-1"])
async def test_sort_and_direction_order_files(
    owner: Account, sort: str, values: tuple[str, list[Any]], direction: str
) -> None:
    field, ordered = values
    added = {}
    for number, value in enumerate([ordered[2], ordered[0], ordered[1]]):
        key = value if field == "object_key" else f"{number}.mp4"
        options = {} if field == "object_key" else {field: value}
        added[str(value)] = owner.add_file(key, **options).id
    page = await listed(owner, type="file", sort=sort, direction=direction)
    expected = [added[str(value)] for value in ordered]
    assert [file["id"] for file in page["files"]] == expected[:: int(direction)]


async def test_every_key_of_a_file_sorts(owner: Account) -> None:
    file = owner.add_file("a/b.mp4")
    keys = (await owner.get(f"/v1/files/{file.id}", show_null="true")).json()["file"]
    for key in keys:
        assert (await listed(owner, sort=key))["total"] == 3, key


async def test_bin_data_and_expand_work_in_lists(owner: Account) -> None:
    owner.add_file(thumbnail=Thumbnail("image/png", b"\x89PNG"))
    page = await listed(owner, type="file", bin_data="true", expand="user,application")
    (file,) = page["files"]
    assert file["thumbnail"].startswith("data:image/png;base64,")
    assert file["user"]["name"] == "owner"
    assert "user" in file["application"]


async def test_names_of_four_kilobytes_and_of_any_script_pass_through(owner: Account) -> None:
    long, odd = "n" * 4096, "Ünïcödé 🎬 \u0007<&>\"'.mp4"
    for name in (long, odd):
        owner.add_file(name)
    assert set(names(await listed(owner, type="file"))) == {long, odd}
    assert (await owner.get("/v1/files/", format="xml")).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        *("start=-1", "start=1.5", "start=x", "start=", "start=99999999999999999999", "start=%00"),
        *(
            "start=1e3",
            "start=+1x",
            "start=%EF%BC%99",
            "limit=0",
            "limit=-5",
            "limit=5001",
            "limit=x",
        ),
        *("sort=", "sort=nothing", "sort=size%00", "sort=blob_key", "sort=user.name", "sort=-size"),
        *("direction=0", "direction=asc", "direction=", "direction=%2B1"),
        *("type=", "type=movie", "type=file,", "type=file,movie", "type=FILE"),
        *("format=yaml", "format=", "format=JSON", "format=json&format=xml"),
        *("pipeline.id=", "pipeline.id=abc", f"pipeline.id={'A' * 24}", f"job.id={'0' * 23}"),
        *("start=1&start=1", "expand=user&expand=user", "expand=a%00b", "show_null=maybe"),
    ],
)
async def test_a_wrong_parameter_is_named(owner: Account, query: str) -> None:
    answer = await owner.call("GET", f"/v1/files/?{query}")
    assert error_of(answer) == (400, "0x0230001", "Invalid Input")
    detail = answer.json()["error"]["error_detail"]
    assert detail.startswith(query.partition("=")[0] + ":")


async def test_limit_takes_its_extremes(owner: Account) -> None:
    assert (await listed(owner, limit=5000))["limit"] == 5000
    assert (await listed(owner, limit=1))["limit"] == 1
    assert (await listed(owner))["limit"] == 1000


async def test_expired_files_are_neither_listed_nor_counted(hub: Hub, owner: Account) -> None:
    owner.add_file("stays.mp4")
    owner.add_file("goes.mp4", expires_at=NOW + 5)
    assert (await listed(owner, type="file"))["total"] == 2
    hub.clock.now += 5
    page = await listed(owner, type="file")
    assert (names(page), page["total"]) == (["stays.mp4"], 1)


async def test_more_than_a_hundred_parameters_are_refused(owner: Account) -> None:
    answer = await owner.call("GET", "/v1/files/?" + "x&" * 150)
    assert error_of(answer)[:2] == (400, "0x0230001")
