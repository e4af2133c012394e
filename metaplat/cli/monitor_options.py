"""The parameters of the table monitor as options, derived from section ``[monitor]``.

Here: one option per settings key, in both spellings (``--bucket-count`` and ``--bucket_count``), each with a
value, booleans too: those who start the monitor with the arguments of a Glue job need not change a letter.
Not here: what the parameters mean (``metaplat.settings``), the commands (``monitor``).
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from metaplat.model.errors import UsageError
from metaplat.settings import MonitorSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic.fields import FieldInfo

NOT_OPTIONS = {"tables"}
BOOLEANS = {"true": True, "false": False}


def monitor_parameters(command: Callable[..., None]) -> Callable[..., None]:
    """Give ``command`` an option per key of ``[monitor]``; ``given`` receives those used, as texts."""
    own = inspect.signature(command)
    names = [name for name in MonitorSettings.model_fields if name not in NOT_OPTIONS]

    @functools.wraps(command)
    def with_parameters(**arguments: Any) -> None:
        given = {name: arguments.pop(name) for name in names}
        command(**arguments, given={name: text for name, text in given.items() if text is not None})

    options = [_option(name, MonitorSettings.model_fields[name]) for name in names]
    kept = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in inspect.signature(command, eval_str=True).parameters.values()
        if parameter.name != "given"
    ]
    signature = own.replace(parameters=[*options, *kept], return_annotation=None)
    with_parameters.__signature__ = signature  # type: ignore[attr-defined]  # what typer reads
    with_parameters.__annotations__ = {each.name: each.annotation for each in signature.parameters.values()}
    del with_parameters.__wrapped__  # else typer would read the command's own
    return with_parameters


def with_given(settings: MonitorSettings, given: dict[str, str]) -> MonitorSettings:
    """Return the settings with the given options over them.

    Raises
    ------
    UsageError
        A value is not of the option's type.
    """
    values = {name: _value(name, text) for name, text in given.items()}
    try:
        return MonitorSettings.model_validate({**dict(settings), **values})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "monitor"
        raise UsageError(f"--{name.replace('_', '-')}: {first['msg']}") from None


def _value(name: str, text: str) -> object:
    field = MonitorSettings.model_fields[name]
    if field.annotation is bool:
        if text.strip().lower() not in BOOLEANS:
            raise UsageError(f"--{name.replace('_', '-')}: say true or false, not {text!r}")
        return BOOLEANS[text.strip().lower()]
    return None if text == "" and field.default is None else text


def _option(name: str, field: FieldInfo) -> inspect.Parameter:
    dashed = f"--{name.replace('_', '-')}"
    spellings = list(dict.fromkeys([dashed, f"--{name}"]))
    default = "" if field.default is None else f" [default: {_shown(field.default)}]"
    text = (field.description or f"{name.replace('_', ' ').capitalize()}.") + default
    annotation = Annotated[
        str | None, typer.Option(*spellings, help=text, metavar=_metavar(field), show_default=False)
    ]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _shown(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)


def _metavar(field: FieldInfo) -> str:
    kind = field.annotation
    if kind is bool:
        return "true|false"
    if isinstance(kind, type) and hasattr(kind, "__members__"):
        return "|".join(str(member) for member in kind)
    return {int: "N", float: "X"}.get(kind, "TEXT") if isinstance(kind, type) else "TEXT"
