"""Typed settings from one file and the environment, and nothing read at import.

Here: every key with its type, default and meaning; where the file is looked for; clear errors.
Not here: opening stores (``stores.home``), constants that no user would change.
The file is ``--config``, else ``METAPLAT_CONFIG``, else ``./metaplat.toml`` if present. Each key is
overridden by ``METAPLAT_<SECTION>__<KEY>``; the top-level keys by ``METAPLAT_HOME`` and ``METAPLAT_ROOT``.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from metaplat.model.errors import SettingsError, shown_address
from metaplat.model.table import BucketFunction, CompareSource, Engine, RepairMode

if TYPE_CHECKING:
    from collections.abc import Iterable

PREFIX = "METAPLAT_"
CONFIG_VARIABLE = "METAPLAT_CONFIG"
SERVICE_VARIABLE = re.compile(r"METAPLAT_((?!.*__)\w+_)?(SERVICE_HOST|SERVICE_PORT\w*|PORT(_\d+_[A-Z]+\w*)?)")
"""What Kubernetes puts into every pod beside a Service called metaplat: not meant as settings."""
SINK_VARIABLE = re.compile(r"METAPLAT_ALERTS__SINKS__\w+?__(URL|MIN_SEVERITY|DOMAINS)")
"""A key of one sink; what lies between is its name in lower case."""
DEFAULT_FILE = Path("metaplat.toml")


def _listed(value: object) -> object:
    """Read a list given as one text, as environment variables must: JSON, or words with commas between."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError('is neither a JSON list, such as ["a", "b"], nor words such as a,b') from None
    return [word.strip() for word in value.split(",") if word.strip()]


def _object(value: object) -> object:
    """Read a table given as one text, as environment variables must: JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError("is not a JSON object") from None


AlertLevel = Literal["low", "medium", "high"]
"""How much an alert matters, least first."""

Names = Annotated[list[str], BeforeValidator(_listed)]
FieldNames = Annotated[
    list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]], BeforeValidator(_listed)
]
"""Fields of domains, as ``domain.field``."""


class Section(BaseModel):
    """One ``[section]`` of the file; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class S3Settings(Section):
    """How object stores on S3 are reached; credentials follow the standard AWS chain."""

    region: str = "us-east-1"
    endpoint_url: str | None = Field(
        None, description="Overrides AWS_ENDPOINT_URL, for S3-compatible stores."
    )
    timeout_seconds: float = Field(30.0, gt=0)
    retries: int = Field(3, ge=0, description="Further attempts after a transient failure.")
    parallel_requests: int = Field(64, ge=1, le=512)


class HotSettings(Section):
    """The hot store: recent rows by key."""

    backend: Literal["sqlite", "dynamodb"] = "sqlite"
    table_prefix: str = Field("", description="Put before each DynamoDB table name.")
    region: str = "us-east-1"
    endpoint_url: str | None = None
    create_tables: bool = Field(
        default=True, description="Create missing DynamoDB tables, with TTL and index."
    )


class IngestSettings(Section):
    """Limits of reading landing objects."""

    max_object_mb: int = Field(
        128, ge=1, description="Larger landing objects go to quarantine, MiB unpacked."
    )
    clock_skew_seconds: int = Field(300, ge=0, description="How far in the future a time may lie.")


class SensorSettings(Section):
    """How landing prefixes are watched."""

    recent_partitions: int = Field(3, ge=1, description="Newest partitions listed on every tick.")
    older_partitions: int = Field(32, ge=0, description="Older partitions listed on every tick, in rotation.")
    max_run_requests: int = Field(
        5, ge=1, description="Beyond this many stretches, covering ranges are asked for."
    )


class PrivacySettings(Section):
    """Treatment of personal data, beyond what the domains declare."""

    hash_key: SecretStr | None = Field(
        None, description="Key of keyed hashes; without one values are dropped."
    )
    drop: FieldNames = Field(default_factory=list, description="Fields to drop, as domain.field.")
    hash: FieldNames = Field(default_factory=list, description="Fields to hash, as domain.field.")


class KubernetesSettings(Section):
    """The collector of Kubernetes jobs."""

    cluster_name: str | None = None
    namespaces: Names = Field(default_factory=list, description="Empty means all namespaces.")
    job_name_labels: Names = Field(
        default_factory=list,
        description="Labels that hold the recurring job name where no CronJob owns the Job.",
    )
    page_size: int = Field(500, ge=1)
    context: str | None = Field(None, description="Context of the kubeconfig; null means the current one.")
    timeout_seconds: float = Field(30.0, gt=0)


