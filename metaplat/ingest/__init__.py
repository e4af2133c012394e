"""Raw objects of the landing zone become validated rows of the lake.

Here: one module per step: decode, redact, flatten, validate, deduplicate, quarantine, receipt; ``partition``
puts them in order; ``landing`` puts raw objects into the zone.
Not here: reading outside systems (``collectors``), judging what was ingested (``rules``), Dagster.
Every step is a function of the landing objects: the same objects always give the same rows and bytes.
"""
