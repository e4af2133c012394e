"""Section ``[vip]``: the vendor's lake, its API, the transfer, its history and how that is judged.

Here: every address, path, field name, word, limit and time-out of it, with the values known so far.
Not here: what they are used for (``collectors.vip``, ``vip``), reading the settings (``loading``).
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, SecretStr

from metaplat.model.extract import ExcusedHours, hour_start
from metaplat.settings.sections import Names, Section, listed

if TYPE_CHECKING:
    from datetime import datetime

CONFIG_NAMES = {"Test": "onDemandExtract1DayTest", "Prod": "onDemandExtract1DayProd"}
Statuses = Annotated[list[int], BeforeValidator(listed)]


class ExcusedSetting(Section):
    """Hours whose loss is known and explained: ``[[vip.excused]]``."""

    first: AwareDatetime = Field(description="First such hour, with its zone: 2022-05-10T13:00:00Z.")
    last: AwareDatetime | None = Field(None, description="Last one, itself included; null means only one.")
    reason: str = Field(min_length=1, description="Why.")

    @property
    def hours(self) -> ExcusedHours:
        """The same as a noun of the model."""
        return ExcusedHours(_hour(self.first), _hour(self.last or self.first), self.reason)


def _hour(moment: datetime) -> datetime:
    return hour_start(moment.astimezone(UTC))


class VipSettings(Section):
    """The vendor's lake: what is pulled every hour, from where to where, and what is expected of it."""

    auth_url: str = Field("https://auth.veslink.com", description="Base address of the token service.")
    api_url: str = Field("https://emea.veslink.com", description="Base address of export and status.")
    files_url: str = Field("https://api.veslink.com", description="Base address of the list of files.")
    token_path: str = Field("/connect/token", description="Below auth_url.")
    export_path: str = Field("/api/datalake/v1/export", description="Below api_url.")
    status_path: str = Field("/api/datalake/v1/CheckJobStatus", description="Below api_url.")
    files_path: str = Field(
        "/v1/datalake/presignedUrls/{company}", description="{company} is replaced by company."
    )
    company: str | None = Field(None, description="Your company, as in the address of the list of files.")
    environment: Literal["Test", "Prod"] = Field("Test", description="Test puts DEV/ before the folders.")
    config_name: str | None = Field(
        None, description="Configuration to export; null: onDemandExtract1DayTest or ...Prod."
    )
    target: str | None = Field(
        None, description="Folder or s3://bucket/prefix of the files; null means root, else home."
    )
    prefix: str = Field("IMOSDL/Hourly/", description="Before YYYYMMDD/HH/ in the target.")
    test_prefix: str = Field("DEV/", description="Before prefix, for Test.")

    client_id: SecretStr | None = Field(None, description="Of the API; null: from secret_id.")
    client_secret: SecretStr | None = Field(None, description="Of the API; null: from secret_id.")
    secret_id: str | None = Field(None, description="Name or ARN of a JSON secret in AWS Secrets Manager.")
    secret_region: str | None = Field(None, description="Its region; null follows the AWS chain.")
    secret_client_id_field: str = Field("Veson_client_id", description="Of the JSON secret: the id.")
    secret_client_secret_field: str = Field("Veson_client_secret", description="Of it: the secret.")
    secret_bucket_field: str = Field("AWS_bucket", description="Of it: the bucket.")
    secret_access_key_field: str = Field("AWS_access_key_id", description="Of it: the AWS key id.")
    secret_secret_key_field: str = Field("AWS_secret_key_id", description="Of it: the AWS secret key.")
    target_from_secret: bool = Field(
        default=False, description="Take the bucket, and AWS keys where it holds any, from the secret."
    )
    credentials_seconds: float = Field(300.0, ge=0, description="The secret is read again after so long.")

    scope: str = Field("datalake", description="Scope of the token.")
    access_token_field: str = Field("access_token", description="In the answer with the token.")
    expires_in_field: str = Field("expires_in", description="In that answer, seconds.")
    token_margin_seconds: float = Field(30.0, ge=0, description="A token is renewed so long before its end.")
    config_name_field: str = Field("configName", description="In the request of an export.")
    job_guid_field: str = Field("JobGuid", description="In its answer.")
    message_field: str = Field("Message", description="Holds the next allowed time where it is too early.")
    status_request_field: str = Field("jobGuid", description="In the request of a status.")
    status_field: str = Field("JobStatus", description="In its answer.")
    api_token: Literal["client_secret", "access_token"] = Field(
        "client_secret", description="What the list of files is asked with."
    )
    api_token_parameter: str = Field("apiToken", description="Of the list of files.")
    environment_parameter: str = Field("environmentType", description="Of the list of files.")
    job_parameter: str = Field("jobGuid", description="Of the list of files.")
    expiration_parameter: str = Field("expirationInMinutes", description="Of the list of files.")
    url_minutes: int = Field(60, ge=1, description="How long the addresses of files are to be valid.")
    file_filter: str = Field("*", description="Parameter fileFilter of the list of files.")
    file_filter_parameter: str = Field("fileFilter", description="Of the list of files.")
    hide_metadata_parameter: str = Field("hideMetaData", description="Of the list of files.")
    hide_metadata: str = Field("False", description="Parameter hideMetaData of the list of files.")
    key_field: str = Field("key", description="Of an entry of the list.")
    url_field: str = Field("presignedDownloadURL", description="Of an entry of the list.")
    size_field: str = Field("size", description="Of an entry of the list, in bytes.")
    checksum_field: str = Field("checksum", description="Of an entry, MD5 or SHA-256 in hex, where given.")
    complete_words: Names = Field(
        default_factory=lambda: ["Complete", "Completed"], description="Of a job that is done; any case."
    )
    failed_words: Names = Field(
        default_factory=lambda: [
            "Failed", "Failure", "Error", "TimedOut", "Timeout", "Cancelled", "Canceled", "Aborted",
        ],
        description="Of a job that ended badly. Any word in neither list means: not ended yet.",
    )  # fmt: skip
    too_early_statuses: Statuses = Field(
        default_factory=lambda: [429, 400, 403],
        description="HTTP statuses of an export that comes too early: 429 always, others by their message.",
    )
    too_early_text: str = Field(
        r"next (job|export|run)|too early|too soon|already|once (per|an|every) hour|can be triggered",
        description="Pattern of such a message, any case; a message with a date and time is one, too.",
    )
    too_early_zone: str = Field("UTC", description="Zone of a time without one in such a message.")
    max_wait_minutes: float = Field(75.0, gt=0, description="A next time further off is not believed.")

    allow_insecure: bool = Field(
        default=False, description="Allow http and ports, on loopback hosts only: for the stand-in server."
    )
    allowed_hosts: Names = Field(
        default_factory=lambda: ["*.amazonaws.com"], description="Hosts that files may come from; patterns."
    )
    proxy: SecretStr | None = Field(None, description="http address of a proxy, for all calls.")
    connect_seconds: float = Field(60.0, gt=0, description="To connect to the API.")
    read_seconds: float = Field(120.0, gt=0, description="Silence of the API before a call is given up.")
    retries: int = Field(5, ge=0, description="Further attempts after a transient failure of the API.")
    backoff_seconds: float = Field(0.5, ge=0, description="First pause; doubles each time, with jitter.")
    max_backoff_seconds: float = Field(60.0, ge=0, description="Longest pause, a Retry-After included.")
    poll_seconds: float = Field(60.0, gt=0, description="Between two questions for status or files.")
    export_apart: bool = Field(
        default=True, description="Ask for the export in a process of its own: a killed pull loses no job."
    )
    deadline_minutes: float = Field(50.0, gt=0, description="For the job and its list of files, in all.")

    parallel_files: int = Field(16, ge=1, le=256, description="Files fetched at once.")
    parallel_per_host: int = Field(8, ge=1, le=256, description="Of those, from one host.")
    part_mb: int = Field(16, ge=5, le=512, description="Parts of an upload, MiB; smaller files go as one.")
    parallel_parts: int = Field(4, ge=1, le=64, description="Parts in flight, all files together.")
    file_connect_seconds: float = Field(10.0, gt=0, description="To connect to a file host.")
    stall_seconds: float = Field(60.0, gt=0, description="Silence of a file host before it is asked again.")
    min_kb_per_second: float = Field(
        1.0, ge=0, description="A file that is slower over stall_seconds is stalled, KiB."
    )
    file_retries: int = Field(8, ge=0, description="Further attempts for one file that made no progress.")
    rounds: int = Field(3, ge=1, description="Times the files that are missing or wrong are asked for.")
    max_files: int = Field(20_000, ge=1, description="Files of one job.")
    max_file_gb: float = Field(50.0, gt=0, description="Largest file, GiB.")
    max_job_gb: float = Field(500.0, gt=0, description="All files of a job, GiB.")
    max_manifest_mb: float = Field(32.0, gt=0, description="Answer with the list of files, MiB.")
    max_answer_kb: float = Field(256.0, gt=0, description="Any other answer of the API, KiB.")
    max_json_depth: int = Field(32, ge=1, description="Nesting of an answer.")
    max_zip_entries: int = Field(10_000, ge=1, description="Entries of a zip file.")
    max_zip_ratio: float = Field(200.0, gt=1, description="Unpacked over packed size of a zip file.")

    schema_file: str = Field("_MasterTableSchema.json", description="The file that lists the tables.")
    schema_patterns: Names = Field(
        default_factory=lambda: ["_*Schema*", "_*.json"], description="Names of schema files."
    )
    script_patterns: Names = Field(
        default_factory=lambda: ["*.sql", "*.py", "*.ps1", "*.sh", "*.bat", "*.txt", "*.md"],
        description="Names of scripts.",
    )
    schema_table_field: str = Field("DataObjectName", description="Name of the table, in the schema file.")
    schema_columns_fields: Names = Field(
        default_factory=lambda: ["Fields", "Columns", "DataFields", "Attributes"],
        description="List of its fields; the first that is there. Without one an entry is one field.",
    )
    schema_name_fields: Names = Field(
        default_factory=lambda: ["Name", "FieldName", "ColumnName", "DataFieldName"],
        description="Name of a field.",
    )
    schema_type_fields: Names = Field(
        default_factory=lambda: ["Type", "DataType", "FieldType", "ColumnType"],
        description="Type of a field.",
    )
    schema_nullable_fields: Names = Field(
        default_factory=lambda: ["Nullable", "IsNullable"], description="Whether a field may be null."
    )
    out_of_scope: Names = Field(default_factory=list, description="Tables that are never expected.")
    reference_tables: Names = Field(
        default_factory=list,
        description="Expected tables; empty: the schema file, else earlier jobs.",
    )
    expected_share: float = Field(0.5, gt=0, le=1, description="Of earlier jobs that must hold a table.")
    expected_jobs: int = Field(168, ge=1, description="Earlier jobs that are looked at.")
    absent_days: float = Field(7.0, gt=0, description="A table that is absent longer is not expected.")
    settle_minutes: float = Field(
        30.0, ge=0, description="An hour enters the history so long after it began."
    )
    relist_hours: int = Field(3, ge=0, description="Newest hours that are listed again for late files.")
    late_minutes: float = Field(60.0, gt=0, description="From the start of the hour; later is late.")
    excused: Annotated[list[ExcusedSetting], BeforeValidator(listed)] = Field(
        default_factory=list, description="Hours whose loss is known and explained."
    )
    classic_table_rows: bool = Field(
        default=False, description="The table history as CSV leaves out hours without a schema file."
    )
    parallel_listings: int = Field(64, ge=1, le=512, description="Folders listed at once.")

    anomaly_k: float = Field(5.0, gt=0, description="Distance from the middle that is an anomaly.")
    level_hours: int = Field(168, ge=1, description="Hours before, for the level.")
    level_minimum: int = Field(48, ge=1, description="Fewer values give no level, and no spread.")
    season_weeks: int = Field(8, ge=1, description="Weeks before, for the same hour of the week.")
    season_minimum: int = Field(3, ge=1, description="Fewer values of that hour: its hour of the day.")
    spread_hours: int = Field(336, ge=1, description="Hours before, for the spread.")
    spread_floor: float = Field(0.02, gt=0, description="Least spread, of the logarithm.")
    warm_up_floor: float = Field(0.5, gt=0, description="Least spread while the season is not known.")
    level_accept_hours: int = Field(
        72, ge=1, description="Anomalies in a row, to one side, after which they are the new level."
    )
    slo_objective: float = Field(0.99, gt=0, lt=1, description="Share of hours that are to be complete.")
    slo_days: int = Field(30, ge=1, le=92, description="Days over which it is.")
    page_bad_hours_6h: int = Field(2, ge=1, description="Bad hours in 6 that are worth a page.")
    page_bad_hours_3d: int = Field(3, ge=1, description="Bad hours in 3 days that are worth a page.")

    @property
    def config(self) -> str:
        """The configuration in use."""
        return self.config_name or CONFIG_NAMES[self.environment]

    @property
    def hour_prefix(self) -> str:
        """What stands before the day in every folder, with a slash at the end."""
        before = self.test_prefix if self.environment == "Test" else ""
        return f"{before.strip('/')}/{self.prefix.strip('/')}/".lstrip("/")

    def folder(self, hour: datetime) -> str:
        """Return the folder of an hour (aware UTC), below the target, with a slash at the end."""
        return f"{self.hour_prefix}{hour:%Y%m%d}/{hour:%H}/"

    @property
    def excuses(self) -> list[ExcusedHours]:
        """The excused hours as nouns of the model."""
        return [each.hours for each in self.excused]
