"""When a cron text is next due: five fields, in a time zone of its own if it names one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
# Least and greatest value of each field, and the names it may have (crontab(5)).
FIELDS: tuple[tuple[str, int, int, list[str]], ...] = (
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of month", 1, 31, []),
    ("month", 1, 12, ["", *MONTHS]),
    ("day of week", 0, 7, DAYS),
)
SHORT = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
# 29 February is at most eight years away; a day of the week on it, 40.
MAX_DAYS = 366 * 41
LAST_DAY = date.max - timedelta(days=2)
_ZONE = re.compile(r"(?:CRON_)?TZ=(\S+)\s+(.*)")
_PART = re.compile(r"(\*|\?|[A-Z0-9]+)(?:-([A-Z0-9]+))?(?:/(\d+))?")


@dataclass(frozen=True)
class Cron:
    """The values that each field allows; a day counts by month or by week, or by both if only one
    of them is restricted."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    zone: ZoneInfo

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time behind a moment, in UTC; None for a day that no year has.

        A time that the clock skips is not due; one that it has twice is due the first time.
        """
        day = moment.astimezone(self.zone).date()
        for _ in range(min(MAX_DAYS, (LAST_DAY - day).days)):
            if self._has(day):
                for hour in sorted(self.hours):
                    for minute in sorted(self.minutes):
                        local = datetime(day.year, day.month, day.day, hour, minute)
                        found = local.replace(tzinfo=self.zone).astimezone(UTC)
                        back = found.astimezone(self.zone).replace(tzinfo=None)
                        if found > moment and back == local:
                            return found
            day += timedelta(days=1)
        return None

    def _has(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_month, by_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (by_month or by_week) if self.either_day else (by_month and by_week)


def parse(text: str) -> Cron:
    """The times that a text means. ValueError says what is wrong with it."""
    zone = "UTC"
    found = _ZONE.fullmatch(text.strip())
    if found:
        zone, text = found.groups()
    text = SHORT.get(text.strip().lower(), text)
    parts = text.upper().split()
    if len(parts) != len(FIELDS):
        raise ValueError(f"A cron schedule has five fields. Received: {text!r}.")
    minutes, hours, days, months, weekdays = (
        _field(part, *field) for part, field in zip(parts, FIELDS, strict=True)
    )
    either = parts[2][0] not in "*?" and parts[4][0] not in "*?"
    weekdays = frozenset(one % 7 for one in weekdays)
    return Cron(minutes, hours, days, months, weekdays, either, _zone(zone))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"Not a time zone of the IANA database: {name!r}.") from None


def _field(text: str, name: str, least: int, most: int, words: list[str]) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        found = _PART.fullmatch(part)
        if found is None:
            raise ValueError(f"Not a {name} of a cron schedule: {part!r}.")
        first, last, step = found.groups()
        if first in "*?":
            low, high = least, most
        else:
            low = _number(first, name, least, most, words)
            high = _number(last, name, least, most, words) if last else low
            high = most if step and not last else high
        every = int(step or 1)
        if low > high or every < 1:
            raise ValueError(f"Not a {name} of a cron schedule: {part!r}.")
        values |= set(range(low, high + 1, every))
    return frozenset(values)


def _number(text: str, name: str, least: int, most: int, words: list[str]) -> int:
    value = words.index(text) if text in words else int(text) if text.isdigit() else -1
    if not least <= value <= most:
        raise ValueError(f"A {name} is from {least} to {most}. Received: {text!r}.")
    return value
