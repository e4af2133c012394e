"""Personal data is dropped, hashed or scrubbed before anything derived is stored.

Here: the treatment that fields and settings ask for, on raw records, so that rows, quarantine and collected
objects all pass through one place.
Not here: which fields are personal (the domain's declaration, section ``[privacy]``).
Treating a treated record again changes nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metaplat.model.errors import SettingsError
from metaplat.model.field import DType, Field, ListOf, Personal, Struct

if TYPE_CHECKING:
    from metaplat.model.domain import MetadataDomain, Record
    from metaplat.settings import PrivacySettings

HASHED = re.compile(r"hmac:[0-9a-f]{32}")
NAMES = (
    r"(?:pass(?:word|wd|phrase)|pwd|secret|token"
    r"|(?:api|access|account|private|secret)[_-]?(?:access[_-]?)?key(?:[_-]?id)?)"
)
"""Names whose value is secret, also as the end of a longer one: ``DB_PASSWORD``, ``clientSecret``."""
SECRETS = re.compile(
    rf"""(?P<mail>(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]*\w)
      | (?P<login>(?<=://)[^\s/@]+@(?:[^\s/@]*@)*)
      | (?P<query>(?<=\S)\?[^\s?"'<>]*=[^\s"'<>]*)
      | (?P<key>\b(?:AKIA|ASIA)[A-Z0-9]{{16}}\b)
      | (?P<bearer>\bBearer\s+[\w.~+/=-]{{8,}})
      | (?P<basic>\bBasic\s+(?-i:(?=[\w+/-]*(?:\d|=|[a-z][A-Z])))[\w+/=-]{{8,}})
      | (?P<named>{NAMES}\\?["']?\s*[=:]\s*(?:\\?"[^"]*|\\?'[^']*|[^\s"',;&]+))
      | (?P<option>(?<![\w-])--[\w-]{{0,40}}?{NAMES}\s+\S+)
      | (?P<issued>(?<![\w-])(?-i:gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|sk-|npm_|hf_)[\w-]{{16,}})
      | (?P<jwt>(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]+)""",
    re.VERBOSE | re.IGNORECASE,
)
SUSPICIOUS = re.compile(
    r"[@?]|AKIA|ASIA|Bearer|Basic|pass|pwd|secret|token|key|eyJ|gh[opsur]_|_pat_|glpat|xox|sk-|npm_|hf_",
    re.IGNORECASE,
)
SECRET_NAME = re.compile(NAMES + r"\Z", re.IGNORECASE)
REDACTED = "[redacted]"

Redact = Callable[["Record"], "Record"]

Shape = dict[str, "Shape | None"]
"""Declared names of an object -> the shape of objects below, or None."""


@dataclass(frozen=True)
class Treatment:
    """How the value at one landed path is treated."""

    path: tuple[str, ...]
    personal: Personal


def build_redactor(domain: MetadataDomain, privacy: PrivacySettings) -> Redact:
    """Make the function that returns a record without its personal data.

    Parameters
    ----------
    domain : MetadataDomain
        Its fields say what may be personal.
    privacy : PrivacySettings
        Further fields, as ``domain.field``, and the key of keyed hashes.

    Raises
    ------
    SettingsError
        A key field is to be dropped or hashed, or a field of this domain does not exist.
    """
    treatments = _treatments(domain, privacy)
    key = privacy.hash_key.get_secret_value().encode() if privacy.hash_key else None

    def redact(record: Record) -> Record:
        changed: dict[str, Any] | None = None
        for treatment in treatments:
            value: Any = record
            for name in treatment.path:
                value = value.get(name) if isinstance(value, dict) else None
            treated = _treated(value, treatment.personal, key)
            if treated is not value:
                changed = _copy_along(dict(record) if changed is None else changed, treatment.path)
                _set(changed, treatment.path, treated)
        return record if changed is None else changed

    return redact


def scrub(text: str) -> str:
    """Replace what looks like an e-mail address, a credential or a signed query inside free text."""
    return SECRETS.sub(REDACTED, text) if SUSPICIOUS.search(text) else text


def scrub_all(value: Any) -> Any:  # any JSON value
    """Scrub every text inside a JSON value, names of members too, and values under names of secrets."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {scrub(name): _scrub_member(name, item, value) for name, item in value.items()}
    return [scrub_all(item) for item in value] if isinstance(value, list) else value


def build_undeclared_scrubber(fields: Sequence[Field]) -> Redact:
    """Make the function that scrubs what ``fields`` do not declare, for records that are landed by us."""
    shape: Shape = {}
    for field in fields:
        *parents, leaf = field.landed_path
        level = shape
        for parent in parents:
            level = level.setdefault(parent, {})  # type: ignore[assignment]  # no field lies inside another
        level[leaf] = _shape(field.dtype)
    return lambda record: _scrub_undeclared(record, shape)


def _shape(dtype: DType) -> Shape | None:
    if isinstance(dtype, ListOf):
        return _shape(dtype.item)
    return {each.name: _shape(each.dtype) for each in dtype.fields} if isinstance(dtype, Struct) else None


def _scrub_undeclared(value: Any, shape: Shape | None) -> Any:  # any JSON value
    if shape is not None and isinstance(value, list):
        return [_scrub_undeclared(item, shape) for item in value]
    if shape is None or not isinstance(value, dict):
        return value
    declared = {name: _scrub_undeclared(item, shape[name]) for name, item in value.items() if name in shape}
    others = {name: item for name, item in value.items() if name not in shape}
    return declared | scrub_all(others) if others else declared


def _scrub_member(name: str, item: Any, owner: dict[str, Any]) -> Any:  # any JSON value
    if name == "value" and isinstance(owner.get("name"), str):  # as environments are written in Kubernetes
        name = owner["name"]
    if isinstance(item, str | int | float) and not isinstance(item, bool) and SECRET_NAME.search(name):
        return REDACTED
    return scrub_all(item)


def _treatments(domain: MetadataDomain, privacy: PrivacySettings) -> list[Treatment]:
    chosen = {field.name: field.personal for field in domain.fields}
    for listed, personal in ((privacy.hash, Personal.HASH), (privacy.drop, Personal.DROP)):
        for entry in listed:
            owner, _, name = entry.partition(".")
            if owner == domain.name:
                _check_setting(domain, name, personal)
                chosen[name] = personal
    return [
        Treatment(domain.field(name).landed_path, personal) for name, personal in chosen.items() if personal
    ]


def _check_setting(domain: MetadataDomain, name: str, personal: Personal) -> None:
    where = f"privacy.{personal}"
    landed = {field.name: field for field in domain.landed_fields}
    if name not in landed:
        advice = f"Name one of those that are landed: {', '.join(landed)}."
        raise SettingsError(where, f"{domain.name} has no field {name!r}", advice)
    field = landed[name]
    if field.key or not field.nullable or field.dtype is not str:
        raise SettingsError(
            where,
            f"{domain.name}.{name} is a key, is required or is not text, so it cannot be redacted",
            "Take it off the list.",
        )


def _treated(value: Any, personal: Personal, key: bytes | None) -> Any:  # any JSON value
    if value is None:
        return None
    if personal is Personal.SCRUB:
        return scrub(value) if isinstance(value, str) else scrub_all(value)
    if personal is Personal.DROP or key is None:
        return None
    if isinstance(value, str) and HASHED.fullmatch(value):
        return value
    text = str(value).encode("utf-8", "surrogatepass")
    return f"hmac:{hmac.new(key, text, hashlib.sha256).hexdigest()[:32]}"


def _copy_along(record: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """Copy the objects that lead to ``path``: the landed record itself is never changed."""
    level = record
    for name in path[:-1]:
        level[name] = dict(level[name])
        level = level[name]
    return record


def _set(record: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    for name in path[:-1]:
        record = record[name]
    record[path[-1]] = value
