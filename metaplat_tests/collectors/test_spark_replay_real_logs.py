"""The replay of logs that Spark itself wrote, against the plain reference."""

from __future__ import annotations

import pytest

from metaplat_tests.collectors.spark_replay_reference import Reference, told_by
from metaplat_tests.standins.spark_event_lines import replayed
from metaplat_tests.standins.spark_jobs import SparkLogs, spark_logs


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> SparkLogs:
    """Return the logs of this session."""
    return spark_logs(tmp_path_factory)


def test_real_logs_are_counted_as_the_reference_counts_them(written: SparkLogs) -> None:
    files = sorted(written.events.iterdir())
    assert files
    for file in files:
        data = file.read_bytes()
        attempt = replayed(data, cut=True)
        told_by(attempt, Reference(data))
        if attempt.status != "RUNNING":
            assert attempt.total_tasks
            assert attempt.spark_version
            assert attempt.app_name
            assert attempt.submit_time is not None


def test_spaces_between_keys_and_values_change_nothing(written: SparkLogs) -> None:
    import json

    data = min(written.events.iterdir(), key=lambda file: file.stat().st_size).read_bytes()
    spaced = b"".join(json.dumps(json.loads(line)).encode() + b"\n" for line in data.splitlines())
    assert replayed(spaced, cut=True) == replayed(data, cut=True)
