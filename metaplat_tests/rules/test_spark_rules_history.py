"""Rules that look back: earlier rows are read once for all partitions, and only when they are asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.ingest.receipts import Receipts
from metaplat.model.errors import PermanentStoreError
from metaplat.model.landed import IngestReceipt
from metaplat.model.partitioning import IdBuckets
from metaplat.model.rule import History, PartitionEvidence, Rule
from metaplat.model.verdict import Outcome, Verdict
from metaplat.orchestration.judging import Judge
from metaplat.rules.row_count import row_count
from metaplat.rules.spark.regression import regression
from metaplat.settings import Settings
from metaplat.stores.home import Stores, open_stores
from metaplat.stores.lake import Lake
from metaplat_tests.rules.small_domain import BUCKETS
from metaplat_tests.rules.spark_rule_samples import APPLICATIONS, DAY, applications

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import polars as pl

    from metaplat.model.domain import MetadataDomain

NOW = DAY + timedelta(days=60)
MINUTE = 60_000


class WatchedLake(Lake):
    """A lake that notes what was read of it."""

    reads: list[tuple[str, ...]]

    def read(
        self,
        domain: MetadataDomain,
        partitions: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pl.DataFrame:
        """Read as the lake does."""
        self.reads.append(tuple(partitions or ()))
        return super().read(domain, partitions, columns)


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    opened = open_stores(Settings(home=tmp_path))
    lake = WatchedLake(opened.lake.objects)
    object.__setattr__(lake, "reads", [])
    return replace(opened, lake=lake)


def key(day: int) -> str:
    return f"{DAY + timedelta(days=day):%Y-%m-%d}"


def ingested(stores: Stores, day: int, **values: Any) -> str:
    """Store one application that ended on a day, and the receipt of its ingest; return its partition."""
    moment = DAY + timedelta(days=day, hours=3)
    frame = applications({"application_time": moment, "end_time": moment} | values)
    stores.lake.write(APPLICATIONS, key(day), frame)
    Receipts(stores.state, APPLICATIONS).save(IngestReceipt(key(day), frozenset(), rows=1))
    return key(day)


def looking_back(days: int, seen: dict[str, list[str] | None]) -> Rule:
    """Make a rule that notes the days it was shown."""

    def judge(evidence: PartitionEvidence) -> Verdict:
        history = evidence.history
        moments = None if history is None else history["application_time"].to_list()
        seen[evidence.partition] = moments and [f"{moment:%Y-%m-%d}" for moment in moments]
        return Verdict.judged(passed=True, sentence="Seen.", numbers={})

    return Rule("looking_back", "It looks back.", judge, history=History(days, ("app_id", "duration_ms")))


def judge(stores: Stores, *rules: Rule, days: Sequence[int]) -> Any:
    return Judge(APPLICATIONS, stores, NOW, None).judge_partitions([key(day) for day in days], rules)


def lake_reads(stores: Stores) -> list[tuple[str, ...]]:
    assert isinstance(stores.lake, WatchedLake)
    return stores.lake.reads


def test_each_partition_sees_the_rows_before_it_and_all_are_read_once(stores: Stores) -> None:
    for day in (0, 1, 2, 3, 10, 11):
        ingested(stores, day)
    seen: dict[str, list[str] | None] = {}
    judgement = judge(stores, looking_back(2, seen), row_count(), days=[3, 1, 11])
    assert seen == {key(3): [key(1), key(2)], key(1): [key(0)], key(11): [key(10)]}
    assert judgement.errors == {}
    read = lake_reads(stores)
    assert [keys for keys in read if len(keys) > 1] == [(key(0), key(1), key(2), key(10))]
    assert sorted(keys for keys in read if len(keys) == 1) == sorted([(key(1),), (key(3),), (key(11),)])


def test_rules_share_the_longest_history_and_all_columns(stores: Stores) -> None:
    for day in range(6):
        ingested(stores, day)
    columns: list[list[str]] = []

    def note(evidence: PartitionEvidence) -> Verdict:
        assert evidence.history is not None
        columns.append(evidence.history.columns)
        return Verdict.judged(passed=True, sentence="Seen.", numbers={"rows": evidence.history.height})

    other = Rule("other", "It looks back, too.", note, history=History(1, ("user", "app_id")))
    judgement = judge(stores, looking_back(4, {}), other, days=[5])
    assert columns == [["application_time", "app_id", "duration_ms", "user"]]
    assert judgement.verdicts[key(5)]["other"].numbers == {"rows": 4}


def test_where_no_rule_asks_nothing_is_read_but_the_partition(stores: Stores) -> None:
    ingested(stores, 0)
    ingested(stores, 1)
    judgement = judge(stores, row_count(), days=[1])
    assert judgement.verdicts[key(1)]["row_count"].outcome is Outcome.PASSED
    assert lake_reads(stores) == [(key(1),)]


def test_an_earlier_partition_that_cannot_be_read_fails_only_the_rules_that_look_back(stores: Stores) -> None:
    for day in (0, 1, 2):
        ingested(stores, day)
    stores.lake.objects.put(stores.lake.key(APPLICATIONS, key(0)), b"no Parquet")
    judgement = judge(stores, looking_back(5, {}), row_count(), days=[1, 2])
    assert set(judgement.errors) == {f"looking_back of {key(1)}", f"looking_back of {key(2)}"}
    assert all(isinstance(error, PermanentStoreError) for error in judgement.errors.values())
    assert {name for verdicts in judgement.verdicts.values() for name in verdicts} == {"row_count"}
    assert lake_reads(stores).count((key(0), key(1))) == 1


def test_buckets_have_no_time_before_them(stores: Stores) -> None:
    assert isinstance(BUCKETS.partitions, IdBuckets)
    seen: list[object] = []

    def note(evidence: PartitionEvidence) -> Verdict:
        seen.append(evidence.history)
        return Verdict.not_evaluated("No time.")

    rule = Rule("looking_back", "It looks back.", note, history=History(5, ("job",)))
    Judge(BUCKETS, stores, NOW, None).judge_partitions(["0"], [rule])
    assert seen == [None]


def test_a_regression_is_found_among_stored_partitions_and_logged(stores: Stores) -> None:
    for day in range(8):
        ingested(stores, day, duration_ms=10 * MINUTE)
    slow = ingested(stores, 8, duration_ms=45 * MINUTE)
    usual = ingested(stores, 9, duration_ms=11 * MINUTE)
    judgement = judge(stores, regression(), days=[2, 8, 9])
    outcomes = {day: verdicts["regression"].outcome for day, verdicts in judgement.verdicts.items()}
    assert outcomes == {key(2): Outcome.NOT_EVALUATED, slow: Outcome.FAILED, usual: Outcome.PASSED}
    table = Judge(APPLICATIONS, stores, NOW, None).judge_table([regression()])
    assert table["regression"].numbers == {"failed_partitions": 1, "judged_partitions": 2, "partitions": 3}
