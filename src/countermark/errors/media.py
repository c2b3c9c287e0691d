"""What can be wrong with media, with work on it, and with files elsewhere."""

from countermark.errors.base import PublicError


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
