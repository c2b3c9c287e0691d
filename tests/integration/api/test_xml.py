"""Every XML answer is what docs/countermark.xsd says, and tells what the JSON tells."""

from pathlib import Path
from typing import Any

import httpx
import pytest
import xmlschema
from lxml import etree

from countermark.catalog.records import Thumbnail
from support.api import Account

SCHEMA = xmlschema.XMLSchema(str(Path(__file__).parents[3] / "docs" / "countermark.xsd"))
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
LISTS = {
    *("files", "pipelines", "urls", "elements", "parents", "scopes"),
    *("video_tracks", "audio_tracks", "subtitle_tracks"),
    *("users", "applications", "presets", "codecs", "profiles", "jobs", "outputs", "images"),
    "warnings",
}


def plain(element: Any) -> Any:
    """The element as JSON would have it, with every scalar as text."""
    if element.get(f"{XSI}nil") == "true":
        return None
    if element.tag in LISTS:
        return [plain(child) for child in element]
    if len(element) or element.tag in {"form_post_params", "caps", "settings", "video", "audio"}:
        return {child.tag: plain(child) for child in element}
    return element.text or ""


def as_text(value: Any) -> Any:
    """JSON with every scalar as text."""
    if isinstance(value, dict):
        return {key: as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_text(item) for item in value]
    return value if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def valid(answer: httpx.Response) -> Any:
    assert answer.headers["content-type"] == "application/xml"
    SCHEMA.validate(answer.text)
    root = etree.fromstring(answer.content)
    assert root.tag == "response"
    return {child.tag: plain(child) for child in root}


@pytest.fixture
def paths(owner: Account) -> list[str]:
    file = owner.add_file(
        "a/Käse & <Wein>\r\n.mp4",
        video_tracks=[{"video_codec": "H.264 / AVC", "framerate": 23.98, "width": 1}],
        audio_tracks=[{"audio_codec": "MPEG-4 AAC"}],
        subtitle_tracks=[{"subtitle_codec": "Timed Text", "language": "de"}],
        thumbnail=Thumbnail("image/jpeg", b"x"),
        job_id="5" * 24,
    )
    archive = owner.add_archive([file.id])
    preset = owner.add_preset()
    jobs = [
        owner.add_job(input_file_id=file.id, autograph={"watermark_strength": "light"}),
        owner.add_ended_job(file.id, preset.id),
    ]
    return [
        f"/v1/files/{file.id}?",
        f"/v1/files/{archive.id}?",
        f"/v1/files/{owner.pipeline.root_folder_id}?",
        "/v1/files/?limit=2&",
        "/v1/files/?start=99&",
        "/v1/files/?type=archive&start=1&",
        "/v1/pipelines/?",
        f"/v1/pipelines/{owner.pipeline.id}?",
        f"/v1/users/{owner.user.id}?",
        f"/v1/applications/{owner.application.id}?",
        "/v1/users/?",
        "/v1/applications/?",
        "/v1/codecs/?",
        f"/v1/presets/{preset.id}?",
        "/v1/presets/?",
        f"/v1/jobs/{jobs[0].id}?",
        "/v1/jobs/?",
        "/v1/files/nothing?",
        "/v1/files/?limit=0&",
        "/health?",
    ]


@pytest.mark.parametrize(
    "looks",
    ["", "show_null=true", "human=true&show_null=true", "expand=user,parents,elements",
     "expand=file,preset,codec,folder,archive", "expand_all=true&bin_data=true&human=true"],
)  # fmt: skip
async def test_xml_is_valid_and_equals_json(owner: Account, paths: list[str], looks: str) -> None:
    for path in paths:
        xml = valid(await owner.call("GET", f"{path}{looks}&format=xml"))
        json = (await owner.call("GET", f"{path}{looks}&format=json")).json()
        expected = as_text(json)
        for page in (xml, expected):  # whose links carry the format asked for
            for link in ("first", "last", "next", "prev"):
                page.pop(link, None)
        assert xml == expected, path


async def test_downloads_tokens_and_uploads_are_valid_xml(owner: Account) -> None:
    file = owner.add_file()
    archive = owner.add_archive([file.id])
    one = valid(await owner.get("/v1/files/downloads/", file_id=file.id, format="xml"))
    assert one["url"].startswith("https://")
    several = valid(await owner.get("/v1/files/downloads/", file_id=archive.id, format="xml"))
    assert len(several["urls"]) == 1
    params = {"object_key": "ä", "pipeline_id": owner.pipeline.id, "format": "xml"}
    begun = valid(await owner.call("POST", "/v1/files/uploads/", params=params))
    assert begun["upload"]["form_post_params"]["key"] == "ä"
    body = {"pipeline": {"name": "p", "ping_urls": {"error": "https://a.example/?a&b"}}}
    made = valid(await owner.call("POST", "/v1/pipelines/?format=xml", json=body))
    assert made["pipeline"]["ping_urls"] == {"error": "https://a.example/?a&b"}


async def test_what_xml_cannot_say_is_replaced(owner: Account) -> None:
    file = owner.add_file("bell\x07\ufffe.mp4")
    xml = valid(await owner.get(f"/v1/files/{file.id}", format="xml"))
    assert xml["file"]["name"] == "bell\ufffd\ufffd.mp4"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/json", "json"),
        ("application/xml", "xml"),
        ("text/xml", "xml"),
        ("*/*", "json"),
        ("", "json"),
        ("application/xml, */*", "xml"),
        ("application/xml;q=0.5, application/json;q=0.4", "xml"),
        ("application/xml;q=0.4, application/json;q=0.5", "json"),
        ("application/xml, application/json", "json"),
        ("application/xml;q=0, */*", "json"),
        ("application/xml;q=0.3, */*;q=0.8", "json"),
        ("APPLICATION/XML ; q=1", "xml"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "json"),
        ("image/png", "json"),
        ("application/xml;q=nonsense", "json"),
    ],
)
async def test_accept_chooses(owner: Account, accept: str, expected: str) -> None:
    path = f"/v1/files/{owner.pipeline.root_folder_id}"
    answer = await owner.call("GET", path, headers={"Accept": accept})
    assert answer.headers["content-type"] == f"application/{expected}"
    assert "Accept" in answer.headers["vary"]
    other = {"json": "xml", "xml": "json"}[expected]
    answer = await owner.call("GET", f"{path}?format={other}", headers={"Accept": accept})
    assert answer.headers["content-type"] == f"application/{other}"
