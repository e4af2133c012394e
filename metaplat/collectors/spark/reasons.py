"""Why something failed, in one line of what Spark says over many.

Here: the line that tells most.
Not here: hiding secrets in it (``ingest``), causes (``conclusions.findings``).
"""

from __future__ import annotations

LONGEST_REASON = 1000
"""Characters kept of a reason."""
TRACEBACK = "Traceback (most recent call last):"


def reason_line(text: str | None) -> str | None:
    """Return the first line of a reason, and with it the error at the end of a Python traceback.

    Parameters
    ----------
    text : str or None
        A failure reason as Spark logs it: of PySpark the first line ends where the traceback begins.

    Returns
    -------
    str or None
        At most ``LONGEST_REASON`` characters; None where there is none, and "" where it is empty.
    """
    if text is None:
        return None
    line = text.split("\n", 1)[0]
    _, found, frames = text.rpartition(TRACEBACK)
    if found:
        raised = next((each for each in frames.split("\n") if each.strip() and not each[0].isspace()), "")
        before = line.partition(TRACEBACK)[0].rstrip(" :")
        line = ": ".join(filter(None, (before, raised.strip()))) if raised else line
    return line[:LONGEST_REASON]