class DeclaredTable(Section):
    """One table to monitor that no discovery is needed for: ``[[monitor.tables]]``."""

    name: str
    location: str | None = Field(
        None, description="Folder or s3://bucket/prefix; null asks Glue, which needs a database."
    )
    source_location: str | None = Field(None, description="What its rows are counted against.")
    database: str | None = Field(None, description="Glue database; null means the table is not in Glue.")
    pk_column: str | None = Field(None, min_length=1, description="Null means monitor.pk_column.")
    bucket_count: int | None = Field(None, ge=1, description="Null means monitor.bucket_count.")
    bucket_fn: BucketFunction | None = Field(None, description="Null means monitor.bucket_fn.")
    engine: Engine | None = Field(None, description="Null means monitor.engine.")


class MonitorSettings(Section):
    """The monitor of bucketed tables; every key but ``tables`` is also an option of ``metaplat monitor``."""

    database: str | None = Field(None, description="Glue database whose tables are monitored.")
    table_prefix: str = Field("part_", description="Tables whose names start so, except those ending in _er.")
    max_tables: int = Field(0, ge=0, description="At most so many tables, by name; 0 means all.")
    bucket_count: int = Field(256, ge=1, le=100_000, description="Buckets are 0 to bucket_count - 1.")
    pk_column: str = Field("customer_user_id", min_length=1, description="Primary key: one column.")
    engine: Engine = Field(Engine.BUCKET, description="What counts keys.")
    bucket_fn: BucketFunction = Field(BucketFunction.INFER, description="How a key finds its bucket.")
    region: str = Field("us-east-1", description="Of Glue, Athena and SNS.")
    report_bucket: str | None = Field(
        None, description="S3 bucket of the reports; null means the store of reports."
    )
    report_prefix: str = Field("data-monitor/", description="Prefix of the report objects.")
    report_stem: str = Field("omc_monitor_report", description="First part of the reports' names.")
    sns_topic_arn: str | None = Field(None, description="Topic of the monitor's message; null sends none.")
    athena_results: str | None = Field(
        None, description="s3://bucket/prefix for results; null leaves it to the workgroup."
    )
    athena_workgroup: str = "primary"
    auto_repair: RepairMode = Field(RepairMode.ATHENA, description="How missing partitions are registered.")
    strict_snapshot: bool = Field(default=True, description="An old or missing snapshot is an alert.")
    freshness_window_days: int = Field(45, ge=0, description="Age from which a snapshot is old.")
    count_check_enabled: bool = Field(default=True, description="Count rows against the source table.")
    compare_source_type: CompareSource = Field(CompareSource.EXT, description="Which table is the source.")
    compare_database: str | None = Field(None, description="Its database; null means the monitored one.")
    count_tolerance_pct: float = Field(0.0, ge=0, description="Difference that is no alert, percent.")
    file_size_check: bool = Field(default=False, description="Judge file sizes.")
    file_size_min_mb: float = Field(64, ge=0, description="Smaller files are an issue, MiB.")
    file_size_max_mb: float = Field(1024, ge=0, description="Larger files are an issue, MiB.")
    file_size_all: bool = Field(default=False, description="Judge all buckets, not only the five lowest.")
    data_bucket: str | None = Field(None, description="Bucket of the raw input; null checks none.")
    clear_key_samples: bool = Field(
        default=False, description="Show failing keys in clear text; else as digests."
    )
    skew_factor: float = Field(
        4.0, gt=1, description="A bucket with so many times the median rows is skewed."
    )
    skew_floor_rows: int = Field(10_000, ge=0, description="Smaller buckets are never skewed.")
    volume_runs: int = Field(7, ge=1, description="Earlier runs needed before row counts are compared.")
    volume_change_pct: float = Field(50.0, gt=0, description="Change of a row count that is an anomaly.")
    volume_floor_rows: int = Field(10_000, ge=0, description="Smaller changes are no anomaly.")
    spark_remote: str | None = Field(
        None, description="Spark Connect address, sc://host:15002; null starts Spark by spark_master."
    )
    spark_master: str = Field("local[*]", description="Master of a Spark started here.")
    tables: Annotated[list[DeclaredTable], BeforeValidator(_listed)] = Field(
        default_factory=list, description="Tables declared by hand."
    )
    tables_file: Path | None = Field(
        None, description="What discover saves; null means monitored_tables.json in home."
    )


class SinkSettings(Section):
    """One place that alerts are sent to: ``[alerts.sinks.<name>]``."""

    url: SecretStr = Field(description="sns:<topic arn>, or any Apprise URL: Slack, mail, Teams, a webhook.")
    min_severity: AlertLevel = Field("medium", description="Lesser alerts are not sent here.")
    domains: Names = Field(default_factory=list, description="Names or patterns; empty means everything.")


class AlertSettings(Section):
    """When and where alerts are sent."""

    sinks: Annotated[dict[str, SinkSettings], BeforeValidator(_object)] = Field(
        default_factory=dict, description="By name; as one environment variable, a JSON object."
    )
    remind_after_hours: float = Field(
        20.0,
        gt=0,
        description="An alert that still stands, and nobody acknowledged, is sent again after this.",
    )
    timeout_seconds: float = Field(20.0, gt=0, description="For one delivery.")


