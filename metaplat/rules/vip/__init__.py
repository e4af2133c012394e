"""Rules of the vendor's lake, and the two formulas they rest on: volume band and error budget.

Here: judgements of extracts and of their history; frames and figures in, verdicts out.
Not here: making the histories (``vip.history``), charts (``reports.vip``).
"""
