"""Event logs as bytes: where they lie, which files each has, and what is packed in them.

Here: the log (``log``), the places that hold logs (``place``), which files make up one (``layout``), and
unpacking (``unpack``).
Not here: what the lines mean (``events``), which logs are read at all (``event_logs``).
"""
