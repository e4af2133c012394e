"""The latest verdict per domain, rule and partition, kept in the state store.

Here: one JSON object per domain and partition, ``verdicts/<domain>/<partition>.json``; verdicts about the
whole table are in ``verdicts/<domain>/__table__.json``; since when each outcome stands.
Not here: the history of all judgements (Dagster's event log), rendering (``check_report``, ``export``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from metaplat.model.errors import PermanentStoreError
from metaplat.model.verdict import Outcome, Severity, Verdict
from metaplat.reports.plain_values import number_from_plain, plain, utc_text

if TYPE_CHECKING:
    from metaplat.stores.objects import ObjectStore

PREFIX = "verdicts"
TABLE = "__table__"
PARALLEL_PUTS = 16
LONGEST_NAME = 200
"""Bytes of a folder's name; file systems take 255."""

JudgedRules = Mapping[str, tuple[Verdict, Severity]]
"""Verdict and severity of a failure, by rule name."""


@dataclass(frozen=True)
class VerdictRecord:
    """The latest verdict of one rule about one partition, or about the whole table.

    Parameters
    ----------
    domain, rule : str
        Their names.
    partition : str or None
        Partition key; None where the table was judged.
    outcome : Outcome
        Passed, failed or not evaluated.
    severity : Severity
        Of a failure.
    sentence : str
        What was expected, what was found, what to do.
    numbers : mapping of str to int or float
        Exact figures.
    samples : sequence of mapping
        Rows that show what failed, in plain JSON values.
    judged_at : datetime
        When the verdict was first reached in this very form, aware UTC.
    since : datetime
        When this outcome began, aware UTC.
    run_id : str or None
        Dagster run that reached it.
    """

    domain: str
    rule: str
    partition: str | None
    outcome: Outcome
    severity: Severity
    sentence: str
    numbers: Mapping[str, int | float]
    samples: Sequence[Mapping[str, Any]]
    judged_at: datetime
    since: datetime
    run_id: str | None

    @property
    def content(self) -> bytes:
        """What was judged, without times and run: equal where two verdicts say the same."""
        said = [self.outcome, self.severity, self.sentence, plain(self.numbers), plain(self.samples)]
        return orjson.dumps(said)


class VerdictLog:
    """The verdicts below ``verdicts/`` of the state store.

    Every method raises TransientStoreError or PermanentStoreError where the store fails, and
    PermanentStoreError where a stored object cannot be read.
    """

    def __init__(self, state: ObjectStore) -> None:
        self._state = state

    def record(
        self,
        domain: str,
        partition: str | None,
        verdicts: JudgedRules,
        *,
        now: datetime,
        run_id: str | None,
    ) -> list[VerdictRecord]:
        """Keep the verdicts about one partition, or about the table (None); see ``record_many``."""
        return self.record_many(domain, {partition: verdicts}, now=now, run_id=run_id)

    def record_many(
        self,
        domain: str,
        judged: Mapping[str, JudgedRules] | Mapping[str | None, JudgedRules],
        *,
        now: datetime,
        run_id: str | None,
    ) -> list[VerdictRecord]:
        """Keep the verdicts about many partitions; rules that were not judged now keep theirs.

        A verdict that says the same as the stored one leaves it as it is, so judging again changes no file.

        Parameters
        ----------
        domain : str
            Name of the domain.
        judged : mapping of str or None to mapping
            Verdicts by rule, by partition key; None stands for the whole table.
        now : datetime
            Time of the judgement, aware.
        run_id : str or None
            Dagster run that judged.

        Returns
        -------
        list of VerdictRecord
            The rules judged now, as they are stored, sorted by rule and partition.
        """
        now = now.astimezone(UTC)
        keys = {store_key(domain, partition): partition for partition in judged}
        stored = {key: self._decode(key, content) for key, content in self._state.get_many(list(keys))}
        changed: dict[str, bytes] = {}
        records: list[VerdictRecord] = []
        for (key, partition), verdicts in zip(keys.items(), judged.values(), strict=True):
            before = {record.rule: record for record in stored[key]}
            fresh = {
                rule: _succeed(before.get(rule), _record(domain, rule, partition, given, now, run_id))
                for rule, given in verdicts.items()
            }
            records += fresh.values()
            if any(before.get(rule) is not record for rule, record in fresh.items()):
                changed[key] = _encode(domain, partition, {**before, **fresh})
        self._put_all(changed)
        return _sorted(records)

    def load(self, domain: str) -> list[VerdictRecord]:
        """Return every stored verdict of ``domain``, sorted by rule and partition."""
        keys = [info.key for info in self._state.list_objects(f"{_folder(domain)}/")]
        found = self._state.get_many([key for key in keys if key.endswith(".json")])
        return _sorted(record for key, content in found for record in self._decode(key, content))

    def load_table(self, domain: str) -> list[VerdictRecord]:
        """Return the stored verdicts about the whole table of ``domain``, from one object, sorted by rule."""
        key = store_key(domain, None)
        return _sorted(
            record for _, content in self._state.get_many([key]) for record in self._decode(key, content)
        )

    def _put_all(self, contents: Mapping[str, bytes]) -> None:
        if not contents:
            return
        with ThreadPoolExecutor(min(PARALLEL_PUTS, len(contents))) as pool:
            list(pool.map(self._state.put, contents.keys(), contents.values()))

    def _decode(self, key: str, content: bytes | None) -> list[VerdictRecord]:
        if content is None:
            return []
        try:
            document = orjson.loads(content)
            return [_from_item({**document, **item}) for item in document["verdicts"]]
        except (ValueError, KeyError, TypeError) as error:
            raise PermanentStoreError(
                f"state store {self._state.address}",
                f"read {key}",
                f"it is not a file of verdicts ({type(error).__name__}: {error})",
                "Delete it and run the checks again: verdicts are reached anew.",
            ) from error


