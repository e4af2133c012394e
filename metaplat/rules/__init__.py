"""Pure judgements: a frame or an inventory goes in, a verdict comes out.

Here: one module per rule, each stating one expectation (``primary_key``, ``row_count``, ``freshness``);
``samples`` and ``wording`` hold what all verdicts show and say alike.
Not here: reading (``stores``, ``collectors``), the clock (``now`` is part of the evidence), Dagster
(``orchestration``), the wording of alerts (``reports``).
To add a rule, write one factory that returns a ``Rule`` and name it in a domain; check and report follow.
"""
