"""The form of the three CSV files of old.

Here: their names, and what their columns mean.
Not here: writing them (``csv_files``), reading them (``csv_rows``, ``csv_import``).

Old columns and rules (one row an hour, ``date`` as ``YYYYMMDD-HH``):

- jobs: ``date, jobDelivered, JobExpected``; delivered is 1 where any file lies in the folder of the hour,
  our manifest apart, so that it is 1 for an incomplete job, too; expected is 1.
- tables: ``date, tablesDelivered, tablesExpected, missingTables, missingTablesList, completenessRatio``; the
  list is the text of a sorted Python list (read it with ``ast.literal_eval``); the ratio has 4 digits, and is
  empty where nothing is expected.
- sizes: ``date, size, files``; the size is in kB of 1000 bytes, cut off; 0 and 0 for a missing hour.

Times of ours are ISO 8601 in UTC, our lists the same texts of Python lists.
"""

from __future__ import annotations

JOBS_FILE = "historical_job_metrics.csv"
TABLES_FILE = "historical_table_metrics.csv"
SIZES_FILE = "historical_job_size.csv"
DATE_FORMAT = "%Y%m%d-%H"
BYTES_PER_KB = 1000
RATIO_DIGITS = 4
