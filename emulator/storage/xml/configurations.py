"""Settings of a bucket as the XML API writes them, from and to the JSON API's fields.

https://cloud.google.com/storage/docs/xml-api/get-bucket-lifecycle and its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from emulator.storage.xml.documents import element, malformed, text, texts, value

Body = dict[str, Any]
ENABLED, SUSPENDED, DISABLED = "Enabled", "Suspended", "Disabled"
# Condition of a lifecycle rule in XML -> (the JSON API's name, what its text is).
CONDITIONS: dict[str, tuple[str, str]] = {
    "Age": ("age", "number"),
    "CreatedBefore": ("createdBefore", "text"),
    "CustomTimeBefore": ("customTimeBefore", "text"),
    "DaysSinceCustomTime": ("daysSinceCustomTime", "number"),
    "DaysSinceNoncurrentTime": ("daysSinceNoncurrentTime", "number"),
    "IsLive": ("isLive", "flag"),
    "MatchesPrefix": ("matchesPrefix", "list"),
    "MatchesStorageClass": ("matchesStorageClass", "list"),
    "MatchesSuffix": ("matchesSuffix", "list"),
    "NoncurrentTimeBefore": ("noncurrentTimeBefore", "text"),
    "NumberOfNewerVersions": ("numNewerVersions", "number"),
}


@dataclass(frozen=True)
class Configuration:
    """One setting: its root element, and how it is read off a bucket and put on it."""

    root: str
    shown: Callable[[Body], str]
    sent: Callable[[Element], Body] | None = None


def _versioning(bucket: Body) -> str:
    state = bucket.get("versioning")
    return text("Status", ENABLED if state.get("enabled") else SUSPENDED) if state else ""


def _versioning_sent(tree: Element) -> Body:
    status = value(tree, "Status")
    if status not in (ENABLED, SUSPENDED):
        raise malformed(f"Expected Status {ENABLED} or {SUSPENDED}.")
    return {"versioning": {"enabled": status == ENABLED}}


def _cors(bucket: Body) -> str:
    return "".join(
        element(
            "Cors",
            _all("Origins", "Origin", rule.get("origin")),
            _all("Methods", "Method", rule.get("method")),
            _all("ResponseHeaders", "ResponseHeader", rule.get("responseHeader")),
            texts({"MaxAgeSec": rule.get("maxAgeSeconds")}),
        )
        for rule in bucket.get("cors", ())
    )


def _cors_sent(tree: Element) -> Body:
    return {
        "cors": [
            _without_empty({
                "origin": _texts(rule, "Origins/Origin"),
                "method": _texts(rule, "Methods/Method"),
                "responseHeader": _texts(rule, "ResponseHeaders/ResponseHeader"),
                "maxAgeSeconds": _number(value(rule, "MaxAgeSec", "0")),
            })
            for rule in tree.findall("Cors")
        ]
    }  # fmt: skip


def _lifecycle(bucket: Body) -> str:
    rules = (bucket.get("lifecycle") or {}).get("rule", ())
    return "".join(element("Rule", _action(rule), _condition(rule)) for rule in rules)


def _action(rule: Body) -> str:
    kind = rule["action"]["type"]
    return element("Action", text(kind, rule["action"].get("storageClass", "")))


def _condition(rule: Body) -> str:
    parts = []
    for name, (field, _) in CONDITIONS.items():
        held = rule.get("condition", {}).get(field)
        if held is not None:
            many = held if isinstance(held, list) else [held]
            parts += [text(name, str(one).lower() if one in (True, False) else one) for one in many]
    return element("Condition", *parts)


def _lifecycle_sent(tree: Element) -> Body:
    return {"lifecycle": {"rule": [_rule(rule) for rule in tree.findall("Rule")]}}


def _rule(tree: Element) -> Body:
    actions = tree.findall("Action/*")
    if len(actions) != 1:
        raise malformed("A rule has one action.")
    action = {"type": actions[0].tag}
    if said := (actions[0].text or "").strip():
        action["storageClass"] = said
    condition: Body = {}
    for one in tree.findall("Condition/*"):
        if one.tag not in CONDITIONS:
            raise malformed(f"Unknown condition {one.tag}.")
        field, kind = CONDITIONS[one.tag]
        said = (one.text or "").strip()
        if kind == "list":
            condition.setdefault(field, []).append(said)
        else:
            condition[field] = READ[kind](said)
    return {"action": action, "condition": condition}


def _plain(field: str, names: Mapping[str, str]) -> Callable[[Body], str]:
    """Reads a JSON object of texts, by the XML's names for its fields."""
    return lambda bucket: texts({to: (bucket.get(field) or {}).get(k) for to, k in names.items()})


def _plain_sent(field: str, names: Mapping[str, str]) -> Callable[[Element], Body]:
    """Writes it; without a single text the setting is taken off."""
    return lambda tree: {
        field: {key: value(tree, name) for name, key in names.items() if value(tree, name)} or None
    }


def _billing(bucket: Body) -> str:
    pays = (bucket.get("billing") or {}).get("requesterPays")
    return text("RequesterPays", ENABLED if pays else DISABLED)


def _billing_sent(tree: Element) -> Body:
    return {"billing": {"requesterPays": value(tree, "RequesterPays") == ENABLED}}


LOGGING = {"LogBucket": "logBucket", "LogObjectPrefix": "logObjectPrefix"}
WEBSITE = {"MainPageSuffix": "mainPageSuffix", "NotFoundPage": "notFoundPage"}
ENCRYPTION = {"DefaultKmsKeyName": "defaultKmsKeyName"}
CONFIGURATIONS: dict[str, Configuration] = {
    "billing": Configuration("BillingConfiguration", _billing, _billing_sent),
    "cors": Configuration("CorsConfig", _cors, _cors_sent),
    "encryption": Configuration(
        "EncryptionConfiguration", _plain("encryption", ENCRYPTION),
        _plain_sent("encryption", ENCRYPTION),
    ),
    "lifecycle": Configuration("LifecycleConfiguration", _lifecycle, _lifecycle_sent),
    "logging": Configuration(
        "Logging", _plain("logging", LOGGING), _plain_sent("logging", LOGGING)
    ),
    "versioning": Configuration("VersioningConfiguration", _versioning, _versioning_sent),
    "websiteConfig": Configuration(
        "WebsiteConfiguration", _plain("website", WEBSITE), _plain_sent("website", WEBSITE)
    ),
}  # fmt: skip


def _all(outer: str, inner: str, values: list[str] | None) -> str:
    return element(outer, *(text(inner, one) for one in values or ()))


def _texts(tree: Element, path: str) -> list[str]:
    return [(one.text or "").strip() for one in tree.findall(path)]


def _without_empty(body: Body) -> Body:
    return {key: held for key, held in body.items() if held}


def _number(said: str) -> int:
    if not said.isascii() or not said.isdigit() or len(said) > 9:
        raise malformed(f"Expected a number, not '{said}'.")
    return int(said)


def _flag(said: str) -> bool:
    return said.lower() == "true"


READ: dict[str, Callable[[str], Any]] = {"number": _number, "flag": _flag, "text": str}
