"""The history of all hours, from what lies in the folders of delivered files.

Here: listing hours, reading promises and schemas, the rows of the three histories, their old CSV form.
Not here: pulling (``pulling``), the formula of the volume band and all judging (``rules.vip``), charts.
"""
