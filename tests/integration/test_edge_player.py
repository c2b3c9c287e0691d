"""A streaming link is a page for a person's browser, and the bare stream for all others."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from countermark.edge.admission import Gate, Policies
from countermark.links.ledger import open_ledger
from countermark.storage.layout import POSTER_NAME, sidecar_key, subtitles_name
from countermark.storage.local import LocalStore
from support.edge import Edge, running_edge
from support.links import LINK
from support.sources import source

FILM = b"\0film" * 100
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROMIUM = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"


@pytest.fixture
async def edge(tmp_path: Path) -> AsyncIterator[Edge]:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    gate = Gate(policies=Policies(ledger, 60.0))
    async with running_edge(LocalStore(tmp_path / "blobs"), gate=gate) as edge:
        yield edge
    await ledger.close()


async def film(edge: Edge, **changes: object) -> str:
    """A streaming link with a poster and two subtitle tracks."""
    for name, data in {
        POSTER_NAME: b"\xff\xd8 picture",
        subtitles_name(0): b"WEBVTT\n\none",
        subtitles_name(1): b"WEBVTT\n\ntwo",
    }.items():
        await edge.store.put(sidecar_key(LINK.blob_key, name), source(data))
    known = {"inline": True, "poster": True, "subtitles": ("ger", "")}
    return await edge.keep(FILM, **(known | changes))


@pytest.mark.parametrize("destination", [None, "document", "iframe"])
async def test_a_persons_browser_gets_a_page(edge: Edge, destination: str | None) -> None:
    named = BROWSER | ({"Sec_Fetch_Dest": destination} if destination else {})
    answer = await edge.get(await film(edge), **named)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    text = answer.body.decode()
    assert "<title>clip.mp4</title>" in text
    assert '<video src="?stream" poster="?poster"' in text
    assert '<track kind="subtitles" src="?subtitles=0" srclang="ger" label="ger">' in text
    assert 'src="?subtitles=1" srclang="" label="2"' in text


async def test_the_page_may_load_nothing_from_outside_and_run_nothing_else(edge: Edge) -> None:
    answer = await edge.get(await film(edge), **BROWSER)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; media-src 'self'; img-src 'self'; style-src 'sha")
    assert "unsafe" not in policy
    assert not re.search(rb"https?://|//[a-z]", answer.body.replace(b"// In the", b""))
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_name_cannot_break_out_of_the_page(edge: Edge) -> None:
    answer = await edge.get(await film(edge, name="<script>$x</script>.mp4"), **BROWSER)
    assert b"&lt;script&gt;$x&lt;/script&gt;.mp4" in answer.body
    assert b"<script>$x" not in answer.body


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Accept": "*/*"},
        {"Accept": "video/*,*/*;q=0.5"},
        BROWSER | {"Range": "bytes=0-"},
        BROWSER | {"Sec_Fetch_Dest": "video"},
        BROWSER | {"Sec_Fetch_Dest": "empty"},
    ],
)
async def test_every_other_client_gets_the_stream(edge: Edge, headers: dict[str, str]) -> None:
    answer = await edge.get(await film(edge), **headers)
    assert answer.body == FILM


async def test_the_page_asks_for_the_stream_by_name(edge: Edge) -> None:
    answer = await edge.get(await film(edge) + "?stream", **BROWSER)
    assert answer.body == FILM


@pytest.mark.parametrize("changes", [{"inline": False}, {"mime_type": "text/plain"}])
async def test_what_is_saved_or_does_not_play_has_no_page(
    edge: Edge, changes: dict[str, object]
) -> None:
    answer = await edge.get(await film(edge, **changes), **BROWSER)
    assert answer.body == FILM


async def test_poster_and_subtitles_come_with_the_link(edge: Edge) -> None:
    path = await film(edge)
    poster = await edge.get(path + "?poster")
    assert (poster.headers["Content-Type"], poster.body) == ("image/jpeg", b"\xff\xd8 picture")
    second = await edge.get(path + "?subtitles=1")
    assert second.headers["Content-Type"] == "text/vtt; charset=utf-8"
    assert second.body == b"WEBVTT\n\ntwo"


@pytest.mark.parametrize("query", ["poster", "subtitles=0", "subtitles=99"])
async def test_what_the_link_does_not_say_is_not_there(edge: Edge, query: str) -> None:
    path = await film(edge, poster=False, subtitles=())
    assert (await edge.get(f"{path}?{query}")).status == 404


async def test_an_altered_link_has_neither_page_nor_poster(edge: Edge) -> None:
    path = (await film(edge)).replace("/d/", "/d/A")
    assert (await edge.get(path, **BROWSER)).status == 403
    assert (await edge.get(path + "?poster")).status == 403


async def test_the_page_does_not_use_a_one_time_link_up(edge: Edge) -> None:
    path = await film(edge, once=True)
    for _ in range(2):
        assert (await edge.get(path, **BROWSER)).status == 200
        assert (await edge.get(path + "?poster")).status == 200
    assert (await edge.get(path + "?stream")).body == FILM
    assert (await edge.get(path + "?stream")).status in {403, 410}


async def test_a_guarded_links_page_is_for_its_first_client_only(edge: Edge) -> None:
    path = await film(edge, guarded=True)
    assert (await edge.get(path, **BROWSER, User_Agent=FIREFOX)).status == 200
    for query in ("", "?poster", "?subtitles=0", "?stream"):
        assert (await edge.get(path + query, **BROWSER, User_Agent=CHROMIUM)).status == 403
    assert (await edge.get(path + "?poster", User_Agent=FIREFOX)).status == 200
