"""The error tree: what can go wrong, with the code, the status and the text a user sees.

Every error that may reach a user is a `PublicError`. Its `code` and `message` are stable and
documented in docs/errors.md; `detail` says what to do about this one case and never carries a
secret, a path or a foreign id. Vendor errors are translated where they enter, with `raise ...
from` so that the cause stays in the log.
"""

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


class NoSuchRouteError(PublicError):
    """No route has this path."""

    status, code, message = 404, "0x0000002", "Requested resource does not exist"


class AccessError(PublicError):
    """Token or signature missing, malformed, expired, revoked, or without the scope needed."""

    status, code, message = 403, "0x0000003", "Invalid access token"


class MethodNotAllowedError(PublicError):
    """The path exists, but not with this method."""

    status, code, message = 405, "0x0000004", "Method not allowed"


class BodyTooLargeError(PublicError):
    """The request's body is over the limit."""

    status, code, message = 413, "0x0000005", "Request body too large"


class UnsupportedMediaTypeError(PublicError):
    """The request's body is of a type that this call does not read."""

    status, code, message = 415, "0x0000006", "Unsupported media type"


class UnavailableError(PublicError):
    """The service cannot answer now; trying again later may work."""

    status, code, message = 503, "0x0000007", "Service temporarily unavailable"


class InvalidRequestError(PublicError):
    """Input outside the Files resource that cannot be right."""

    status, code, message = 400, "0x0000008", "Invalid Input"


class InvalidGrantError(PublicError):
    """The token call's client id or secret is wrong, or its grant type is unknown."""

    status, code, message = 400, "0x0010001", "Invalid grant"


class ApplicationNotFoundError(PublicError):
    """The application does not exist, or is another user's."""

    status, code, message = 404, "0x0020002", "Requested application does not exist"


class UserNotFoundError(PublicError):
    """The user does not exist, or is not the one that the token acts for."""

    status, code, message = 404, "0x0030002", "Requested user does not exist"


class InvalidFileInputError(PublicError):
    """A parameter or body of the Files resource is wrong."""

    status, code, message = 400, "0x0230001", "Invalid Input"


class FileNotFoundPublicError(PublicError):
    """The file does not exist, or is another user's: the two look the same."""

    status, code, message = 404, "0x0230002", "Requested file does not exist"


class InvalidPipelineInputError(PublicError):
    """A parameter or body of the Pipelines resource is wrong."""

    status, code, message = 400, "0x0210001", "Invalid Input"


class PipelineNotFoundError(PublicError):
    """The pipeline does not exist, or is another user's."""

    status, code, message = 404, "0x0210002", "Requested pipeline does not exist"


class PipelineInUseError(PublicError):
    """The pipeline has files, uploads under way, or jobs that have not ended."""

    status, code, message = 409, "0x0210003", "Pipeline in use"


class InvalidJobInputError(PublicError):
    """A parameter or body of the Jobs resource is wrong."""

    status, code, message = 400, "0x0220001", "Invalid Input"


class JobNotFoundError(PublicError):
    """The job does not exist, or is another user's."""

    status, code, message = 404, "0x0220002", "Requested job does not exist"


class JobStateError(PublicError):
    """The job is not in a state in which this can be done to it."""

    status, code, message = 409, "0x0220003", "Not possible in this state of the job"


class JobCancelledError(PublicError):
    """The job was cancelled; only ever the error of a job."""

    status, code, message = 409, "0x0220004", "Job cancelled"
    advice = "The job was cancelled. Retry it if it is needed after all."


class JobOverdueError(PublicError):
    """The job waited longer than its pipeline allows; only ever the error of a job."""

    status, code, message = 409, "0x0220005", "Job waited too long"
    advice = (
        "The job waited longer than the pipeline's cancel_timeout. Retry it, or allow more time."
    )


class JobInputMissingError(PublicError):
    """The job's input is not in the store."""

    status, code, message = 404, "0x0220006", "Input does not exist"
    advice = "Upload the input, then create the job again."


class JobUnstableError(PublicError):
    """Worker after worker died over the job; only ever the error of a job."""

    status, code, message = 500, "0x0220007", "Job could not be finished"
    advice = "The workers that tried it ended unexpectedly, again and again. Try another input."


class JobBrokenError(PublicError):
    """Something of the service failed; only ever the error of a job."""

    status, code, message = 500, "0x0220008", "Job failed by the service"
    advice = "The service itself failed over the job; its log says why. Retry the job."


class InvalidPresetInputError(PublicError):
    """A parameter or body of the Presets resource is wrong."""

    status, code, message = 400, "0x0270001", "Invalid Input"


class PresetNotFoundError(PublicError):
    """The preset does not exist, or is another user's, or is built in and was to be changed."""

    status, code, message = 404, "0x0270002", "Requested preset does not exist"


