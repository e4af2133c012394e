"""Everything that can go wrong, as a tree: the branch says whose fault it is.

MetaplatError
├─ SettingsError         a key, type or value in the settings
│  └─ MissingExtraError  an optional library is not installed
├─ UsageError            a name or argument given by the caller
│  └─ UnknownNameError   a domain, partition or source that does not exist
├─ InvalidInputError     a record or a file is not what its format promises
├─ SourceError           an outside system: TransientSourceError, PermanentSourceError
└─ StoreError            our own storage: TransientStoreError, PermanentStoreError
   └─ HotConflictError   a hot row exists under the same key with other content

The mixins ``Transient`` and ``Permanent`` say whether running again may help.
Not here: exit codes (``cli``), Dagster failures (``orchestration``); each room has its own table.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


FURTHER_OFF = 0.2
"""Names so much less alike than the nearest one are not what was meant."""


class MetaplatError(Exception):
    """Root of all errors that metaplat raises on purpose; its text is one line for a person."""


class Transient:
    """Mixin: running again may help."""


class Permanent:
    """Mixin: running again cannot help until something is changed."""


class SettingsError(MetaplatError, Permanent):
    """A settings key is unknown, or its value is missing or wrong."""

    def __init__(self, key: str, problem: str, advice: str) -> None:
        super().__init__(key, problem, advice)
        self.key, self.problem, self.advice = key, problem, advice

    def __str__(self) -> str:
        return f"settings: {self.key}: {self.problem}. {self.advice}"


class MissingExtraError(SettingsError):
    """An optional library is needed for what was asked."""

    def __init__(self, purpose: str, library: str, extra: str) -> None:
        super().__init__(
            library, f"{purpose} needs it, and it is not installed", f"pip install 'metaplat[{extra}]'"
        )
        self.args = (purpose, library, extra)  # what unpickling passes to this class


class UsageError(MetaplatError, Permanent):
    """An argument that cannot be used as given; the text says which and what would do."""


class UnknownNameError(UsageError):
    """A name that does not exist, with the nearest ones that do."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        super().__init__(kind, name, self.known)

    def __str__(self) -> str:
        near = self._near()
        if near:
            return f"no {self.kind} named {self.name!r}; did you mean {' or '.join(near)}?"
        return f"no {self.kind} named {self.name!r}; there are: {', '.join(sorted(self.known)) or 'none'}"

    def _near(self) -> list[str]:
        """Return the known names that were likely meant: none that is much further off than the nearest."""
        near = difflib.get_close_matches(self.name, self.known, n=3, cutoff=0.5)
        likeness = [difflib.SequenceMatcher(None, name, self.name).ratio() for name in near]
        return [name for name, ratio in zip(near, likeness, strict=True) if ratio > likeness[0] - FURTHER_OFF]


class InvalidInputError(MetaplatError, Permanent):
    """A record or a file is not what its format promises; the text says what and where."""


class OutsideError(MetaplatError):
    """Common form of what a system answered: who, what was attempted, the answer, what to do."""

    rerun = "Running again may or may not help"  # the mixed-in classes say which

    def __init__(self, system: str, attempted: str, answer: str, advice: str) -> None:
        super().__init__(system, attempted, answer, advice)
        self.system, self.attempted, self.answer, self.advice = system, attempted, answer, advice

    def __str__(self) -> str:
        return f"{self.system}: {self.attempted}: {self.answer}. {self.rerun}. {self.advice}"


class SourceError(OutsideError):
    """An outside system did not give what was asked."""


class TransientSourceError(SourceError, Transient):
    """An outside system is down, slow or throttling."""

    rerun = "Running again may help"


class PermanentSourceError(SourceError, Permanent):
    """An outside system refuses for good: wrong credentials, no permission, no such thing."""

    rerun = "Running again cannot help"


class StoreError(OutsideError):
    """Our own storage did not do what was asked."""


class TransientStoreError(StoreError, Transient):
    """A store is unreachable, busy or throttling."""

    rerun = "Running again may help"


class PermanentStoreError(StoreError, Permanent):
    """A store refuses for good: no permission, no such bucket or table, a read-only disk."""

    rerun = "Running again cannot help"


class HotConflictError(PermanentStoreError):
    """A hot row exists under the same key with other content; carries both."""

    def __init__(self, table: str, stored: Mapping[str, object], incoming: Mapping[str, object]) -> None:
        super().__init__(
            f"hot store table {table}",
            "put a row",
            "a row with the same key and other content is stored",
            "Decide between the two contents, then replace the row explicitly.",
        )
        self.args = (table, stored, incoming)
        self.table, self.stored, self.incoming = table, stored, incoming


def shown_address(url: str) -> str:
    """Host and path of ``url``: user names, queries and signatures are secrets and stay out."""
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
    except ValueError:  # a host that is none, for example ``[::1``
        return "an address that is none"
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")