def store_key(domain: str, partition: str | None) -> str:
    """Key of the verdicts about ``partition``; what is no letter, digit or ``-`` is written ``=3A``."""
    name = TABLE if partition is None else _written(partition, r"[^A-Za-z0-9-]")
    return f"{_folder(domain)}/{name}.json"


def _folder(domain: str) -> str:
    """Folder of a domain, or of a monitored table, whose name is any text: ``table_profile/part_x``."""
    kind, slash, table = domain.partition("/")
    name = _written(table, r"[^A-Za-z0-9_-]")
    if len(name) > LONGEST_NAME:
        name = f"{name[:LONGEST_NAME]}={hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return f"{PREFIX}/{kind}{slash}{name}"


def _written(text: str, odd: str) -> str:
    # "=" rather than "%": object stores treat a percent sign as an escape of their own
    return re.sub(
        odd, lambda found: "".join(f"={byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass")), text
    )


def verdict_item(record: VerdictRecord) -> dict[str, Any]:
    """Return ``record`` as JSON values, under the names that every command prints."""
    return {
        "domain": record.domain,
        "rule": record.rule,
        "partition": record.partition,
        "outcome": record.outcome.value,
        "severity": record.severity.value,
        "numbers": plain(record.numbers),
        "sentence": plain(record.sentence),
        "samples": plain(record.samples),
        "since": utc_text(record.since),
        "judged_at": utc_text(record.judged_at),
    }


def _record(
    domain: str,
    rule: str,
    partition: str | None,
    given: tuple[Verdict, Severity],
    now: datetime,
    run_id: str | None,
) -> VerdictRecord:
    verdict, severity = given
    return VerdictRecord(
        domain,
        rule,
        partition,
        verdict.outcome,
        severity,
        plain(verdict.sentence),
        {name: number_from_plain(plain(number)) for name, number in verdict.numbers.items()},
        tuple(plain(sample) for sample in verdict.samples),
        judged_at=now,
        since=now,
        run_id=run_id,
    )


def _succeed(before: VerdictRecord | None, after: VerdictRecord) -> VerdictRecord:
    """Return ``before`` itself where nothing new is said; else ``after``, with the start of its outcome."""
    if before is None or before.outcome is not after.outcome:
        return after
    if before.content == after.content:
        return before
    return VerdictRecord(**{**vars(after), "since": before.since})


def _encode(domain: str, partition: str | None, records: Mapping[str, VerdictRecord]) -> bytes:
    items = [
        {name: value for name, value in verdict_item(record).items() if name not in ("domain", "partition")}
        | {"run_id": record.run_id}
        for record in _sorted(records.values())
    ]
    document = {"domain": domain, "partition": partition, "verdicts": items}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _from_item(item: Mapping[str, Any]) -> VerdictRecord:
    return VerdictRecord(
        item["domain"],
        item["rule"],
        item["partition"],
        Outcome(item["outcome"]),
        Severity(item["severity"]),
        item["sentence"],
        {name: number_from_plain(number) for name, number in dict(item["numbers"]).items()},
        tuple(dict(sample) for sample in item["samples"]),
        _moment(item["judged_at"]),
        _moment(item["since"]),
        item["run_id"],
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time without zone: {text}")
    return moment.astimezone(UTC)


def _sorted(records: Iterable[VerdictRecord]) -> list[VerdictRecord]:
    return sorted(records, key=lambda record: (record.rule, record.partition or ""))
