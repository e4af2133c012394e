"""What is told to people: verdicts and their history, as JSON, CSV and a page.

Here: the log of the latest verdicts (``verdict_log``), the asset-check report (``check_report``) and its
forms (``export``, ``html_page``), wording (``wording``) and drawing (``strips``, ``sparklines``).
Not here: judging (``rules``), printing to a terminal (``cli``), Dagster metadata (``orchestration``).
To add a form of the report, write one function from ``CheckReport`` to text or bytes.
"""