class CodecNotFoundError(PublicError):
    """The codec does not exist."""

    status, code, message = 404, "0x0290002", "Requested codec does not exist"


class InvalidUploadInputError(PublicError):
    """A parameter, body or chunk of an upload is wrong."""

    status, code, message = 400, "0x0240001", "Invalid Input"


class UploadNotFoundError(PublicError):
    """The upload does not exist, or is another user's."""

    status, code, message = 404, "0x0240002", "Requested upload does not exist"


class UploadRefusedError(PublicError):
    """The upload's policy is missing, altered, expired, or of an upload that has ended."""

    status, code, message = 403, "0x0240003", "Upload not permitted"


class StorageFullError(PublicError):
    """There is no room left for the bytes; nothing of them was kept."""

    status, code, message = 507, "0x0240004", "Insufficient storage"
    advice = "There is no room. Delete what is not needed, or ask for more, then try again."


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


class NotMediaError(PublicError):
    """The input is not media of a kind that can be read."""

    status, code, message = 422, "0x0260001", "Input is not media"
    advice = "Use a video or sound file, and upload it whole."


class DamagedMediaError(PublicError):
    """The input is media, but cut off or damaged."""

    status, code, message = 422, "0x0260002", "Input is damaged"
    advice = "Upload the file again, whole; if it stays, make it anew from its source."


class EncryptedMediaError(PublicError):
    """The input is encrypted."""

    status, code, message = 422, "0x0260003", "Input is encrypted"
    advice = "Use a copy without encryption."


class MissingTrackError(PublicError):
    """The input has no track of the kind that the output is to be made of."""

    status, code, message = 422, "0x0260004", "Input lacks a track"


class MediaSettingsError(PublicError):
    """The output's settings contradict each other, or the input."""

    status, code, message = 422, "0x0260005", "Settings not possible"


class MediaTimeError(PublicError):
    """The work takes more time than it may."""

    status, code, message = 422, "0x0260006", "Processing takes too long"
    advice = "Use a shorter input, a smaller output, or a faster preset."


class MediaMemoryError(PublicError):
    """The work needs more memory than it may use."""

    status, code, message = 422, "0x0260007", "Processing needs too much memory"
    advice = "Use an input or output with fewer pixels."


class MediaOutputError(PublicError):
    """What is made is larger than it may be."""

    status, code, message = 422, "0x0260008", "Output too large"
    advice = "Use a lower bitrate or a shorter input."


class MediaCrashError(PublicError):
    """The process that did the work crashed."""

    status, code, message = 500, "0x0260009", "Processing crashed"
    advice = "The input may be damaged: make it anew from its source, or try another preset."


class MasterFlawError(PublicError):
    """An AutoGraph master does not pass its own check, and is thrown away."""

    status, code, message = 500, "0x026000a", "Master failed its check"
    advice = "Try again; if it stays so, report it with the input."


class PlaceInvalidError(PublicError):
    """The address of a source or target has no form that can be used."""

    status, code, message = 422, "0x0280001", "Address not usable"
    advice = "Use an https, s3 or sftp address; the documentation of jobs has their forms."


class PlacePrivateError(PublicError):
    """The address of a source or target is not a public one."""

    status, code, message = 422, "0x0280002", "Address not permitted"
    advice = "Use an address of the Internet, or have the operator permit internal ones."


class PlaceUnreachableError(PublicError):
    """The server of a source or target does not answer, or breaks off again and again."""

    status, code, message = 502, "0x0280003", "Address not reachable"
    advice = "Check that it answers from outside, then retry."


class PlaceRefusedError(PublicError):
    """The server of a source or target answers that it won't."""

    status, code, message = 422, "0x0280004", "Address refuses access"
    advice = "Check the path and the credentials, then retry."


class PlaceTooLargeError(PublicError):
    """The source is larger than an input may be."""

    status, code, message = 422, "0x0280005", "Source too large"


class PlaceSlowError(PublicError):
    """The source or target takes too long."""

    status, code, message = 422, "0x0280006", "Address too slow"
    advice = "Upload the file instead, or serve it from a faster place."


class InvalidBacktraceInputError(PublicError):
    """A parameter or field of a backtrace is wrong."""

    status, code, message = 400, "0x02a0001", "Invalid Input"


class BacktraceNotFoundError(PublicError):
    """The backtrace does not exist, or is another user's."""

    status, code, message = 404, "0x02a0002", "Requested backtrace does not exist"


class BacktraceInputMissingError(PublicError):
    """The leak that was to be traced is not there any more."""

    status, code, message = 422, "0x02a0003", "Input missing"
    advice = "Upload the leak again, then ask for a new backtrace."


def public_errors() -> list[type[PublicError]]:
    """Every public error, in the order of their codes; what docs/errors.md must list."""
    return sorted(PublicError.__subclasses__(), key=lambda error: error.code)
