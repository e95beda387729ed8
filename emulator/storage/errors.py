"""Cloud Storage's refusals: an HTTP code, a reason, and Google's own sentences."""

from __future__ import annotations

from typing import Any

from emulator.errors import ApiError

REASONS = {400: "invalid", 401: "authError", 403: "forbidden", 404: "notFound", 409: "conflict"}


class StorageError(Exception):
    """A refusal of Cloud Storage; `location` is the (type, name) of what was wrong."""

    def __init__(
        self, code: int, reason: str, message: str, location: tuple[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.location = location

    def body(self) -> dict[str, Any]:
        """The JSON that Cloud Storage answers."""
        item = {"message": self.message, "domain": "global", "reason": self.reason}
        if self.location:
            item["locationType"], item["location"] = self.location
        return {"error": {"code": self.code, "message": self.message, "errors": [item]}}


def from_api_error(error: ApiError) -> StorageError:
    """The same refusal in Cloud Storage's form."""
    reason = REASONS.get(error.http_code, "backendError")
    return StorageError(error.http_code, reason, error.message)


def invalid(message: str) -> StorageError:
    """400 with reason `invalid`."""
    return StorageError(400, "invalid", message)


def required(parameter: str) -> StorageError:
    """400 for a query parameter that is missing."""
    return StorageError(
        400, "required", f"Required parameter: {parameter}", ("parameter", parameter)
    )


def no_bucket() -> StorageError:
    """404 for a bucket."""
    return StorageError(404, "notFound", "The specified bucket does not exist.")


def no_object(bucket: str, name: str) -> StorageError:
    """404 for an object."""
    return StorageError(404, "notFound", f"No such object: {bucket}/{name}")


def condition_not_met(header: str = "If-Match") -> StorageError:
    """412 for any of the four preconditions."""
    message = "At least one of the pre-conditions you specified did not hold."
    return StorageError(412, "conditionNotMet", message, ("header", header))
