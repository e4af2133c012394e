"""The vendor's lake: pulling an extract every hour, and the history of what was delivered.

Here: the way of one extract from the export call to verified files (``pulling``), and the history of all
hours from what lies in the bucket (``history``).
Not here: the API (``collectors.vip``), judging (``rules.vip``), charts (``reports.vip``), Dagster, commands.
"""
