"""Files get into the catalog: found by listing, read by header, kept in the index.

Here: listing places (``listing``, ``local_place``, ``s3_place``), what is to be done with a file
(``standing``), reading files in processes (``reading_files``, ``extracting``), from readings to the index
(``cataloging``), and the three ways in: everything at once (``bulk``), as it arrives (``watching``,
``watch_loop``, ``wake``), and the nightly comparison (``reconciling``).
Not here: formats (``collectors.headers``), the index (``stores.catalog``), Dagster, the command line.
"""
