"""The tables of the stand-in vendor: names, fields, the schema file and a script.

Here: what both the server and the history tree deliver.
Not here: how much of it (``listing``, ``history_tree``).
"""

from __future__ import annotations

import json
import random
from typing import Any

TABLE_NAMES = (
    "Voyages", "VoyageItineraries", "VoyageLegs", "Vessels", "VesselPositions", "Ports",
    "PortCalls", "Cargoes", "CargoBookings", "Berths", "Bunkers", "BunkerPurchases",
    "Counterparties", "Contracts", "Claims", "Commissions", "Currencies", "ExchangeRates",
    "FreightInvoices", "FreightInvoiceDetails", "Estimates", "EstimateDetails", "Laytimes",
    "NoonReports", "OffHires", "Operations", "Payments", "TimeCharters", "Transactions", "Users",
)  # fmt: skip
FIELD_NAMES = (
    "Amount", "Code", "Comments", "Company", "Country", "CreatedBy", "CurrencyCode", "EndDate", "Latitude",
    "Longitude", "Number", "Quantity", "Rate", "Reference", "Sequence", "StartDate", "Status", "Type", "Unit",
)  # fmt: skip
TYPES = ("nvarchar(50)", "int", "float", "datetime", "bit")
SCHEMA_FILE = "_MasterTableSchema.json"
SCRIPT_FILE = "CreateTables.sql"

Schema = list[dict[str, Any]]
"""As in the schema file: one object a table, with ``DataObjectName`` and ``Fields``."""


def schema(tables: tuple[str, ...]) -> Schema:
    """Return the schema of ``tables``: always the same for a table of one name."""
    return [{"DataObjectName": name, "Fields": _fields(name)} for name in tables]


def schema_bytes(content: Schema) -> bytes:
    """Return it as the schema file."""
    return json.dumps(content, indent=1).encode()


def script_bytes(content: Schema) -> bytes:
    """Return the script that makes the tables."""
    return "".join(map(_statement, content)).encode()


def _fields(table: str) -> list[dict[str, Any]]:
    rng = random.Random(table)
    names = rng.sample(FIELD_NAMES, rng.randint(4, 12))
    fields = [{"Name": name, "Type": rng.choice(TYPES), "Nullable": rng.random() < 0.6} for name in names]
    key = {"Name": f"{table}ID", "Type": "bigint", "Nullable": False}
    return [key, *fields, {"Name": "LastUpdateGMT", "Type": "datetime", "Nullable": False}]


def _statement(table: dict[str, Any]) -> str:
    columns = ",\n".join(
        f"  [{each['Name']}] {each['Type']}{'' if each['Nullable'] else ' not null'}"
        for each in table["Fields"]
    )
    return f"create table [{table['DataObjectName']}] (\n{columns}\n);\n"
