"""One script a way to count the keys of a bucketed table; each runs in a process of its own.

Here: peers, ours, and the table they all read. A peer needs nothing of metaplat, and lives in an environment
of its own. Not here: running them and comparing what they cost (``benchmarks.tables``).
"""
