"""Alerts: what to tell, to whom, and when; the same for every domain and every monitored table.

Here: the alerts that stand (``standing``), what each sink has been told (``ledger``), what is due (``due``),
the message, the sinks, and ``notify``, which puts them together.
Not here: judging (``rules``), the texts of a capability's own alerts (``reports.tables``), which subjects
there are and the clock (``orchestration``).
"""
