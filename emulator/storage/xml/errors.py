"""Refusals as the XML API words them.

https://cloud.google.com/storage/docs/xml-api/reference-status.
"""

from __future__ import annotations

from emulator.storage import length_range
from emulator.storage.errors import StorageError

INVALID = "Invalid argument."
DENIED = "Access denied."
PROPOSED = "Your proposed upload is {} than the {} object size specified in your Policy Document."
# Reason of the JSON API -> name and sentence of the XML API. The JSON's sentence is the details.
BY_REASON: dict[str, tuple[str, str]] = {
    "conditionNotMet": (
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold.",
    ),
    "requestedRangeNotSatisfiable": (
        "InvalidRange",
        "The requested range cannot be satisfied.",
    ),
    "forbidden": ("AccessDenied", DENIED),
    "retentionPolicyNotMet": ("AccessDenied", DENIED),
    "authError": ("AuthenticationRequired", "Authentication required."),
    "uploadTooLarge": (
        "EntityTooLarge",
        "Your proposed upload exceeds the maximum allowed object size.",
    ),
    "notImplemented": (
        "NotImplemented",
        "A header or query you provided requested a function that is not implemented.",
    ),
    "insufficientStorage": ("InsufficientStorage", "There is no space left."),
    "clientClosed": ("RequestTimeout", "The upload was unable to be completed."),
}
BY_STATUS: dict[int, tuple[str, str]] = {
    400: ("InvalidArgument", INVALID),
    401: BY_REASON["authError"],
    403: BY_REASON["forbidden"],
    404: ("NoSuchKey", "The specified key does not exist."),
    405: ("MethodNotAllowed", "The specified method is not allowed against this resource."),
    409: ("OperationAborted", "A conflicting conditional operation is currently in progress."),
    411: ("MissingContentLength", "You must provide the Content-Length HTTP header."),
    412: BY_REASON["conditionNotMet"],
    413: BY_REASON["uploadTooLarge"],
    416: BY_REASON["requestedRangeNotSatisfiable"],
    429: ("SlowDown", "Please reduce your request rate."),
    501: BY_REASON["notImplemented"],
    503: ("ServiceUnavailable", "We encountered an internal error. Please try again."),
}
INTERNAL = ("InternalError", "We encountered an internal error. Please try again.")
# The start of the JSON API's sentence -> the same, where the reason alone does not tell.
BY_SENTENCE: list[tuple[int, str, tuple[str, str]]] = [
    (400, length_range.LARGE, ("EntityTooLarge", PROPOSED.format("larger", "maximum"))),
    (400, length_range.SMALL, ("EntityTooSmall", PROPOSED.format("smaller", "minimum"))),
    (404, "The specified bucket", ("NoSuchBucket", "The specified bucket does not exist.")),
    (400, "Invalid bucket name", ("InvalidBucketName", "The specified bucket is not valid.")),
    (
        400,
        "Provided MD5 hash",
        ("BadDigest", "The Content-MD5 you specified did not match what we received."),
    ),
    (400, "Provided CRC32C", ("CrcMismatch", "The CRC32C you specified did not match.")),
    (400, "The maximum object length", ("KeyTooLong", "Your key is too long.")),
    (409, "The bucket you tried to delete", ("BucketNotEmpty", "")),
    (409, "Your previous request to create", ("BucketAlreadyOwnedByYou", "")),
    (409, "The requested bucket name", ("BucketAlreadyExists", "")),
]


class XmlError(StorageError):
    """A refusal that only the XML API has; `extra` are further elements of its document."""

    def __init__(
        self,
        code: int,
        name: str,
        message: str,
        details: str = "",
        extra: dict[str, str] | None = None,
    ) -> None:
        super().__init__(code, name, message)
        self.name = name
        self.details = details
        self.extra = extra or {}


def from_storage(error: StorageError) -> XmlError:
    """The same refusal as the XML API says it."""
    if isinstance(error, XmlError):
        return error
    name, message = _words(error)
    details = error.message if message and error.message != message else ""
    return XmlError(error.code, name, message or error.message, details)


def no_such(name: str, message: str) -> XmlError:
    """404."""
    return XmlError(404, name, message)


def invalid_argument(details: str) -> XmlError:
    """400 InvalidArgument."""
    return XmlError(400, "InvalidArgument", INVALID, details)


def denied(details: str) -> XmlError:
    """403 AccessDenied."""
    return XmlError(403, "AccessDenied", DENIED, details)


def _words(error: StorageError) -> tuple[str, str]:
    for code, start, words in BY_SENTENCE:
        if error.code == code and error.message.startswith(start):
            return words
    if error.reason.startswith(("customerEncryption", "resource")) and error.code == 400:
        return error.reason[0].upper() + error.reason[1:], error.message
    if error.reason in BY_REASON:
        return BY_REASON[error.reason]
    return BY_STATUS.get(error.code, INTERNAL if error.code >= 500 else BY_STATUS[400])
