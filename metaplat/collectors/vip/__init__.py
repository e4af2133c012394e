"""The vendor's lake as an outside system: its API, and the hosts of its files.

Here: credentials, the four calls (token, export, status, list of files), what is safe to fetch, and one file
as a stream that is resumed and verified.
Not here: which extract is pulled and what becomes of it (``vip.pulling``), where files go
(``stores.deliveries``).
"""
