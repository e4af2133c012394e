"""Every command of the command line by its words, those of sub-commands among them."""

from __future__ import annotations

from typing import Any

import typer

from metaplat.cli.app import app


def commands_below(group: Any, words: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        named = f"{words} {name}".strip()
        found |= commands_below(command, named) if hasattr(command, "commands") else {named: command}
    return found


COMMANDS: dict[str, Any] = commands_below(typer.main.get_group(app))
