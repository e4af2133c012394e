"""Checks record a verdict per partition and an honest summary, whatever the form of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from metaplat.orchestration.assets import build_asset
from metaplat.orchestration.checks import build_checks, domain_subject
from metaplat_tests.orchestration.conftest import evaluations
from metaplat_tests.orchestration.small_domains import COUNTS, SHARDS, land

if TYPE_CHECKING:
    from metaplat.stores.home import Stores
    from metaplat_tests.orchestration.conftest import Run

DAY, NEXT, THIRD = "2025-11-01", "2025-11-02", "2025-11-03"


def test_a_run_of_one_partition_records_every_verdict_with_that_partition(stores: Stores, run: Run) -> None:
    land(stores, COUNTS, DAY, "a.json", a=1, b=200)
    result = run(DAY)
    assert result.success
    amount = evaluations(result, "amount")
    assert list(amount) == [DAY]
    assert not amount[DAY].passed
    assert amount[DAY].target_materialization_data.run_id == result.run_id
    assert evaluations(result, "ruinous")[DAY].passed


def test_a_run_of_a_range_records_every_verdict_with_its_partition(stores: Stores, run: Run) -> None:
    for day, amount in ((DAY, 1), (NEXT, 500), (THIRD, 2)):
        land(stores, COUNTS, day, "a.json", a=amount)
    found = evaluations(run(DAY, THIRD), "amount")
    assert {day: evaluation.passed for day, evaluation in found.items()} == {
        DAY: True,
        NEXT: False,
        THIRD: True,
    }
    assert len({evaluation.target_materialization_data.storage_id for evaluation in found.values()}) == 3


def test_a_run_of_buckets_records_them_in_the_order_of_their_numbers(stores: Stores, run: Run) -> None:
    land(stores, SHARDS, "3", "a.json", a=100)
    found = evaluations(run("0", "7", domain=SHARDS), "amount")
    assert list(found) == [str(number) for number in range(8)]
    assert [bucket for bucket, evaluation in found.items() if not evaluation.passed] == ["3"]


def test_figures_of_a_range_are_those_of_each_partition(
    stores: Stores, run: Run, instance: dg.DagsterInstance
) -> None:
    land(stores, COUNTS, DAY, "a.json", a=1)
    land(stores, COUNTS, NEXT, "a.json", a=1, b=2, c=3)
    run(DAY, NEXT)
    records = instance.fetch_materializations(dg.AssetKey("counts"), limit=10).records
    rows = {
        record.partition_key: record.asset_materialization.metadata["dagster/partition_row_count"].value
        for record in records
        if record.asset_materialization
    }
    assert rows == {DAY: 1, NEXT: 3}


def test_what_could_not_be_evaluated_is_skipped_and_never_failed(stores: Stores, run: Run) -> None:
    land(stores, COUNTS, DAY, "a.json", a=1)
    land(stores, COUNTS, NEXT, "a.json", a=1, b=2)
    result = run(DAY, NEXT)
    assert result.success
    assert list(evaluations(result, "pairs")) == [NEXT]


def test_summaries_belong_to_no_partition_and_count_exactly(stores: Stores, run: Run) -> None:
    land(stores, COUNTS, DAY, "a.json", a=500)
    land(stores, COUNTS, NEXT, "a.json", a=500)
    land(stores, COUNTS, THIRD, "a.json", a=1)
    found = evaluations(run(DAY, THIRD), "amount__summary")
    assert list(found) == [None]
    numbers = {
        name: value.value for name, value in found[None].metadata.items() if name.endswith("partitions")
    }
    assert numbers == {"failed_partitions": 2, "judged_partitions": 3, "partitions": 3}


def test_a_summary_stays_red_after_a_run_of_one_partition_while_another_still_fails(
    stores: Stores, run: Run
) -> None:
    land(stores, COUNTS, DAY, "a.json", a=500)
    land(stores, COUNTS, NEXT, "a.json", a=500)
    run(DAY, NEXT)
    land(stores, COUNTS, DAY, "a.json", a=1)
    again = run(DAY)
    assert evaluations(again, "amount")[DAY].passed
    summary = evaluations(again, "amount__summary")[None]
    assert not summary.passed
    assert summary.metadata["failed_partitions"].value == 1
    land(stores, COUNTS, NEXT, "a.json", a=1)
    assert evaluations(run(NEXT), "amount__summary")[None].passed


def test_a_rule_about_the_table_only_is_one_unpartitioned_check(stores: Stores, run: Run) -> None:
    land(stores, COUNTS, DAY, "a.json", a=1, b=2)
    found = evaluations(run(DAY, NEXT), "table_size")
    assert list(found) == [None]
    assert found[None].metadata["rows"].value == 2


def test_a_warning_has_its_severity_and_fails_no_run(stores: Stores, run: Run) -> None:
    land(stores, COUNTS, DAY, "a.json", a=60)
    result = run(DAY)
    assert result.success
    assert evaluations(result, "unusual")[DAY].severity is dg.AssetCheckSeverity.WARN
    assert evaluations(result, "unusual__summary")[None].severity is dg.AssetCheckSeverity.WARN
    assert evaluations(result, "amount")[DAY].severity is dg.AssetCheckSeverity.ERROR


def test_a_blocking_rule_blocks_in_one_partition_and_in_a_range(stores: Stores, run: Run) -> None:
    land(stores, COUNTS, DAY, "a.json", a=20_000)
    land(stores, COUNTS, NEXT, "a.json", a=1)
    for result in (run(DAY), run(DAY, NEXT)):
        assert not result.success
        found = evaluations(result, "ruinous")
        assert {evaluation.blocking for evaluation in found.values()} == {True}
        assert not found[DAY].passed
    assert found[NEXT].passed
    assert evaluations(result, "amount__summary")[None].metadata["failed_partitions"].value == 1


def test_failing_rows_are_shown_as_a_table_beside_the_numbers(stores: Stores, run: Run) -> None:
    land(stores, COUNTS, DAY, "a.json", **{f"job{number}": 100 + number for number in range(30)})
    evaluation = evaluations(run(DAY), "amount")[DAY]
    entries = evaluation.metadata
    assert list(entries)[:2] == ["rows", "above"]
    assert list(entries)[-1] == "samples"
    assert entries["above"].value == 30
    records = [record.data for record in entries["samples"].records]
    assert 0 < len(records) <= 12
    assert records[0] == {"name": "job0", "amount": 100}
    assert evaluation.description == "30 amounts reach 100."


def test_checks_alone_judge_what_is_stored_and_materialize_nothing(
    stores: Stores, run: Run, instance: dg.DagsterInstance
) -> None:
    land(stores, COUNTS, DAY, "a.json", a=1)
    land(stores, COUNTS, NEXT, "a.json", a=500)
    run(DAY, NEXT)
    for result, partitions in ((run(NEXT, job="check"), [NEXT]), (run(DAY, NEXT, job="check"), [DAY, NEXT])):
        assert result.success
        assert result.get_asset_materialization_events() == []
        found = evaluations(result, "amount")
        assert list(found) == partitions
        assert not found[NEXT].passed
        assert found[NEXT].target_materialization_data.run_id != result.run_id
    assert len(instance.fetch_materializations(dg.AssetKey("counts"), limit=10).records) == 2


def test_one_check_can_be_run_by_itself(stores: Stores, instance: dg.DagsterInstance, run: Run) -> None:
    land(stores, COUNTS, DAY, "a.json", a=1)
    run(DAY)
    result = dg.materialize(
        [build_asset(COUNTS), build_checks(domain_subject(COUNTS))],
        selection=dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey("counts"), "amount")),
        tags={"dagster/partition": DAY},
        resources={"stores": stores},
        instance=instance,
    )
    assert [each.check_name for each in result.get_asset_check_evaluations()] == ["amount"]


def test_after_many_runs_of_one_partition_a_range_still_targets_every_partition(
    stores: Stores, run: Run
) -> None:
    for number in range(20):
        land(stores, SHARDS, "5", "a.json", a=number)
        run("5", domain=SHARDS)
    result = run("0", "7", domain=SHARDS)
    targets = {
        bucket: evaluation.target_materialization_data.run_id
        for bucket, evaluation in evaluations(result, "amount").items()
    }
    assert targets == dict.fromkeys(map(str, range(8)), result.run_id)
    again = evaluations(run("0", "7", domain=SHARDS, job="check"), "amount")
    assert {evaluation.target_materialization_data.run_id for evaluation in again.values()} == {result.run_id}
