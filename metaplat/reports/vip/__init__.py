"""The ten charts of the vendor's lake: one page that works offline, and each as PNG and CSV.

Here: series, specifications, the page.
Not here: the histories they draw (``vip.history``), what is an anomaly (``rules.vip``).
"""
