"""The table monitor in Dagster: one asset, its checks and one sensor a monitored table."""
