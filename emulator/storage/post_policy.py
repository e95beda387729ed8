"""Policy documents of upload forms: signed conditions on what a form may say.

https://cloud.google.com/storage/docs/authentication/signatures#policy-document and
https://cloud.google.com/storage/docs/xml-api/post-object-forms.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from emulator.storage import signatures_v4
from emulator.storage.length_range import LengthRange
from emulator.storage.signers import (
    Signers,
    Verify,
    from_base64,
    from_hex,
    mismatch,
    missing,
)
from emulator.storage.xml.errors import XmlError

UNMET = "The content of the form does not meet the conditions specified in the policy document."
# Fields that no condition has to name.
UNNAMED = frozenset({"policy", "file", "signature", "googleaccessid", "x-goog-signature"})
IGNORED_PREFIX = "x-ignore-"
RANGE, START, EQUAL = "content-length-range", "starts-with", "eq"


@dataclass(frozen=True)
class Judged:
    """A policy that a form fulfils: who signed it, and how long the file may be."""

    email: str
    lengths: LengthRange


def judge(fields: Mapping[str, str], bucket: str, signers: Signers, now: datetime) -> Judged:
    """Who signed the policy of a form; `fields` have lower-case names. 400 or 403 unless it holds.

    `bucket` is where the form is sent: conditions may name it without a field of that name.
    """
    email = _signer(fields, signers)
    document = _document(fields["policy"])
    _check_expiry(document.get("expiration"), now)
    said = {"bucket": bucket, **fields}
    lengths = LengthRange()
    named = set()
    for condition in _conditions(document):
        kind, name, wanted = condition
        if kind == RANGE:
            lengths = _extent(name, wanted)
            continue
        named.add(name)
        _check_condition(kind, name, wanted, said)
    loose = [
        name
        for name in fields
        if name not in named | UNNAMED and not name.startswith(IGNORED_PREFIX)
    ]
    if loose:
        raise unmet(f"Policy did not reference these fields: {', '.join(loose)}")
    return Judged(email, lengths)


def unmet(details: str) -> XmlError:
    """400 InvalidPolicyDocument."""
    return XmlError(400, "InvalidPolicyDocument", UNMET, details)


def _signer(fields: Mapping[str, str], signers: Signers) -> str:
    """Whose signature the policy has. 403 where it does not hold."""
    if not fields.get("policy"):
        raise unmet("Missing policy")
    email, verify, mark = _signature(fields, signers)
    if not verify(fields["policy"].encode(), mark):
        raise mismatch({"StringToSign": fields["policy"]})
    return email


def _signature(fields: Mapping[str, str], signers: Signers) -> tuple[str, Verify, bytes]:
    if "googleaccessid" in fields:
        email = fields["googleaccessid"]
        return email, signers.rsa(email), from_base64(fields.get("signature", ""))
    names = ("algorithm", "credential", "date", "signature")
    for name in names:
        if not fields.get(f"x-goog-{name}"):
            raise missing(f"x-goog-{name}")
    scope = signatures_v4.scope_of({name: fields[f"x-goog-{name}"] for name in names}, None)
    email, verify = signatures_v4.verifier(scope, signers)
    return email, verify, from_hex(scope.signature)


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(b64decode(text, validate=True))
    except ValueError as error:
        raise unmet(f"Policy document parsing error: {error}") from None
    if not isinstance(document, dict):
        raise unmet("Policy document parsing error: it is not an object.")
    return document


def _check_expiry(text: object, now: datetime) -> None:
    try:
        end = datetime.fromisoformat(str(text))
    except ValueError:
        raise unmet(f"Policy document parsing error: invalid expiration '{text}'.") from None
    if now > (end if end.tzinfo else end.replace(tzinfo=UTC)):
        raise unmet(f"Policy has expired: {text}")


def _conditions(document: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """(kind, field in lower case, value) of each condition; of a range its two ends."""
    sent = document.get("conditions")
    if not isinstance(sent, list):
        raise unmet("Policy document parsing error: conditions must be a list.")
    found: list[tuple[str, Any, Any]] = []
    for condition in sent:
        if isinstance(condition, dict):
            found += [(EQUAL, str(name).lower(), value) for name, value in condition.items()]
        elif isinstance(condition, list) and len(condition) == 3:
            found.append(_triple(condition))
        else:
            raise unmet(f"Policy document parsing error: {json.dumps(condition)}")
    return found


def _triple(condition: list[Any]) -> tuple[str, Any, Any]:
    kind, name, value = condition
    kind = str(kind).lower()
    if kind == RANGE:
        return kind, name, value
    if kind not in (START, EQUAL) or not str(name).startswith("$"):
        raise unmet(f"Policy document parsing error: {json.dumps(condition)}")
    return kind, str(name)[1:].lower(), value


def _extent(least: Any, most: Any) -> LengthRange:
    try:
        return LengthRange(int(least), int(most))
    except (TypeError, ValueError):
        raise unmet(f"Policy document parsing error: {RANGE} {least} {most}") from None


def _check_condition(kind: str, name: str, wanted: Any, said: Mapping[str, str]) -> None:
    value = said.get(name)
    held = value is not None and (
        value.startswith(str(wanted)) if kind == START else value == str(wanted)
    )
    if value is None and kind == START and wanted == "":
        held = True
    if not held:
        shown = json.dumps([kind, f"${name}", wanted], ensure_ascii=False)
        raise unmet(f"Policy Condition failed: {shown}")
