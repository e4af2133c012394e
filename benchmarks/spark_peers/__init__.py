"""Ways to read a big Spark event log, each a script that prints its totals, and the log itself."""
