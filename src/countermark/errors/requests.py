"""What can be wrong with a call and with the resources that it names."""

from countermark.errors.base import PublicError


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
