"""What the name of a file or folder says: kind, application, place in a rolling log.

Here: names as Spark, Databricks and those who copy logs write them.
Not here: which files make up a log (``layout``). The name never says how a file is packed: its content does.

Spark: ``<app>[_<attempt>][.codec][.inprogress]``, and in a folder ``eventlog_v2_<app>[_<attempt>]`` files
``events_<N>_<app>[_<attempt>][.codec][.compact]`` beside ``appstatus_<app>[_<attempt>][.inprogress]``.
Databricks: a folder with ``eventlog-YYYY-MM-DD--HH-MM[.gz]`` and ``eventlog``.
"""

from __future__ import annotations

import re
from enum import Enum, auto

from metaplat.collectors.spark.log_files.log import IN_PROGRESS

COMPACTED = ".compact"
ROLLING_FOLDER = "eventlog_v2_"

FEW_TEXTS = 100
"""A folder with more files of ``Kind.TEXT`` holds something else: they are counted, and not opened."""

_PACKED = (".zstd", ".zst", ".lz4", ".snappy", ".lzf", ".gz", ".gzip")
_ROLLED = re.compile(r"events_(\d{1,18})_(.+)", re.DOTALL)
_ROTATED = re.compile(r"eventlog(-\d{4}-\d{2}-\d{2}--\d{2}-\d{2}.*)?", re.DOTALL)
_YARN = re.compile(r"(application_\d+_\d+)(?:_(\w+))?", re.ASCII)
_OTHERS = re.compile(r"(app-\d+-\d+|local-\d+|spark-[0-9a-f]{32}|spark-application-\d+)(?:_(\w+))?", re.ASCII)
_OTHER_LOGS = re.compile(r"(stdout|stderr|log4j.*)(--.*)?", re.DOTALL)  # a cluster delivers them, too

_NEVER = re.compile(
    "7z|arrow|avro|bin|bz2|class|conf|crc|css|csv|db|docx?|egg|err|feather|gif|h5|html?|ico|ipynb|jar|java|jpe?g|js|"
    "lock|md|orc|out|parquet|pdf|pickle|pkl|png|properties|pyc?|rar|rpm|scala|sh|so|sql|sqlite|svg|swp|tar|tgz|"
    "tmp|toml|tsv|war|whl|xlsx?|xml|ya?ml|zip"
)
_TEXT = frozenset({"json", "jsonl", "log", "ndjson", "text", "txt"})


class Kind(Enum):
    """What a file in a folder is taken for by its name alone."""

    SINGLE = auto()
    """Possibly a log of its own: its content decides."""
    ROLLED = auto()
    """A part of a rolling log."""
    STATUS = auto()
    """Says whether the application of a rolling log runs."""
    DATABRICKS = auto()
    """A part of a log as Databricks delivers it."""
    TEXT = auto()
    """Hardly a log, yet possible: looked into where there are few of them in a folder."""
    OTHER = auto()
    """No log."""


def is_hidden(name: str) -> bool:
    """Whether a file or folder is none of ours: ``.crc`` files, ``_SUCCESS``, marks of folders."""
    return name[:1] in (".", "_", "") or name.endswith("_$folder$")


def kind_of(name: str) -> Kind:
    """Return what a file is taken for."""
    if is_hidden(name):
        return Kind.OTHER
    base = base_of(name)
    suffix = base.rpartition(".")[2].lower() if "." in base else ""
    if _ROLLED.fullmatch(base):
        kind = Kind.ROLLED
    elif base.startswith("appstatus_"):
        kind = Kind.STATUS
    elif _ROTATED.fullmatch(base):
        kind = Kind.DATABRICKS
    elif _NEVER.fullmatch(suffix) or _OTHER_LOGS.fullmatch(base):
        kind = Kind.OTHER
    elif suffix in _TEXT and application_of(base.rpartition(".")[0]) == (None, None):
        kind = Kind.TEXT
    else:
        kind = Kind.SINGLE
    return kind


def base_of(name: str) -> str:
    """Return a name without what says that it is written to, compacted or packed."""
    base = name.removesuffix(IN_PROGRESS).removesuffix(COMPACTED)
    return next((base.removesuffix(suffix) for suffix in _PACKED if base.endswith(suffix)), base)


def application_of(base: str) -> tuple[str | None, str | None]:
    """Return application id and attempt id that a name without suffixes has; None where it says nothing."""
    base = base.removeprefix(ROLLING_FOLDER)
    found = _YARN.fullmatch(base) or _OTHERS.fullmatch(base)
    return (found[1], found[2]) if found else (None, None)


def rolled(name: str) -> tuple[int, str]:
    """Return number and application part of ``events_<N>_<application>``.

    Parameters
    ----------
    name : str
        Of a file of ``Kind.ROLLED``.
    """
    found = _ROLLED.fullmatch(base_of(name))
    return (int(found[1]), found[2]) if found else (0, "")


def rotated(name: str) -> tuple[bool, str]:
    """Return the order of a Databricks file: the others by their time, ``eventlog`` last."""
    base = base_of(name)
    return base == "eventlog", base
