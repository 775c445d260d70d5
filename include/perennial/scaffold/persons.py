"""Columns that may identify a person, told by their names and by how their values look: a suspicion, not a proof."""

from __future__ import annotations

import re
from collections.abc import Iterable

from perennial.scaffold.inference import Column

_PERSON = re.compile(
    r"(^|_|\b)(first|last|full|sur|middle|maiden)[_ ]?name|^name$|e[-_]?mail|phone|mobile|^tel|fax|address|street|"
    r"(^|_)(ssn|iban|passport|social_security)|birth|(^|_)dob$|^ip(_|$)|licen[cs]e_?(no|number|plate)",
    re.IGNORECASE,
)
_PATTERNS = {
    "e-mail addresses": re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"),
    "phone numbers": re.compile(r"\+?\d[\d ()/.-]{7,}\d"),
    "bank accounts": re.compile(r"[A-Z]{2}\d{2}[A-Z0-9 ]{11,30}"),
    "IP addresses": re.compile(r"\d{1,3}(\.\d{1,3}){3}"),
}


def suspects(columns: Iterable[Column]) -> dict[str, str]:
    """Return the columns that may identify a person, by name, each as it is spoken of."""
    found = {}
    for column in columns:
        name, pattern = column.name, _pattern(column)
        if _PERSON.search(name) or pattern:
            found[name] = f"{name} (looks like {pattern})" if pattern else name
    return found


def _pattern(column: Column) -> str | None:
    sample = column.values[:200]
    if column.kind != "text" or not sample:
        return None
    for words, pattern in _PATTERNS.items():
        if sum(bool(pattern.fullmatch(value.strip())) for value in sample) > len(sample) / 2:
            return words
    return None
