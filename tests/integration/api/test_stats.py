"""What was delivered, as the API tells it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import xmlschema

from countermark.catalog.writers import traffic
from countermark.ids import new_id
from support.api import NOW, Account, Hub, error_of

SCHEMA = xmlschema.XMLSchema(str(Path(__file__).parents[3] / "docs" / "countermark.xsd"))
DAY_MS = 86_400_000
TODAY = NOW - NOW % DAY_MS
Deliver = Callable[..., None]


@pytest.fixture
def deliver(hub: Hub, owner: Account) -> Deliver:
    """Put a row where folded traffic stands."""

    def deliver(sent: int, tag: str = "", day: int = TODAY, **changes: str | int) -> None:
        row = {
            "user_id": owner.user.id,
            "day": day,
            "application_id": owner.application.id,
            "tag": tag,
            "file_id": new_id(),
            "bytes": sent,
            "downloads": 1,
        }
        with hub.database.write() as connection:
            traffic.add_bandwidth(connection, [row | changes])

    return deliver


async def test_bytes_and_downloads_of_whole_days_are_added_up(
    owner: Account, deliver: Deliver
) -> None:
    for days_ago in range(4):
        deliver(10**days_ago, day=TODAY - days_ago * DAY_MS)
    answer = await owner.get("/v1/stats/bandwidth/")
    assert answer.json() == {
        "bandwidth": {"from_date": 0, "to_date": NOW, "bytes_delivered": 1111, "downloads": 4}
    }
    answer = await owner.get(
        "/v1/stats/bandwidth/", from_date=TODAY - DAY_MS - 1, to_date=TODAY - 1
    )
    assert answer.json()["bandwidth"]["bytes_delivered"] == 110


async def test_an_application_sees_its_own_links_when_it_asks_for_them(
    owner: Account, deliver: Deliver
) -> None:
    deliver(5)
    deliver(7, application_id="e" * 24)
    answer = await owner.get("/v1/stats/bandwidth/", application_id=owner.application.id)
    assert answer.json()["bandwidth"]["bytes_delivered"] == 5
    assert answer.json()["bandwidth"]["application_id"] == owner.application.id


async def test_another_users_traffic_is_not_seen(stranger: Account, deliver: Deliver) -> None:
    deliver(5, "k1")
    answer = await stranger.get("/v1/stats/bandwidth/")
    assert answer.json()["bandwidth"]["bytes_delivered"] == 0
    assert (await stranger.get("/v1/stats/bandwidth/tags/")).json() == {"tags": []}


async def test_the_ten_largest_tags_are_listed(owner: Account, deliver: Deliver) -> None:
    deliver(10**6)
    for number in range(12):
        deliver(100 + number, f"k{number}")
    tags = (await owner.get("/v1/stats/bandwidth/tags/")).json()["tags"]
    assert [one["tag"] for one in tags] == [f"k{number}" for number in range(11, 1, -1)]
    assert tags[0] == {"tag": "k11", "bytes_delivered": 111, "downloads": 1}


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("k1", "k1"),
        ("k1/", "k1"),
        ("a%20b%C3%A9", "a bé"),
        ("a%2Bb", "a+b"),
        ("team%2Fanna%2F", "team/anna/"),
        ("team/anna", "team/anna"),
        ("team//..%2F", "team//../"),
        ("%F0%9F%8E%AC" * 64, "🎬" * 64),
        ("k" * 256, "k" * 256),
    ],
)
async def test_one_tag_is_shown(owner: Account, deliver: Deliver, written: str, tag: str) -> None:
    deliver(5, tag)
    deliver(7, "other")
    shown = (await owner.get(f"/v1/stats/bandwidth/tags/{written}")).json()["bandwidth"]
    assert (shown["tag"], shown["bytes_delivered"], shown["downloads"]) == (tag, 5, 1)


async def test_an_unknown_tag_has_zeros(owner: Account) -> None:
    shown = (await owner.get("/v1/stats/bandwidth/tags/nobody")).json()["bandwidth"]
    assert (shown["bytes_delivered"], shown["downloads"]) == (0, 0)


async def test_the_answer_comes_as_xml_too(owner: Account, deliver: Deliver) -> None:
    deliver(5, "k1")
    answer = await owner.get("/v1/stats/bandwidth/tags/", format="xml")
    assert "<tags><tag><tag>k1</tag><bytes_delivered>5</bytes_delivered>" in answer.text


@pytest.mark.parametrize(
    "query",
    [
        {"from_date": -1},
        {"from_date": "yesterday"},
        {"to_date": 10**18},
        {"from_date": NOW, "to_date": NOW - DAY_MS},
        {"application_id": "x"},
    ],
)
async def test_wrong_input_is_refused(owner: Account, query: dict[str, object]) -> None:
    for path in ("", "tags/", "tags/k1"):
        answer = await owner.get(f"/v1/stats/bandwidth/{path}", **query)
        assert error_of(answer)[:2] == (400, "0x0000008")


@pytest.mark.parametrize("written", ["k" * 257, "%FF", "a%00", "%2F%C0%AF"])
async def test_a_tag_no_link_can_have_is_refused(owner: Account, written: str) -> None:
    answer = await owner.get(f"/v1/stats/bandwidth/tags/{written}")
    assert error_of(answer)[:2] == (400, "0x0000008")


async def test_it_needs_a_token_that_may_read(hub: Hub, owner: Account) -> None:
    assert (await hub.http.get("/v1/stats/bandwidth/")).status_code == 403
    owner.token = await owner.new_token(scope="mediahub_download_files")
    assert (await owner.get("/v1/stats/bandwidth/")).status_code == 403


async def test_who_tried_links_that_were_not_for_them_is_listed_to_the_files_owner(
    hub: Hub, owner: Account, stranger: Account
) -> None:
    row = {
        "serial": "q8yA7wE1b2c",
        "day": TODAY,
        "address": "203.0.113.7",
        "error_code": "0x0250007",
        "user_id": owner.user.id,
        "application_id": owner.application.id,
        "file_id": new_id(),
        "tag": "",
        "times": 3,
        "last_at": NOW,
    }
    before = row | {"day": TODAY - DAY_MS, "file_id": new_id(), "tag": "k1", "last_at": NOW - 9}
    with hub.database.write() as connection:
        traffic.add_refusals(connection, [before, row])
    listed = (await owner.get("/v1/stats/refusals/")).json()["refusals"]
    assert [one["last_at"] for one in listed] == [NOW, NOW - 9]
    names = ("address", "error_code", "file_id", "application_id", "times", "last_at")
    assert listed[0] == {"link": "q8yA7wE1b2c"} | {name: row[name] for name in names}
    assert listed[1]["tag"] == "k1"
    for query, count in (
        ({"file_id": row["file_id"]}, 1),
        ({"from_date": TODAY}, 1),
        ({"application_id": new_id()}, 0),
    ):
        answer = await owner.get("/v1/stats/refusals/", **query)
        assert len(answer.json()["refusals"]) == count
    assert (await stranger.get("/v1/stats/refusals/")).json() == {"refusals": []}
    SCHEMA.validate((await owner.get("/v1/stats/refusals/", format="xml")).text)
