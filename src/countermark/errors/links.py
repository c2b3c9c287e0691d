"""What can be wrong with a download link and with who uses it."""

from countermark.errors.base import PublicError


class LinkInvalidError(PublicError):
    """The link is altered, truncated, or was not made here."""

    status, code, message = 403, "0x0250001", "Invalid link"
    advice = "Copy the whole link again, or ask for a new one."


class LinkExpiredError(PublicError):
    """The link was right and its time is over."""

    status, code, message = 410, "0x0250002", "Link expired"
    advice = "Ask for a new link."


class LinkAddressError(PublicError):
    """The link is bound to another client address."""

    status, code, message = 403, "0x0250003", "Link not valid for this address"
    advice = "Open it from the network that it was made for, or ask for a new link."


class LinkTargetGoneError(PublicError):
    """The link is right, but its file has been deleted."""

    status, code, message = 404, "0x0250004", "File no longer available"
    advice = "The file was deleted; ask its owner for it."


class RangeNotSatisfiableError(PublicError):
    """No requested range lies within the file."""

    status, code, message = 416, "0x0250005", "Range not satisfiable"


class TooManyDownloadsError(PublicError):
    """As many downloads of this person as the link allows beside this one run already."""

    status, code, message = 429, "0x0250006", "Too many parallel downloads"
    advice = "Wait until another of your downloads has ended, then try again."


class LinkBoundError(PublicError):
    """The link was first used by another client."""

    status, code, message = 403, "0x0250007", "Link in use by another client"
    advice = "Ask for a link of your own."


class LinkSpentError(PublicError):
    """The link was good for one download, and that is done, or another client's."""

    status, code, message = 410, "0x0250008", "Link already used"
    advice = "Ask for a new link."


class LinkAnonymizerError(PublicError):
    """The link is guarded, and the client comes from an address that hides who it is."""

    status, code, message = 403, "0x0250009", "Anonymizing networks not permitted"
    advice = "Switch off the proxy or VPN, then open the link again."


class LinkBlacklistError(PublicError):
    """The link is guarded, and the client's address is blacklisted."""

    status, code, message = 403, "0x025000a", "Address not permitted"


class LinkRevokedError(PublicError):
    """The link was right, and was ended before its time, alone or with its application."""

    status, code, message = 410, "0x025000b", "Link revoked"
    advice = "Ask for a new link."


class NotForPreviewsError(PublicError):
    """A service that makes link previews asked; the link is kept for a person."""

    status, code, message = 403, "0x025000c", "Link not available for previews"
    advice = "Open the link in a browser."
