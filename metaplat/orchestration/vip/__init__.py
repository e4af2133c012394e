"""The vendor's lake in Dagster: the hourly pull, the three histories, the charts.

Here: the asset that pulls before it ingests, the assets made of delivered files, schedule and sensor.
Not here: pulling, histories (``metaplat.vip``), charts (``reports.vip``), what every domain has.
"""
