"""A flat row of JSON values becomes a typed row, or a list of what is wrong with it.

Here: types, limits and choices of the declared fields, compiled once into a pydantic-core validator.
Not here: rules between columns (``MetadataDomain.problems``), rules about whole partitions (``rules``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic_core import SchemaValidator, ValidationError, core_schema

from metaplat.ingest.decode import json_type
from metaplat.model.domain import Row
from metaplat.model.errors import InvalidInputError
from metaplat.model.field import DType, Field, ListOf, MapOf, Struct

if TYPE_CHECKING:
    from pydantic_core import CoreSchema, ErrorDetails

INT64_MAX = 2**63 - 1
MAX_PROBLEMS = 20
"""Problems of one record that its message tells."""
EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "an array",
    "dict_type": "an object",
}
"""What was expected, by pydantic's error type, in the words of ``json_type``."""

Validate = Callable[[Row], Row]


def build_validator(fields: Sequence[Field]) -> Validate:
    """Make the function that types a flat row.

    Parameters
    ----------
    fields : sequence of Field
        The declared fields, all of them.

    Returns
    -------
    callable
        Row of JSON values with every column -> row of typed values: aware UTC datetimes, finite floats,
        whole numbers (``12.0`` becomes 12). It raises InvalidInputError listing all problems.
    """
    validator = SchemaValidator(_members(fields))

    def validate(row: Row) -> Row:
        try:
            return validator.validate_python(row)  # type: ignore[no-any-return]
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False)
        if mended := _whole_numbers(row, problems):
            return validate(mended)
        listed = "; ".join(_in_words(problems[:MAX_PROBLEMS]))
        more = f"; and {len(problems) - MAX_PROBLEMS} more" if len(problems) > MAX_PROBLEMS else ""
        raise InvalidInputError(listed + more)

    return validate


def to_utc(value: object) -> datetime:
    """Read an ISO 8601 time with a zone; nanoseconds are cut to microseconds. Raises ValueError."""
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("expected a time such as 2025-11-29T02:00:00Z") from None
    else:
        raise ValueError(f"expected a time such as 2025-11-29T02:00:00Z, got {json_type(value)}")  # noqa: TRY004
    if moment.tzinfo is None:
        raise ValueError("the time has no zone; write it in UTC, such as 2025-11-29T02:00:00Z")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the time lies outside of the calendar") from None


def _members(fields: Sequence[Field]) -> CoreSchema:
    members = {field.name: core_schema.typed_dict_field(_field_schema(field)) for field in fields}
    return core_schema.typed_dict_schema(members, extra_behavior="forbid")


def _field_schema(field: Field) -> CoreSchema:
    schema = _type_schema(field.dtype, field)
    return core_schema.nullable_schema(schema) if field.nullable else schema


def _type_schema(dtype: DType, field: Field | None) -> CoreSchema:
    low, high = (field.minimum, field.maximum) if field else (None, None)
    if isinstance(dtype, Struct):
        return _members(dtype.fields)
    if isinstance(dtype, ListOf):
        return core_schema.list_schema(_type_schema(dtype.item, None), strict=True)
    if isinstance(dtype, MapOf):
        return core_schema.dict_schema(core_schema.str_schema(), core_schema.str_schema(), strict=True)
    if dtype is datetime:
        return core_schema.no_info_plain_validator_function(to_utc)
    if dtype is float:
        return core_schema.float_schema(strict=True, allow_inf_nan=False, ge=low, le=high)
    if dtype is int:
        least = -INT64_MAX if low is None else int(low)
        return core_schema.int_schema(strict=True, ge=least, le=INT64_MAX if high is None else int(high))
    if dtype is bool:
        return core_schema.bool_schema(strict=True)
    if field and field.choices:
        return core_schema.literal_schema(list(field.choices))
    return core_schema.str_schema(strict=True, min_length=1 if field and field.key else None)


def _whole_numbers(row: Row, problems: Sequence[ErrorDetails]) -> Row | None:
    """Return the row with ``12.0`` as 12 where a whole number is declared: many writers know floats only."""
    mended: Row | None = None
    for problem in problems:
        value = problem["input"]
        if problem["type"] == "int_type" and isinstance(value, float) and value.is_integer():
            mended = _with(row if mended is None else mended, problem["loc"], int(value))
    return mended


def _with(holder: Any, place: Sequence[int | str], value: object) -> Any:  # a row, struct or list in it
    """Return a copy of ``holder`` with ``value`` at ``place``: the landed record itself is never changed."""
    if not place:
        return value
    copy = holder.copy()
    copy[place[0]] = _with(holder[place[0]], place[1:], value)
    return copy


def _in_words(problems: Sequence[ErrorDetails]) -> Iterator[str]:
    """One sentence per problem; values are not repeated, they may be personal."""
    for problem in problems:
        place = ".".join(str(part) for part in problem["loc"])
        value: Any = problem["input"]
        text = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        if value is None or problem["type"] == "missing":
            yield f"{place}: is required"
        elif problem["type"] in EXPECTED:
            yield f"{place}: expected {EXPECTED[problem['type']]}, got {json_type(value)}"
        elif problem["type"] == "string_too_short":
            yield f"{place}: must not be empty"
        elif problem["type"] == "string_unicode":
            yield f"{place}: expected text of valid Unicode"
        elif problem["type"] == "value_error":
            yield f"{place}: {text}"
        elif problem["type"] == "literal_error":  # an enumeration is never personal
            found = repr(value[:40]) if isinstance(value, str) else json_type(value)
            yield f"{place}: expected {text}, got {found}"
        else:
            yield f"{place}: expected {text}"
