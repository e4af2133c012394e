"""Alerts: what to tell, to whom, and when; the same for every domain and every monitored table.

Here: the alerts that stand, where they were sent, and the sinks.
Not here: judging (``rules``), the texts of a capability's own alerts (``reports.tables``).
"""
