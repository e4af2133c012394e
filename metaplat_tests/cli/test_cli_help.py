"""Every command explains itself, and what its help says is true."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from metaplat_tests.cli.commands import COMMANDS

if TYPE_CHECKING:
    from metaplat_tests.cli.conftest import Invoke

EVERY = pytest.mark.parametrize("name", sorted(COMMANDS))


def options_of(name: str) -> set[str]:
    return {option for parameter in COMMANDS[name].params for option in parameter.opts}


def example_of(name: str) -> list[str]:
    _, _, text = COMMANDS[name].help.partition("Example:")
    return shlex.split(" ".join(text.split()))


def test_the_commands_are_those_of_the_architecture() -> None:
    expected = {"demo", "dev", "domains", "collect", "land", "materialize", "check", "report", "query"}
    expected |= {f"monitor {name}" for name in ("run", "discover", "repair", "report", "history")}
    expected |= {f"alerts {name}" for name in ("list", "ack", "send")}
    expected |= {f"spark {name}" for name in ("show", "compare", "report")}
    catalog = "ingest watch search show graph relate facets preflight export reconcile"
    expected |= {f"catalog {name}" for name in catalog.split()}
    expected |= {f"vip {name}" for name in ("pull", "status", "verify", "repair", "history", "charts")}
    assert expected == set(COMMANDS)


@EVERY
def test_help_has_a_sentence_an_example_and_words_for_every_parameter(metaplat: Invoke, name: str) -> None:
    answer = metaplat(*name.split(), "--help")
    assert answer.code == 0
    assert f"Usage: metaplat {name}" in answer.out
    assert "Example: metaplat" in answer.out
    for parameter in COMMANDS[name].params:
        assert parameter.help, f"{name} {parameter.name}"


@EVERY
def test_every_command_prints_json_for_machines(name: str) -> None:
    assert "--json" in options_of(name)


@EVERY
def test_the_example_is_a_command_line_that_is_understood(name: str) -> None:
    program, *words = example_of(name)
    length = len(name.split())
    assert (program, " ".join(words[:length])) == ("metaplat", name)
    arguments = words[length:]
    context = COMMANDS[name].make_context(name, arguments)
    assert context.info_name == name


@EVERY
def test_the_options_a_help_text_names_exist(name: str) -> None:
    named = set(re.findall(r"(?<!\S)(--[a-z-]+)", COMMANDS[name].help))
    everywhere = {option for each in COMMANDS for option in options_of(each)}
    assert named <= everywhere


@EVERY
def test_the_first_line_of_help_fits_the_list_of_commands(name: str) -> None:
    first = COMMANDS[name].help.strip().splitlines()[0]
    assert len(first) <= 110
    assert first.endswith((".", ":", ","))


def test_without_a_command_the_list_of_commands_is_shown(metaplat: Invoke) -> None:
    answer = metaplat()
    for name in COMMANDS:
        assert name.split()[0] in answer.out + answer.err
