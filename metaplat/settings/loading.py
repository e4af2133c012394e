"""Typed settings from one file and the environment, and nothing read at import.

Here: where the file is looked for, what overrides what, clear errors.
Not here: the keys of each section (``sections``), opening stores (``stores.home``).
The file is ``--config``, else ``METAPLAT_CONFIG``, else ``./metaplat.toml`` if present. Each key is
overridden by ``METAPLAT_<SECTION>__<KEY>``; the top-level keys by ``METAPLAT_HOME`` and ``METAPLAT_ROOT``.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from metaplat.model.errors import SettingsError, shown_address
from metaplat.settings.sections import (
    AlertSettings,
    CatalogSettings,
    DagsterSettings,
    HotSettings,
    IngestSettings,
    KubernetesSettings,
    MonitorSettings,
    PrivacySettings,
    S3Settings,
    Section,
    SensorSettings,
    SinkSettings,
    SparkSettings,
)
from metaplat.settings.vip import VipSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

PREFIX = "METAPLAT_"
CONFIG_VARIABLE = "METAPLAT_CONFIG"
SERVICE_VARIABLE = re.compile(r"METAPLAT_((?!.*__)\w+_)?(SERVICE_HOST|SERVICE_PORT\w*|PORT(_\d+_[A-Z]+\w*)?)")
"""What Kubernetes puts into every pod beside a Service called metaplat: not meant as settings."""
SINK_VARIABLE = re.compile(r"METAPLAT_ALERTS__SINKS__\w+?__(URL|MIN_SEVERITY|DOMAINS)")
"""A key of one sink; what lies between is its name in lower case."""
DEFAULT_FILE = Path("metaplat.toml")


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
    spark: SparkSettings = SparkSettings()
    catalog: CatalogSettings = CatalogSettings()
    vip: VipSettings = VipSettings()
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
