"""One declaration file per domain, and the registry that finds them.

Here: a module per domain, holding one ``DOMAIN`` and the small pure functions only it needs.
Not here: anything that reads, writes or draws; rules and collectors are named here, not written here.
To add a domain, add one module with a ``DOMAIN``; assets, checks, sensor, tables and docs follow.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from metaplat.model.domain import MetadataDomain
from metaplat.model.errors import SettingsError, UnknownNameError

if TYPE_CHECKING:
    from metaplat.settings import PrivacySettings


def all_domains() -> tuple[MetadataDomain, ...]:
    """Every declared domain, by name; raises ValueError for a module without one, or a name used twice."""
    found: dict[str, MetadataDomain] = {}
    for module in pkgutil.iter_modules(__path__):
        domain = getattr(importlib.import_module(f"{__name__}.{module.name}"), "DOMAIN", None)
        if not isinstance(domain, MetadataDomain):
            raise ValueError(f"metaplat/domains/{module.name}.py declares no DOMAIN")  # noqa: TRY004
        if domain.name in found:
            raise ValueError(f"domain {domain.name} is declared twice")
        found[domain.name] = domain
    return tuple(found[name] for name in sorted(found))


def with_children(domain: MetadataDomain) -> tuple[MetadataDomain, ...]:
    """Return a domain, then those made of the same landing objects."""
    return (domain, *(each for each in all_domains() if each.parent == domain.name))


def check_privacy(privacy: PrivacySettings) -> None:
    """Raise SettingsError where a field to redact belongs to no domain: a slip of the pen must not leak."""
    known = {domain.name: domain for domain in all_domains()}
    for entry in (*privacy.drop, *privacy.hash):
        owner = entry.partition(".")[0]
        if owner not in known:
            advice = f"Name a field as domain.field; the domains are {', '.join(known)}."
            raise SettingsError("privacy", f"{entry!r} names no domain", advice)


def domain_named(name: str) -> MetadataDomain:
    """Return the domain called ``name``; raises UnknownNameError with the nearest names."""
    domains = {domain.name: domain for domain in all_domains()}
    if name not in domains:
        raise UnknownNameError("domain", name, domains)
    return domains[name]
