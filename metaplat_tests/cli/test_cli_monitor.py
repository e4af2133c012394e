"""``metaplat monitor`` against Glue, S3 and SNS: every planted fault is found, and nothing else."""

from __future__ import annotations

import csv
import io
import json
import uuid
import zlib
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from metaplat_tests.cli.conftest import answer_of, bound_process
from metaplat_tests.standins.bound_process import refuse
from metaplat_tests.standins.glue_lake import COUNT, KEY, Buckets, GlueLake, healthy, parquet, rows

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat_tests.cli.conftest import Answer, Invoke


@pytest.fixture
def lake(moto_endpoint: str, s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> GlueLake:
    """Return an empty lake; every AWS client of metaplat is led to it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    return GlueLake(moto_endpoint, s3_bucket, f"lake_{uuid.uuid4().hex[:8]}")


@pytest.fixture
def monitor(metaplat: Invoke, lake: GlueLake) -> Invoke:
    """Return the function that runs the monitor on the lake."""

    def run(*arguments: object) -> Answer:
        fixed = ("--database", lake.database, "--bucket_count", COUNT, "--report_bucket", lake.bucket)
        return metaplat("monitor", "run", *fixed, *arguments)

    return run


def plant_all(lake: GlueLake) -> list[str]:
    """Plant one fault a table, and return the alert each must raise."""
    db = lake.database
    lake.add_table("part_healthy", healthy())
    lake.add_table("part_other_er", {})  # left out by its name

    lake.add_table("part_absent", without("id_bucket=3/"), registered=[0, 1, 2], source_rows=15)
    lake.add_table("part_unregistered", healthy(), registered=[0, 2])
    lake.add_table("part_virtual", healthy(), registered=[], Parameters=projection(f"0,{COUNT - 1}"))
    lake.add_table("part_managed", healthy(), TableType="MANAGED_TABLE")
    lake.add_table("part_old", healthy(), snapshot="2020-01-02")
    lake.add_table("part_undated", healthy(), snapshot=None)
    lake.add_table("part_short", healthy(), source_rows=40)
    lake.add_table("part_orphan", healthy(), source_rows=None)
    nulls = rows(0).with_columns(pl.when(pl.col("age") < 2).then(None).otherwise(pl.col(KEY)).alias(KEY))
    lake.add_table("part_nulls", healthy() | {"id_bucket=0/part-0.parquet": parquet(nulls)})
    twice = rows(1, 3).vstack(rows(1, 2))
    lake.add_table("part_twice", healthy() | {"id_bucket=1/part-0.parquet": parquet(twice)})
    across = rows(1, 4).vstack(rows(2, 1))
    lake.add_table("part_across", healthy() | {"id_bucket=1/part-0.parquet": parquet(across)})
    plant_odd_folders(lake)
    plant_odd_files(lake)
    plant_odd_registrations(lake)
    return [
        "part_absent: S3 has 3/4 id_bucket partitions",
        "part_unregistered: Glue missing 2 partitions (e.g., [1, 3])",
        "part_managed: schema mismatch (EXTERNAL/Parquet/Serde)",
        "part_old: processed snapshot too old/missing (snap=2020-01-02)",
        "part_undated: processed snapshot too old/missing (snap=None)",
        f"[COUNT_MISMATCH] part_short: {db}.part_short=20 vs {db}.ext_short=40 (Δ=50.000000%)",
        f"source table not found {db}.ext_orphan; count match skipped",
        f"[PK_NULL] part_nulls: {KEY} NULL rows=2",
        f"[PK_DUPES] part_twice: {KEY} duplicate rows=4",
        f"[PK_DUPES] part_across: {KEY} duplicate rows=2",
        "part_strange: 5 unexpected partitions (e.g., [id_bucket=003 (padded), id_bucket=9 (unknown), "
        "id_bucket=__HIVE_DEFAULT_PARTITION__ (default), id_bucket=abc (not a number), other (other)])",
        "part_hollow: S3 has 3/4 id_bucket partitions",
        f"[PK_MISPLACED] part_wandered: {KEY} misplaced rows=1",
        "part_cut: unreadable files: 1 (e.g., [id_bucket=1/part-0.parquet: the file is cut: it begins as "
        "Parquet and does not end as Parquet])",
        "part_keyless: schema drift in 1 files (e.g., [id_bucket=1/part-0.parquet: no column "
        f"{KEY}; column somebody added])",
        "part_drifted: schema drift in 1 files (e.g., [id_bucket=1/part-0.parquet: "
        "age is string, not int32])",
        "part_dangling: Glue has 1 dangling partitions without data (e.g., [9])",
        "part_astray: Glue has 1 partitions at a wrong location (e.g., [1])",
        "part_narrow: partition projection issues: projection.id_bucket.range is 0,1, expected 0,3 or wider",
        f"part_contract: schema contract issues: {KEY} is not a data column",
        "part_textual: schema contract issues: partition keys are id_bucket string, not id_bucket int",
    ]


def plant_odd_folders(lake: GlueLake) -> None:
    folders = (
        "id_bucket=003",
        "id_bucket=9",
        "id_bucket=abc",
        "id_bucket=__HIVE_DEFAULT_PARTITION__",
        "other",
    )
    strange = {f"{folder}/part-0.parquet": parquet(rows(50 + at)) for at, folder in enumerate(folders)}
    lake.add_table("part_strange", healthy() | strange)
    hollow = {"id_bucket=3/_SUCCESS": b"", "id_bucket=3/.hidden.parquet": b"x", "id_bucket=3/empty": b""}
    lake.add_table("part_hollow", without("id_bucket=3/") | hollow, registered=[0, 1, 2], source_rows=15)


def plant_odd_files(lake: GlueLake) -> None:
    placed = placed_by_crc32(200)
    [key] = placed[1][KEY].head(1)
    placed[2] = placed[2].vstack(placed[1].head(1))
    placed[1] = placed[1].filter(pl.col(KEY) != key)
    objects = {f"id_bucket={bucket}/part-0.parquet": parquet(frame) for bucket, frame in placed.items()}
    lake.add_table("part_wandered", objects, source_rows=200)
    lake.add_table("part_cut", healthy() | {"id_bucket=1/part-0.parquet": parquet(rows(1))[:-20]})
    keyless = rows(1).rename({KEY: "somebody"})
    lake.add_table("part_keyless", healthy() | {"id_bucket=1/part-0.parquet": parquet(keyless)})
    drifted = rows(1).with_columns(pl.col("age").cast(pl.String))
    lake.add_table("part_drifted", healthy() | {"id_bucket=1/part-0.parquet": parquet(drifted)})


def plant_odd_registrations(lake: GlueLake) -> None:
    lake.add_table("part_dangling", healthy(), registered=[0, 1, 2, 3, 9])
    lake.add_table("part_astray", healthy(), registered=[0, 2, 3])
    lake.register("part_astray", [1], at=f"{lake.location('part_astray')}/elsewhere")
    lake.add_table("part_narrow", healthy(), registered=[], Parameters=projection("0,1"))
    other = [{"Name": "somebody", "Type": "string"}, {"Name": "age", "Type": "int"}]
    lake.add_table("part_contract", healthy(), registered=[], StorageDescriptor={"Columns": other})
    lake.register("part_contract", range(COUNT), columns=other)
    lake.add_table("part_textual", healthy(), PartitionKeys=[{"Name": "id_bucket", "Type": "string"}])


def placed_by_crc32(count: int) -> dict[int, pl.DataFrame]:
    """Rows that lie where the CRC of their key says."""
    frame = rows(7, count)
    places = pl.Series([zlib.crc32(key.encode()) % COUNT for key in frame[KEY]])
    return {bucket: frame.filter(places == bucket) for bucket in range(COUNT)}


def without(folder: str) -> Buckets:
    return {key: content for key, content in healthy().items() if not key.startswith(folder)}


def projection(values: str) -> dict[str, str]:
    return {
        "projection.enabled": "true",
        "projection.id_bucket.type": "integer",
        "projection.id_bucket.range": values,
    }


def test_every_planted_fault_is_found_and_nothing_else(
    lake: GlueLake, monitor: Invoke, s3_client: Any
) -> None:
    expected = plant_all(lake)
    topic = lake.client("sns").create_topic(Name=lake.database)["TopicArn"]
    queue = lake.client("sqs").create_queue(QueueName=lake.database)["QueueUrl"]
    queue_arn = lake.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    lake.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn["Attributes"]["QueueArn"])
    answer = monitor("--auto_repair", "off", "--sns_topic_arn", topic, "--json")
    assert answer.code == 1, answer.err
    document = answer.json
    assert sorted(document["alerts"]) == sorted(expected)
    assert [row["table"] for row in document["tables"]] == sorted(row["table"] for row in document["tables"])
    assert "part_other_er" not in {row["table"] for row in document["tables"]}

    stem = f"data-monitor/omc_monitor_report_{document['generated_at'][:10]}"
    stored = json.loads(s3_client.get_object(Bucket=lake.bucket, Key=f"{stem}.json")["Body"].read())
    assert stored == document
    table = csv.DictReader(
        io.StringIO(s3_client.get_object(Bucket=lake.bucket, Key=f"{stem}.csv")["Body"].read().decode())
    )
    assert {row["table"]: row["pk_dupes"] for row in table}["part_twice"] == "4"

    [message] = lake.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    sent = json.loads(message["Body"])
    assert sent["Subject"] == f"[DATA MONITOR] {lake.database} part_* — {len(expected)} issue(s)"
    first, empty, *lines = sent["Message"].splitlines()
    assert first == f"[DATA MONITOR] {len(expected)} issue(s) in {lake.database} (part_*)"
    assert empty == ""
    assert sorted(lines) == sorted(expected)


def test_a_healthy_lake_raises_no_alert_and_a_second_run_reads_nothing(
    lake: GlueLake, monitor: Invoke
) -> None:
    lake.add_table("part_a", healthy())
    answer = monitor("--json")
    assert (answer.code, answer.json["alerts"]) == (0, [])
    assert answer.json["tables"][0]["files_read"] == COUNT
    again = monitor("--json")
    assert (again.code, again.json["tables"][0]["files_read"]) == (0, 0)


def test_repair_registers_exactly_what_is_missing_and_a_second_run_plans_nothing(
    lake: GlueLake, metaplat: Invoke
) -> None:
    lake.add_table("part_a", healthy(), registered=[2])
    options = ("--database", lake.database, "--bucket-count", COUNT, "--auto-repair", "glue")
    plan = metaplat("monitor", "repair", *options, "--dry-run", "--json")
    assert (plan.code, [entry["bucket"] for entry in plan.json["tables"][0]["add"]]) == (0, [0, 1, 3])
    assert lake.registered("part_a") == [2]
    done = metaplat("monitor", "repair", *options, "--json")
    assert (done.code, done.json["tables"][0]["before"], done.json["tables"][0]["after"]) == (0, 1, 4)
    assert lake.registered("part_a") == [0, 1, 2, 3]
    again = metaplat("monitor", "repair", *options, "--json")
    assert (again.code, again.json["tables"][0]["add"]) == (0, [])


def test_a_table_that_cannot_be_examined_stops_no_other(lake: GlueLake, monitor: Invoke) -> None:
    lake.add_table("part_good", healthy())
    lake.create("part_lost", f"s3://{lake.bucket}/nowhere")
    lake.create("part_elsewhere", "hdfs://cluster/part_elsewhere")
    answer = monitor("--count_check_enabled", "false", "--json")
    assert answer.code == 3
    states = {row["table"]: row["state"] for row in answer.json["tables"]}
    assert states == {"part_good": "passed", "part_lost": "not evaluated", "part_elsewhere": "not evaluated"}
    assert "part_lost: not evaluated: " in answer.err


NAMES = [
    "part_a'b",
    'part_"q";--',
    "part_$(touch x)",
    "part_a/b",
    "part_a",
    "part_a\\b",
    "part_a\nb",
    "part_..",
]


def test_a_table_name_is_any_text(lake: GlueLake, monitor: Invoke, metaplat: Invoke) -> None:
    for name in NAMES:
        lake.create(name, lake.location("shared"))
    for key, content in healthy().items():
        lake.put(f"shared/data/{key}", content)
    options = ("--count_check_enabled", "false", "--strict_snapshot", "false", "--json")
    answer = monitor(*options, "--auto_repair", "off")
    assert {row["table"]: row["missing_glue_count"] for row in answer.json["tables"]} == dict.fromkeys(
        NAMES, COUNT
    )
    assert (answer.code, answer.json["tables_not_evaluated"]) == (1, 0)
    assert monitor(*options, "--auto_repair", "glue").code == 0
    for name in NAMES:
        assert lake.registered(name) == [0, 1, 2, 3]
        assert len(metaplat("monitor", "history", name, "--json").json["runs"]) == 2
    assert metaplat("alerts", "list", "--json").json["alerts"] == []


def test_a_source_that_cannot_be_read_is_told(lake: GlueLake, monitor: Invoke) -> None:
    lake.add_table("part_a", healthy())
    lake.put("ext_a/data/all.parquet", b"no Parquet")
    answer = monitor("--json")
    [row] = answer.json["tables"]
    assert (answer.code, row["count_src"], row["count_diff_pct"]) == (0, None, None)
    assert any("all.parquet" in note for note in row["notes"])
    told = [line for line in monitor().err.splitlines() if line.startswith("part_a: ")]
    assert told == [f"part_a: {note}" for note in row["notes"]]


def test_no_table_is_its_own_source_or_examined_twice(lake: GlueLake, monitor: Invoke) -> None:
    lake.add_table("part_a", healthy())
    twice = ("--table", "ext_a", "--table", "ext_a")
    [row] = monitor("--table_prefix", "", *twice, "--json").json["tables"]
    assert (row["table"], row["count_src"]) == ("ext_a", None)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--pk-column", "", "--pk-column: "),
        ("--location", "", "'' is no folder of a table"),
        ("--location", "/", "'/' is no folder of a table"),
        ("--strict_snapshot", "yes", "--strict-snapshot: say true or false"),
        ("--bucket-count", "many", "--bucket-count: "),
        ("--engine", "hive", "--engine: "),
    ],
)
def test_a_wrong_value_names_its_option(metaplat: Invoke, option: str, value: str, said: str) -> None:
    table = () if option == "--location" else ("--database", "d")
    answer = metaplat("monitor", "run", *table, option, value)
    assert answer.code == 2
    assert said in answer.error


def write_table(folder: Path, objects: dict[str, bytes]) -> Path:
    for key, content in objects.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_a_local_folder_is_monitored_without_any_service(metaplat: Invoke, tmp_path: Path) -> None:
    folder = write_table(tmp_path / "part_t", healthy())
    options = ("--location", folder, "--bucket-count", COUNT, "--strict_snapshot", "false", "--json")
    assert metaplat("monitor", "run", *options).code == 0
    (folder / "id_bucket=2" / "part-1.parquet").write_bytes(parquet(rows(2, 1)))
    answer = metaplat("monitor", "run", *options)
    assert (answer.code, answer.json["alerts"]) == (1, [f"[PK_DUPES] part_t: {KEY} duplicate rows=2"])
    history = metaplat("monitor", "history", "part_t", "--json")
    assert [run["rows"] for run in history.json["runs"]] == [20, 21]
    asked = "select sum(rows) as n from table_profiles group by profiled_at order by profiled_at"
    assert [row["n"] for row in metaplat("query", asked, "--json").lines] == [20, 21]


def test_a_file_that_must_not_be_read_costs_its_bucket_until_it_may(tmp_path: Path) -> None:
    folder = write_table(tmp_path / "part_t", healthy())
    command = ("monitor", "run", "--location", folder, "--bucket-count", COUNT)
    options = ("--strict_snapshot", "false", "--json")
    file = folder / "id_bucket=2" / "part-0.parquet"
    refuse(file)
    for _ in range(2):  # the listing will not tell when it may be read again
        answer = answer_of(bound_process(*command, *options))
        text = "unreadable files: 1 (e.g., [id_bucket=2/part-0.parquet: cannot be read: permission denied])"
        assert (answer.code, answer.json["alerts"]) == (1, [f"part_t: {text}"]), answer.err
        [row] = answer.json["tables"]
        assert (row["state"], row["unknown_buckets"], row["failing_buckets"]["parquet_file"]) == (
            "failed",
            1,
            [2],
        )
    file.chmod(0o600)
    answer = answer_of(bound_process(*command, *options))
    assert (answer.code, answer.json["alerts"], answer.json["tables"][0]["count_part"]) == (0, [], 20)


def test_a_folder_that_must_not_be_read_is_one_line_that_names_it(tmp_path: Path) -> None:
    folder = write_table(tmp_path / "part_t", healthy())
    command = ("monitor", "run", "--location", folder, "--bucket-count", COUNT, "--strict_snapshot", "false")
    for mode in (0o000, 0o600):  # it cannot be listed; what lies in it cannot be looked up
        refuse(folder / "id_bucket=2")
        (folder / "id_bucket=2").chmod(mode)
        answer = answer_of(bound_process(*command, "--json"))
        assert (answer.code, answer.json["tables"][0]["state"]) == (3, "not evaluated")
        problem = answer.json["tables"][0]["problem"]
        assert problem.startswith(f"folder {folder}/id_bucket=2: list")
        assert problem.endswith("Make it and what lies in it readable for the user that runs metaplat.")
    (folder / "id_bucket=2").chmod(0o700)


def test_a_folder_is_named_by_its_own_name_however_it_is_reached(
    metaplat: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write_table(tmp_path / "part_t", healthy()))
    for location in (".", "./", "../part_t", "id_bucket=0/.."):
        options = ("--location", location, "--bucket-count", COUNT, "--strict_snapshot", "false", "--json")
        answer = metaplat("monitor", "run", *options)
        assert (answer.code, answer.json["tables"][0]["table"]) == (0, "part_t"), answer.err


@pytest.mark.parametrize("location", ["s3://", "s3:///x", "file:/tmp/x", "file:///tmp/x", "hdfs://c/x"])
def test_a_location_that_is_neither_a_folder_nor_on_s3_says_so(metaplat: Invoke, location: str) -> None:
    answer = metaplat("monitor", "run", "--location", location)
    assert answer.code == 3
    assert "is neither a local folder nor an address s3://bucket/prefix" in answer.err


def test_tables_of_one_name_have_histories_of_their_own(metaplat: Invoke, tmp_path: Path) -> None:
    options = ("--bucket-count", COUNT, "--strict_snapshot", "false", "--json")
    for number, place in enumerate(("here", "there")):
        folder = write_table(tmp_path / place / "part_t", healthy())
        (folder / "id_bucket=0" / "more.parquet").write_bytes(parquet(rows(70, number + 1)))
        assert metaplat("monitor", "run", "--location", folder, *options).json["tables"][0]["files_read"] == 5
    several = metaplat("monitor", "history", "part_t")
    assert (several.code, several.error.partition(":")[0]) == (2, "several tables are called part_t")
    _, _, named = several.error.partition("say one of ")
    counts = [metaplat("monitor", "history", name, "--json").json["runs"] for name in named.split(", ")]
    assert sorted(run["rows"] for [run] in counts) == [21, 22]


def test_a_prefix_that_no_table_has_is_told(lake: GlueLake, metaplat: Invoke) -> None:
    lake.add_table("part_a", healthy())
    options = ("--database", lake.database, "--bucket-count", COUNT)
    assert metaplat("monitor", "discover", *options).code == 0
    for command in ("run", "discover"):
        answer = metaplat("monitor", command, *options, "--table-prefix", "prt_")
        assert (answer.code, answer.error.partition(" (")[0]) == (
            2,
            f"no table of {lake.database} starts with 'prt_'",
        )
    lake.add_table("part_b", healthy())
    found = metaplat("monitor", "discover", *options, "--table-prefix", "part_b", "--json").json
    assert ([each["table"] for each in found["tables"]], found["no_longer_monitored"]) == (
        ["part_b"],
        ["part_a"],
    )


def test_a_wrong_sink_is_told_before_any_work(
    metaplat: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_table(tmp_path / "part_t", healthy())
    monkeypatch.setenv("METAPLAT_ALERTS__SINKS__ONCALL__URL", "sns:nowhere")
    answer = metaplat("monitor", "run", "--location", folder, "--bucket-count", COUNT)
    assert (answer.code, answer.out) == (2, "")
    assert "alerts.sinks.oncall.url" in answer.error
