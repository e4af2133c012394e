"""Rules about monitored tables: the facts go in, a verdict comes out.

Here: one module per expectation, and ``all_rules``, the list of them.
Not here: gathering facts (``monitor``), the wording of alerts (``reports.tables``).
"""
