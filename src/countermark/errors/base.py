"""The roots of the error tree, and what is not for users."""

from typing import ClassVar, Self


class CountermarkError(Exception):
    """Root of everything this package raises on purpose."""


class SettingsError(CountermarkError):
    """A setting is wrong; the text names the variable, its value and what is accepted."""


class StorageError(CountermarkError):
    """A blob store failed for a reason that is not the caller's."""


class BlobNotFoundError(StorageError):
    """No blob has this key."""


class AddressListError(CountermarkError):
    """An address list cannot be used; the text says why and never carries its URL's secrets."""


class PublicError(CountermarkError):
    """An error for the user: HTTP status, stable code, stable message, optional detail.

    Attributes:
        status: HTTP status.
        code: "0x" and seven hex digits: three of the resource, four of the error.
        message: stable text of the code.
        advice: what to do about it where the case gives no detail of its own, or None.
        detail: what was wrong in this case and what to do, or None.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "0x0000001"
    message: ClassVar[str] = "Internal Error"
    advice: ClassVar[str | None] = None

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail or self.message)
        self.detail = detail or self.advice

    def __reduce__(self) -> tuple[type[Self], tuple[str | None]]:
        """Keep the detail when a workflow's checkpoint keeps the error."""
        return type(self), (self.detail,)


class InternalError(PublicError):
    """Something failed that is not the caller's fault; the cause is in the server's log."""


def public_errors() -> list[type[PublicError]]:
    """Every public error, in the order of their codes; what docs/errors.md must list."""
    return sorted(PublicError.__subclasses__(), key=lambda error: error.code)