class DagsterSettings(Section):
    """Dagster's own storage and limits."""

    postgres_url: SecretStr | None = Field(
        None, description="Run and event storage; null means SQLite in home."
    )
    max_concurrent_runs: int = Field(2, ge=1)


class Settings(BaseSettings):
    """All settings. ``home`` and ``root`` say where everything is kept."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
        env_ignore_empty=True,  # METAPLAT_ROOT= says nothing, as in a compose file with an unset variable
        enable_decoding=False,  # lists are read by their own types, so that an error names the key
    )

    home: Path = Field(Path(".metaplat"), description="Folder of all embedded stores.")
    root: str | None = Field(
        None, description="s3://bucket/prefix moves landing, lake, quarantine and reports there."
    )
    s3: S3Settings = S3Settings()
    hot: HotSettings = HotSettings()
    ingest: IngestSettings = IngestSettings()
    sensor: SensorSettings = SensorSettings()
    privacy: PrivacySettings = PrivacySettings()
    kubernetes: KubernetesSettings = KubernetesSettings()
    dagster: DagsterSettings = DagsterSettings()
    monitor: MonitorSettings = MonitorSettings()
    alerts: AlertSettings = AlertSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment before file (which comes as init arguments) before defaults."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


def load_settings(config: Path | None = None) -> Settings:
    """Read the settings.

    Parameters
    ----------
    config : Path or None
        The settings file; None looks for it as the header says.

    Raises
    ------
    SettingsError
        The file is missing or not TOML, a key is unknown, or a value is of the wrong type.
    """
    path = config or _configured_path()
    values = _read_toml(path) if path else {}
    _refuse_unknown_variables()
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise _settings_error(error, path) from None  # the original repeats values, secrets among them
    if settings.root is not None and not re.fullmatch(r"s3://[\w.-]+(/[^?#]*)?", settings.root, re.ASCII):
        problem = f"{shown_address(settings.root)!r} is not an address s3://bucket/prefix"
        raise SettingsError("root", problem, "Correct or remove it.")
    return settings.model_copy(update={"home": settings.home.expanduser().absolute()})


def _configured_path() -> Path | None:
    if named := os.environ.get(CONFIG_VARIABLE):
        return Path(named)
    return DEFAULT_FILE if DEFAULT_FILE.is_file() else None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(str(path), f"cannot be read ({error.strerror})", "Check --config.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), f"is not TOML: {error}", "Correct the file.") from error


def _known_keys() -> dict[str, str]:
    """Every settings key, dotted, by the environment variable that overrides it."""
    known = {CONFIG_VARIABLE: "config"}
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            known |= {f"{PREFIX}{name}__{key}".upper(): f"{name}.{key}" for key in kind.model_fields}
        else:
            known[f"{PREFIX}{name}".upper()] = name
    return known


def _refuse_unknown_variables() -> None:
    known = _known_keys()
    for variable in os.environ:
        name = variable.upper()
        lawful = name in known or SERVICE_VARIABLE.fullmatch(name) or SINK_VARIABLE.fullmatch(name)
        if name.startswith(PREFIX) and not lawful:
            raise SettingsError(variable, "no such setting", _nearest(name, _sink_keys(name) or known))


def _settings_error(error: ValidationError, path: Path | None) -> SettingsError:
    """Say which key is wrong, and where it was set; never the value, which may be secret."""
    first = error.errors(include_input=False, include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    where = _where_set([str(part) for part in first["loc"]], path)
    if first["type"] == "extra_forbidden":
        keys = _known_keys().values()
        same_level = keys if "." in key else {known.partition(".")[0] for known in keys}
        return SettingsError(
            key, "no such setting", f"{_nearest(key, _sink_keys(key) or same_level)} ({where})"
        )
    problem = first["msg"].removeprefix("Value error, ")
    if first["type"] == "model_type":
        problem = "is a section with keys of its own, not a value"
    return SettingsError(key, problem, f"Correct it in {where}.")


def _where_set(parts: list[str], path: Path | None) -> str:
    """Say where a key was set: in the variable of the key itself or of what it lies in, else in the file."""
    for length in range(len(parts), 0, -1):
        variable = PREFIX + "__".join(parts[:length]).upper()
        for name in os.environ:
            if name.upper() == variable:
                return f"environment variable {name}"
    return f"file {path}" if path else "the environment"


def _sink_keys(key: str) -> list[str]:
    """Return the keys of the sink that an unknown key was meant for; none where it was meant for no sink."""
    sink, _, _ = key.rpartition(".")
    if sink.startswith("alerts.sinks."):
        return [f"{sink}.{name}" for name in SinkSettings.model_fields]
    sink, _, _ = key.rpartition("__")
    if sink.startswith(f"{PREFIX}ALERTS__SINKS__"):
        return [f"{sink}__{name.upper()}" for name in SinkSettings.model_fields]
    return []


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.4)
    return f"Did you mean {near[0]}?" if near else "See docs/settings.md for all keys."
