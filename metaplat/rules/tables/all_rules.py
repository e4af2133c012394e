"""Every rule about monitored tables.

Here: the list, in the order that reports show it. Not here: any rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.rules.tables.bucket_skew import BUCKET_SKEW
from metaplat.rules.tables.data_freshness import DATA_FRESHNESS
from metaplat.rules.tables.file_schema import FILE_SCHEMA
from metaplat.rules.tables.file_size import FILE_SIZE
from metaplat.rules.tables.glue_partition import GLUE_PARTITION
from metaplat.rules.tables.key_completeness import KEY_COMPLETENESS
from metaplat.rules.tables.key_placement import KEY_PLACEMENT
from metaplat.rules.tables.key_uniqueness import KEY_UNIQUENESS
from metaplat.rules.tables.parquet_file import PARQUET_FILE
from metaplat.rules.tables.partition_projection import PARTITION_PROJECTION
from metaplat.rules.tables.partition_schema import PARTITION_SCHEMA
from metaplat.rules.tables.raw_input import RAW_INPUT
from metaplat.rules.tables.repair import REPAIR
from metaplat.rules.tables.row_count_match import ROW_COUNT_MATCH
from metaplat.rules.tables.s3_partition import S3_PARTITION
from metaplat.rules.tables.table_contract import TABLE_CONTRACT
from metaplat.rules.tables.table_format import TABLE_FORMAT
from metaplat.rules.tables.unexpected_partition import UNEXPECTED_PARTITION
from metaplat.rules.tables.volume import VOLUME

if TYPE_CHECKING:
    from metaplat.model.table_rule import TableRule

ALL_RULES: tuple[TableRule, ...] = (
    S3_PARTITION,
    UNEXPECTED_PARTITION,
    GLUE_PARTITION,
    PARTITION_PROJECTION,
    REPAIR,
    PARTITION_SCHEMA,
    TABLE_FORMAT,
    TABLE_CONTRACT,
    DATA_FRESHNESS,
    RAW_INPUT,
    PARQUET_FILE,
    FILE_SCHEMA,
    ROW_COUNT_MATCH,
    KEY_COMPLETENESS,
    KEY_UNIQUENESS,
    KEY_PLACEMENT,
    BUCKET_SKEW,
    VOLUME,
    FILE_SIZE,
)
"""Layout, Glue, files, rows, keys, then what changes in time."""
