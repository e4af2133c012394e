"""Names and addresses of bucket folders, as S3 has them and as Glue writes them.

Here: which folders hold a bucket's data under which name, and whether two addresses mean the same place.
Not here: taking the inventory (``monitor``), judging (each rule).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from metaplat.model.table_metrics import Strange

if TYPE_CHECKING:
    from metaplat.model.table_evidence import TableFacts

PARTITION_KEY = "id_bucket"
NUMBER = re.compile(r"[0-9]{1,18}")


def bucket_number(value: str) -> int | None:
    """Return the bucket that a partition value such as ``7`` or ``007`` means; None where it is no number."""
    return int(value) if NUMBER.fullmatch(value) else None


def padded_folders(facts: TableFacts) -> dict[int, str]:
    """Return the folders with an expected bucket's number in another width (``id_bucket=007``), by bucket."""
    found: dict[int, str] = {}
    for folder in facts.profile.inventory.strange:
        name = folder.name.partition("/")[0]
        number = bucket_number(name.removeprefix(f"{PARTITION_KEY}="))
        if folder.kind is Strange.PADDED and number is not None and number < facts.table.bucket_count:
            found[number] = name
    return found


def present_buckets(facts: TableFacts) -> set[int]:
    """Return the expected buckets that have data, whatever the width of their folder's name."""
    return {*facts.profile.inventory.present, *padded_folders(facts)}


def uncounted_buckets(facts: TableFacts) -> list[int]:
    """Return buckets whose only data lie in a folder of another width: their rows are not counted."""
    return sorted(set(padded_folders(facts)) - set(facts.profile.inventory.present))


def width_misfits(facts: TableFacts, digits: int) -> list[int]:
    """Return buckets whose folder is not named with ``digits``, where that is how most are named.

    A single folder of another width is a stray folder (``unexpected_partition``); if most are, the width is
    wrong (``partition_projection``). Numbers that look alike in both widths prove nothing.
    """
    padded, regular = padded_folders(facts), set(facts.profile.inventory.present)
    names = {bucket: {facts.table.folder(bucket)} for bucket in regular}
    for bucket, name in padded.items():
        names.setdefault(bucket, set()).add(name)
    misfits = [b for b in sorted(names) if f"{PARTITION_KEY}={b:0{digits}d}" not in names[b]]
    found = [len(name) - len(PARTITION_KEY) - 1 for bucket in misfits for name in names[bucket]]
    width = max([digits, *found])
    fits = sum(len(str(bucket)) < width for bucket in names.keys() - set(misfits))
    return misfits if len(misfits) > fits else []


def same_location(one: str, other: str) -> bool:
    """Whether two addresses mean the same prefix: a slash at the end or ``s3a`` makes no difference."""
    return _plain(one) == _plain(other)


def is_within(location: str, table: str) -> bool:
    """Whether an address is that of a table or below it."""
    return f"{_plain(location)}/".startswith(f"{_plain(table)}/")


def _plain(location: str) -> str:
    return re.sub(r"^s3[an]://", "s3://", location.strip()).rstrip("/")
