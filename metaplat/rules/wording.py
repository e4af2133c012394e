"""What the sentences of verdicts say alike: counted nouns, their verbs, ages, the command that repairs.

Here: pieces of sentences for a person. Not here: the sentences, which belong to their rules.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metaplat.model.domain import MetadataDomain

HOUR = timedelta(hours=1)


def counted(number: int, noun: str) -> str:
    """Return ``1 row``, ``2,000 rows``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def agreeing(number: int, one: str, many: str) -> str:
    """Return the verb that fits a number: ``lacks`` or ``lack``."""
    return one if number == 1 else many


def materialize_command(domain: MetadataDomain, partition: str) -> str:
    """Return the command that ingests one partition again."""
    return f"`metaplat materialize {domain.name} --partition {partition}`"


def landing_folder(domain: MetadataDomain, partition: str) -> str:
    """Return where the raw objects of one partition land, below the landing root."""
    return f"{domain.landing}{domain.partitions.folder(partition)}/"


def percent(share: float) -> str:
    """Return ``5 %``, ``33.3 %``."""
    return f"{100 * share:.3g} %"


def age_in_words(age: timedelta) -> str:
    """Return ``20 min``, ``1.5 h`` or ``2.5 days``; an age below zero is clock skew, said as none."""
    if age <= timedelta(0):
        return "0 min"
    if age < HOUR:
        return f"{age / timedelta(minutes=1):.0f} min"
    if age <= 48 * HOUR:
        return f"{age / HOUR:.1f}".removesuffix(".0") + " h"
    return f"{age / timedelta(days=1):.1f}".removesuffix(".0") + " days"
