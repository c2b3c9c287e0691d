"""The report's page says what the report says, and is safe whatever tags and names it shows."""

import re
from html import unescape
from html.parser import HTMLParser

import msgspec
import pytest

from countermark.autograph.report import TraceDocument
from countermark.autograph.report_charts import clock
from countermark.autograph.report_page import odds, render
from support.reports import insufficient, named

HOSTILE = "<script>alert('x')</script>\" onload=\"1\u202e & $style ${facts}"


class Reader(HTMLParser):
    """Reads a page: its tags, its attributes, its text; checks that what is opened is closed."""

    VOID = frozenset({"meta", "img", "link", "br"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)
        assert self.open in ([], ["html"])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID and tag != "path":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "path":
            assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_named_recipient_is_what_one_reads_first() -> None:
    page = Reader(render(named("Zoë 🎬")))
    assert page.text.index("Zoë 🎬") < page.text.index("below 1 in 312 billion")
    assert "several recipients" not in page.text
    for words in ("mirrored", "turned by 2°", "80%", "192.0.2.1", "film.mp4", "leak.mkv"):
        assert words in page.text


def test_several_recipients_are_all_named_and_said_to_act_together() -> None:
    page = Reader(render(named("a", "b", "c")))
    assert "a, b, c" in page.text
    assert "several recipients acting together" in page.text
    assert page.tags.count("svg") == 4


def test_insufficient_evidence_says_what_would_do() -> None:
    page = Reader(render(insufficient()))
    assert "Insufficient evidence" in page.text
    assert "0:35 more of this leak would do" in page.text


@pytest.mark.parametrize("document", [named("a"), insufficient()])
def test_the_page_needs_nothing_else_and_runs_nothing(document: TraceDocument) -> None:
    page = Reader(render(document))
    assert not {"script", "link", "iframe", "object", "form", "base"} & set(page.tags)
    for name, value in page.attributes:
        assert not name.startswith("on")
        if name in {"src", "href"}:
            assert re.match(r"data:image/jpeg;base64,[A-Za-z0-9+/=]+\Z", value or "")
    style = render(document).partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_hostile_tags_and_names_stay_text() -> None:
    document = msgspec.structs.replace(named(HOSTILE), leak_name=HOSTILE, master_name=HOSTILE)
    text = render(document)
    page = Reader(text)
    assert "script" not in page.tags
    assert page.text.count(HOSTILE) >= 4
    assert HOSTILE not in unescape(text.partition("<main>")[0]).partition("<header>")[0].replace(
        f"Trace of {HOSTILE}", ""
    )


def test_a_report_of_nothing_is_a_page_too() -> None:
    document = insufficient()
    bare = msgspec.structs.replace(
        document.report, master=None, segments=(), scores=None, more=None, reason=None
    )
    page = Reader(render(msgspec.structs.replace(document, report=bare, master_name=None)))
    assert "none recognised" in page.text


def test_a_document_survives_json() -> None:
    document = named("Zoë", "b")
    assert msgspec.json.decode(msgspec.json.encode(document), type=TraceDocument) == document


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (1e-6, "below 1 in 1 million"),
        (2.4e-7, "below 1 in 4 million"),
        (3e-10, "below 1 in 3 billion"),
        (5e-324, "below 1 in 10<sup>323</sup>"),
        (0.004, "below 1 in 250"),
        (0.2, "below 20 %"),
        (1.0, "below 100 %"),
    ],
)
def test_probabilities_are_said_as_people_say_them(probability: float, words: str) -> None:
    assert odds(probability) == words


def test_times_are_said_as_players_say_them() -> None:
    assert [clock(time) for time in (0, 59.6, 61, 3723, -5)] == [
        "0:00",
        "1:00",
        "1:01",
        "1:02:03",
        "-0:05",
    ]
