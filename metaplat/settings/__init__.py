"""Typed settings from one file and the environment, and nothing read at import.

Here: every key (``sections``), and reading file and environment (``loading``).
Not here: opening what they name (``stores.home``).
"""

from metaplat.settings.loading import CONFIG_VARIABLE, DEFAULT_FILE, PREFIX, Settings, load_settings
from metaplat.settings.sections import (
    AlertLevel,
    AlertSettings,
    CatalogSettings,
    DagsterSettings,
    DeclaredTable,
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

__all__ = [
    "CONFIG_VARIABLE",
    "DEFAULT_FILE",
    "PREFIX",
    "AlertLevel",
    "AlertSettings",
    "CatalogSettings",
    "DagsterSettings",
    "DeclaredTable",
    "HotSettings",
    "IngestSettings",
    "KubernetesSettings",
    "MonitorSettings",
    "PrivacySettings",
    "S3Settings",
    "Section",
    "SensorSettings",
    "Settings",
    "SinkSettings",
    "SparkSettings",
    "VipSettings",
    "load_settings",
]
