"""Nothing that opens something reaches a log."""

import io
import json
import logging

import pytest
import structlog

from countermark.cli.redaction import HIDDEN, RedactingFormatter, redact, redact_event
from countermark.links.link import mint
from support.links import LINK, RING

SECRET = "hunter2hunter2hunter2"


@pytest.mark.parametrize(
    "text",
    [
        f"GET https://edge.example/d/{SECRET}/clip.mp4",
        f"Authorization: Bearer {SECRET}",
        f"authorization: basic {SECRET}=",
        f"/v1/files/?client_id=1&signature={SECRET}&expiry_time=3",
        f'{{"client_secret": "{SECRET}"}}',
        f"client_secret={SECRET}",
        f"{{'access_token': '{SECRET}'}}",
        f"postgresql://me:{SECRET}@db/files",
        f"policy={SECRET}",
    ],
)
def test_a_secret_is_taken_out_of_text(text: str) -> None:
    assert SECRET in text
    assert SECRET not in redact(text)
    assert HIDDEN in redact(text)


def test_a_links_token_is_hidden_and_its_name_stays() -> None:
    path = mint(LINK, RING)
    assert redact(f"asked for {path}") == f"asked for /d/{HIDDEN}/clip.mp4"


@pytest.mark.parametrize(
    "text", ["GET /v1/files/0123456789ab", "ingested 5 files", "http://127.0.0.1:8080/d/short"]
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_secrets_deep_in_an_event_are_hidden_and_numbers_stay_numbers() -> None:
    headers = {"Authorization": SECRET, "Accept": "*/*"}
    event = {"event": "failed", "status": 500, "request": {"headers": [headers]}, "token": SECRET}
    cleaned = redact_event(None, "error", event)
    assert SECRET not in repr(cleaned)
    assert cleaned["status"] == 500
    assert cleaned["request"]["headers"][0]["Accept"] == "*/*"


def test_an_exceptions_text_is_cleaned() -> None:
    out = io.StringIO()
    logger = structlog.wrap_logger(
        structlog.PrintLogger(out),
        processors=[
            structlog.processors.format_exc_info,
            redact_event,
            structlog.processors.JSONRenderer(),
        ],
    )
    logger.error("failed", exc_info=OSError(f"cannot reach s3://key:{SECRET}@host"))
    assert "OSError" in json.loads(out.getvalue())["exception"]
    assert SECRET not in out.getvalue()


def test_what_libraries_log_is_cleaned() -> None:
    record = logging.LogRecord("x", 40, "", 1, "GET /d/%s/a.mp4", (SECRET,), None)
    assert SECRET not in RedactingFormatter().format(record)
