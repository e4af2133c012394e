"""The small domains as a code location, for servers that load one from a file."""

from metaplat.orchestration.build import build_definitions
from metaplat_tests.orchestration.small_domains import COUNTS, SHARDS

defs = build_definitions(domains=[COUNTS, SHARDS])
