"""Tags come out of properties; secrets stay out of both."""

from __future__ import annotations

import json

import pytest

from metaplat.collectors.spark.attempt import Job
from metaplat_tests.collectors.spark_conclusion_samples import attempt, concluded, executor, stage

ALL_TAGS = "spark.databricks.clusterUsageTags.clusterAllTags"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("spark.hadoop.fs.s3a.secret.key", "abc"),
        ("spark.hadoop.fs.s3a.access.key", "abc"),
        ("spark.hadoop.fs.s3a.session.token", "abc"),
        ("fs.azure.account.key.shop.blob.core.windows.net", "abc"),
        ("spark.hadoop.fs.azure.sas.box.shop.blob.core.windows.net", "sv=1"),
        ("spark.ssl.keyStorePassword", "123456"),
        ("spark.authenticate.secret", "abc"),
        ("spark.sql.catalog.lake.credential", "id:abc"),
        ("spark.my.apiKey", "abc"),
        ("spark.jdbc.url", "jdbc:postgresql://bob:abc@db/shop"),
        ("spark.jdbc.url", "jdbc:sqlserver://db;user=bob;password=abc"),
        ("spark.yarn.dist.files", "https://bucket.s3.amazonaws.com/a.zip?X-Amz-Signature=abc"),
        ("spark.files", "s3://a/b,https://shop.blob.core.windows.net/a?sv=2020&sig=abc"),
        ("spark.executor.extraJavaOptions", "-Xss4m -Dpassword=abc"),
        ("spark.executor.extraJavaOptions", "-Dtruststore.password=abc -Xss4m"),
        ("spark.driver.extraJavaOptions", '-Dconf={"clientSecret": "abc"}'),
        ("spark.submit.args", "run.py --db-password abc --day 1"),
        ("spark.executorEnv.AWS", "AKIAABCDEFGHIJKLMNOP"),
        ("spark.executorEnv.HEADER", "Authorization: Bearer abcdefgh12345678"),
        ("spark.plain", "dapi0123456789abcdef0123456789abcdef"),
        ("spark.redacted.by.spark", "*********(redacted)"),
    ],
)
def test_a_secret_value_is_replaced_and_its_name_stays(name: str, value: str) -> None:
    made = concluded(attempt(environment={name: value}))
    assert made.environment == {name: "[redacted]"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("spark.app.name", "token counter"),
        ("spark.authenticate", "true"),
        ("spark.redaction.regex", "(?i)secret|password|token|access[.]?key"),
        (
            "spark.hadoop.fs.s3a.aws.credentials.provider",
            "com.amazonaws.auth.InstanceProfileCredentialsProvider",
        ),
        ("spark.security.credentials.hbase.enabled", "false"),
        ("spark.yarn.keytab", "/etc/job.keytab"),
        (
            "spark.driver.extraJavaOptions",
            "-Djava.net.preferIPv6Addresses=false -XX:+UseG1GC --add-opens=a/b=ALL",
        ),
        ("spark.eventLog.dir", "s3a://logs/spark"),
        ("spark.sql.warehouse.dir", "hdfs://nn:8020/user/hive/warehouse"),
        ("spark.jars.packages", "org.apache.hadoop:hadoop-aws:3.3.4"),
        ("spark.app.submitTime", "1763600000000"),
        ("spark.my.password", ""),
    ],
)
def test_a_harmless_value_stays_as_it_is(name: str, value: str) -> None:
    assert concluded(attempt(environment={name: value})).environment == {name: value}


def test_secrets_stay_out_of_tags_and_of_the_evidence_of_findings() -> None:
    reason = "java.sql.SQLException: cannot open jdbc:mysql://bob:hunter2@db/shop"
    made = attempt(
        tags={"build": "https://ci/run?token=hunter2"},
        environment={"spark.metaplat.tag.db_password": "hunter2", "spark.yarn.tags": "secret=hunter2"},
        stages=[stage(status="FAILED", failure_reason=reason, name="load https://x/y?sig=hunter2")],
        job_list=[Job(0, "FAILED")],
    )
    made.executors[0] = executor("1", removed_reason="lost: password=hunter2")
    shown = json.dumps([concluded(made).tags, made.environment, made.record()["findings"]])
    assert "hunter2" not in shown
    assert {"failed_stage", "lost_executors"} <= {finding.kind for finding in made.findings}


def test_tags_are_read_from_every_place_and_the_source_wins() -> None:
    made = concluded(
        attempt(
            tags={"team": "from the cloud"},
            environment={
                "spark.yarn.tags": "nightly, cost-center=42,owner:orders,=nameless,, team=yarn",
                "spark.kubernetes.driver.label.app": "etl",
                "spark.kubernetes.driver.label.": "nameless",
                ALL_TAGS: json.dumps(
                    [{"key": "Vendor", "value": "Databricks"}, {"key": "Size", "value": 3}, {"value": "x"}, 7]
                ),
                "spark.metaplat.tag.cost-center": "43",
                "spark.metaplat.tag.": "nameless",
            },
        )
    )
    assert made.tags == {
        "Size": "",
        "Vendor": "Databricks",
        "app": "etl",
        "cost-center": "43",
        "nightly": "",
        "owner": "orders",
        "team": "from the cloud",
    }


def test_prefixes_of_tags_are_those_of_the_settings() -> None:
    environment = {"spark.company.team": "orders", "spark.metaplat.tag.team": "no"}
    made = concluded(attempt(environment=environment), tag_prefixes=["spark.company."])
    assert made.tags == {"team": "orders"}


@pytest.mark.parametrize("broken", ["*********(redacted)", "[{", '{"key": "a"}', "null", "[" * 100_000])
def test_cluster_tags_that_are_no_list_give_no_tags(broken: str) -> None:
    assert concluded(attempt(environment={ALL_TAGS: broken})).tags == {}
