"""Pages and figures of Spark applications: what an attempt did, side by side, and over the last days.

Here: reading attempts back (``attempts``, ``attempt_reading``), one page an application
(``application_page``), the page of all (``overview_page``), two attempts compared (``comparison``).
Not here: collecting and concluding (``collectors.spark``), judging (``rules.spark``), the terminal (``cli``).
"""
