"""Ways to count the keys of a table: one module an engine, one protocol (``profiler``).

Here: key figures per bucket. Not here: listing, footers and what is kept between runs (``monitor.profile``).
"""
