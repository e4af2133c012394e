"""What the sentences of verdicts say alike: counted nouns, their verbs, the command that repairs a partition.

Here: pieces of sentences for a person. Not here: the sentences, which belong to their rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metaplat.model.domain import MetadataDomain


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
