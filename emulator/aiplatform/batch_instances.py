"""How a row becomes what a model is sent, by a batch prediction's `instanceConfig`."""

from __future__ import annotations

from typing import Any

from emulator.aiplatform import batch_formats, resources
from emulator.aiplatform.import_files import RowError

Body = dict[str, Any]
FIELD = "batch_prediction_job.instance_config"
TYPES = ("object", "array")
# Formats whose rows have no fields ("Does not apply to …", BatchPredictionJob.InstanceConfig).
WHOLE = (batch_formats.FILE_LIST,)
RECORDS = (batch_formats.RECORDS, batch_formats.ZIPPED)


def check(config: Body, kind: str) -> None:
    """Raises INVALID_ARGUMENT, naming each field, for what does not go with the input's format."""
    problems = []
    asked = config.get("instanceType", "")
    if asked and asked not in TYPES:
        problems.append(("instance_type", f"Expected object or array. Received: {asked!r}."))
    if asked and kind in (*WHOLE, *RECORDS, batch_formats.CSV):
        problems.append(("instance_type", f"Does not apply to {kind}."))
    if config.get("includedFields") and config.get("excludedFields"):
        problems.append(("excluded_fields", "Must be empty when included_fields is populated."))
    for field, snake in (
        ("keyField", "key_field"),
        ("includedFields", "included_fields"),
        ("excludedFields", "excluded_fields"),
    ):
        if config.get(field) and kind in WHOLE:
            problems.append((snake, f"Does not apply to {kind}."))
    if problems:
        raise resources.field_errors([(f"{FIELD}.{key}", said) for key, said in problems])


def sent(value: Any, config: Body, kind: str, where: str) -> Any:
    """The instance of a row. RowError for a row that the configuration does not fit."""
    included: list[str] = config.get("includedFields", [])
    excluded = {*config.get("excludedFields", []), *filter(None, [config.get("keyField", "")])}
    asked = config.get("instanceType") or ("array" if kind == batch_formats.CSV else "")
    if not (included or excluded or asked):
        return value
    if not isinstance(value, dict):
        if asked == "array" and isinstance(value, list) and not (included or excluded):
            return value
        raise RowError(f"{where}: must be a JSON object.")
    if missing := [name for name in included if name not in value]:
        raise RowError(f"{where}: has no field {', '.join(missing)}.")
    names = included or [name for name in value if name not in excluded]
    if asked == "array":
        if not included and kind != batch_formats.CSV:
            raise RowError(f"{where}: included_fields must be populated for the order of fields.")
        return [value[name] for name in names if name not in excluded]
    return {name: value[name] for name in names if name not in excluded}


def told(value: Any, config: Body, kind: str) -> Body:
    """How the results name a row: by its key where there is one, else as it came."""
    key = config.get("keyField")
    if key and isinstance(value, dict) and key in value:
        return {"key": value[key]}
    if kind == batch_formats.CSV and isinstance(value, dict):
        return {"instance": list(value.values())}
    return {"instance": value}
