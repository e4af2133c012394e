"""One extract, from the export call to verified files.

Here: what is remembered of it, the way through its steps, transfer, verification and repair.
Not here: the calls themselves (``collectors.vip``), landing what came of it (``orchestration``).
"""
