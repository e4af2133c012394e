"""Tags of an application from its properties.

Here: the places where platforms put tags among Spark's properties.
Not here: tags that a cloud's API gives (``emr``, ``databricks``, ``dataproc``); they win over these.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

YARN = "spark.yarn.tags"
KUBERNETES = "spark.kubernetes.driver.label."
DATABRICKS = "spark.databricks.clusterUsageTags.clusterAllTags"


def property_tags(properties: Mapping[str, str], prefixes: Sequence[str]) -> dict[str, str]:
    """Return the tags among ``properties``; of two with one name, the one of the later place wins.

    Parameters
    ----------
    properties : mapping of str to str
        Spark properties.
    prefixes : sequence of str
        Properties that begin so are tags, named by what follows; the last place.

    Returns
    -------
    dict of str to str
        Places in order: Databricks cluster tags (a JSON list of ``{"key": ..., "value": ...}``), labels of
        the driver on Kubernetes, ``spark.yarn.tags`` (``k=v`` or ``k:v``; a bare word has the value ""),
        prefixes.
    """
    found = dict(_databricks(properties.get(DATABRICKS, "")))
    found.update(_prefixed(properties, [KUBERNETES]))
    found.update(_yarn(properties.get(YARN, "")))
    found.update(_prefixed(properties, prefixes))
    return found


def _databricks(text: str) -> Iterator[tuple[str, str]]:
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):  # absent, redacted or cut
        return
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("key"), str) and entry["key"]:
            value = entry.get("value")
            yield entry["key"], value if isinstance(value, str) else ""


def _yarn(text: str) -> Iterator[tuple[str, str]]:
    for word in text.split(","):
        name, *value = (part.strip() for part in re.split("[=:]", word, maxsplit=1))
        if name:
            yield name, value[0] if value else ""


def _prefixed(properties: Mapping[str, str], prefixes: Sequence[str]) -> Iterator[tuple[str, str]]:
    for name, value in properties.items():
        for prefix in prefixes:
            if name.startswith(prefix) and len(name) > len(prefix):
                yield name[len(prefix) :], value
