"""Bearer tokens: POST /oauth2/token/ (RFC 6749, 4.4, with the original service's spellings)."""

import binascii
import hmac
import secrets
from base64 import b64decode
from typing import Annotated, Any, Literal
from urllib.parse import unquote_plus

from msgspec import Meta, Struct
from sqlalchemy import Connection

from countermark.api import scopes
from countermark.api.authorization import token_hash
from countermark.api.operation import Call, Operation
from countermark.api.parameters import Presentation
from countermark.api.resources import TokenAnswer
from countermark.catalog.readers import accounts
from countermark.catalog.records import ApplicationRecord
from countermark.catalog.writers import accounts as write_accounts
from countermark.errors import InvalidGrantError, InvalidRequestError

DEFAULT_LIFETIME = 3600
LONGEST_LIFETIME = 31_536_000  # a year, in seconds
_TOKEN_BYTES = 32

Lifetime = Annotated[int, Meta(ge=1, le=LONGEST_LIFETIME, description="Seconds.")]


class TokenQuery(Presentation, frozen=True, kw_only=True):
    """The lifetime may stand in the query, too."""

    expires_in: Lifetime | None = None


class TokenForm(Struct, frozen=True, kw_only=True):
    """What the application says; its id and secret may come as HTTP Basic credentials instead."""

    grant_type: Literal["client_credential", "client_credentials"]
    client_id: Annotated[str, Meta(max_length=100, description="24 hex digits.")] | None = None
    client_secret: Annotated[str, Meta(max_length=200, description="base64")] | None = None
    scope: (
        Annotated[
            str,
            Meta(
                max_length=500,
                description="Comma or space separated; by default all of the application's.",
            ),
        ]
        | None
    ) = None
    expires_in: Lifetime | None = None


async def issue_token(call: Call[TokenQuery]) -> TokenAnswer:
    """Get a bearer token for an application."""
    form = await call.form_body(TokenForm)
    lifetime = _lifetime(call.query.expires_in, form.expires_in)
    client_id, secret = _credentials(form, call.header(b"authorization"))
    # Only who has proved to be somebody gets to open a transaction.
    application = await call.services.catalog.read_point(
        lambda connection: accounts.application(connection, client_id)
    )
    if application is None or not _proves(secret, application):
        raise InvalidGrantError("client_id or client_secret is wrong")
    granted = _granted(form.scope, application)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    expires_at = call.now + lifetime * 1000

    def write(connection: Connection) -> None:
        write_accounts.issue_token(
            connection, client_id, granted, token_hash(token), expires_at, call.now
        )

    await call.services.catalog.write(write)
    return TokenAnswer(token, lifetime)


def _lifetime(in_query: int | None, in_form: int | None) -> int:
    if in_query is not None and in_form is not None:
        raise InvalidRequestError("expires_in: given more than once")
    return in_query or in_form or DEFAULT_LIFETIME


def _credentials(form: TokenForm, header: str) -> tuple[str, str]:
    kind, _, encoded = header.partition(" ")
    if form.client_id is not None and form.client_secret is not None:
        return form.client_id, form.client_secret
    if kind.lower() != "basic":
        raise InvalidGrantError("send client_id and client_secret")
    try:
        client_id, _, secret = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError as error:
        raise InvalidGrantError("malformed Basic credentials") from error
    # Both were form-encoded before they were joined (RFC 6749, 2.3.1); a bare "+" of base64,
    # which many clients leave as it is, must survive.
    return client_id, unquote_plus(secret.replace("+", "%2B"))


def _proves(secret: str, application: ApplicationRecord) -> bool:
    try:
        given = b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        return False
    right = hmac.compare_digest(given, application.client_secret)
    return right and application.revoked_at is None


def _granted(asked: str | None, application: ApplicationRecord) -> list[str]:
    if asked is None or not asked.strip():
        return list(application.scopes)
    wanted = asked.replace(",", " ").split()
    beyond = scopes.effective(wanted) - scopes.effective(application.scopes)
    if beyond:
        raise InvalidGrantError("scope: the application does not have what is asked for")
    return list(dict.fromkeys(wanted))


OPERATIONS: tuple[Operation[Any], ...] = (
    Operation(
        method="POST",
        path="/v1/oauth2/token/",
        handler=issue_token,
        query=TokenQuery,
        answer=TokenAnswer,
        form=TokenForm,
        invalid=InvalidRequestError,
        errors=(InvalidGrantError,),
    ),
)
