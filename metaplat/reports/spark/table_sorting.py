"""The one script of the Spark pages: a click on a heading sorts a table.

Here: its text, and the policy by which a browser runs it and nothing else.
Not here: the tables (``tables``, templates); without the script they are as they were written.
"""

from __future__ import annotations

import base64
import hashlib

SCRIPT = """
for (const table of document.querySelectorAll("table.sortable")) {
  table.tHead.addEventListener("click", (event) => {
    const head = event.target.closest("th[aria-sort]");
    if (!head) return;
    const turn = head.getAttribute("aria-sort") === "descending" ? 1 : -1;
    const value = (row) => row.cells[head.cellIndex].dataset.v ?? "";
    const order = (one, other) => {
      const [a, b] = [value(one), value(other)];
      if (a === "" || b === "") return (a === "") - (b === "");
      return turn * (isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b);
    };
    for (const each of head.parentElement.cells) {
      if (each.hasAttribute("aria-sort")) each.setAttribute("aria-sort", "none");
    }
    head.setAttribute("aria-sort", turn > 0 ? "ascending" : "descending");
    table.tBodies[0].append(...[...table.tBodies[0].rows].sort(order));
  });
}
"""

_DIGEST = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; script-src 'sha256-{_DIGEST}'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
"""Nothing is loaded; the script runs only as it is written here."""
