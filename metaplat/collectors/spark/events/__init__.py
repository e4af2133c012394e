"""What the lines of an event log say, counted in one pass.

Here: finding the events in the bytes (``lines``), their shapes (``shapes``), what is kept of them
(``state``, ``stage_tasks``, ``task_marks``, ``samples``), and the attempt that comes out
(``summary``, ``memory_sizes``); ``replay`` ties them together and is what others use.
Not here: where logs are and how they are packed (``log_files``), what is concluded (``conclusions``).

This package needs msgspec and numpy at once; it is imported only when a log is read.
"""
