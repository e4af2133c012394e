"""Reports of the table monitor: JSON, CSV, HTML, and the texts of its alerts."""
