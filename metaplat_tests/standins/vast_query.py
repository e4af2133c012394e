"""What the VAST SDK sends for a query, read back from its bytes and carried out with Arrow.

Here: the flatbuffer of a ``QueryData`` request as columns and a mask of rows, and the framed answer.
Not here: tables and transactions (``vast_server``).

The predicate that decides is therefore not the one that our code meant, but the one that the real SDK
compiled and would send: what it cannot say, it has refused before.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from vastdb._internal import TABULAR_INVALID_ROW_ID, TABULAR_QUERY_DATA_COMPLETED_STREAM_ID
from vastdb.vast_flatbuf.org.apache.arrow.computeir.flatbuf import (
    BooleanLiteral,
    Call,
    FieldIndex,
    FieldRef,
    Float64Literal,
    Int64Literal,
    Literal,
    Relation,
    Source,
    StringLiteral,
    TimestampLiteral,
)
from vastdb.vast_flatbuf.org.apache.arrow.computeir.flatbuf.ExpressionImpl import ExpressionImpl
from vastdb.vast_flatbuf.org.apache.arrow.computeir.flatbuf.LiteralImpl import LiteralImpl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LITERALS = {
    LiteralImpl.BooleanLiteral: BooleanLiteral.BooleanLiteral,
    LiteralImpl.Int64Literal: Int64Literal.Int64Literal,
    LiteralImpl.Float64Literal: Float64Literal.Float64Literal,
    LiteralImpl.StringLiteral: StringLiteral.StringLiteral,
    LiteralImpl.TimestampLiteral: TimestampLiteral.TimestampLiteral,
}
COMPARISONS = {
    "equal": pc.equal,
    "not_equal": pc.not_equal,
    "less": pc.less,
    "less_equal": pc.less_equal,
    "greater": pc.greater,
    "greater_equal": pc.greater_equal,
}
END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"


class VastQuery:
    """A query as it arrived: the columns it asks for, in its order, and its condition."""

    def __init__(self, request: bytes) -> None:
        self._source = _table_of(Relation.Relation.GetRootAs(request).Impl(), Source.Source)
        schema = self._source.Schema()
        self._names = [schema.Fields(number).Name().decode() for number in range(schema.FieldsLength())]
        self.columns = [
            self._names[self._source.Projection(number).Position()]
            for number in range(self._source.ProjectionLength())
        ]

    def answer(self, rows: pa.Table) -> pa.Table:
        """Return the columns of the rows for which the condition is true."""
        mask = self._told(self._source.Filter(), rows)
        return rows.filter(pa.chunked_array([mask]) if isinstance(mask, pa.Array) else mask).select(
            self.columns
        )

    def _told(self, expression: Any, rows: pa.Table) -> pa.ChunkedArray:
        call = _table_of(expression.Impl(), Call.Call)
        name = call.Name().decode()
        args = [call.Arguments(number) for number in range(call.ArgumentsLength())]
        if name == "or" and len(args) > 1 and (listed := self._listed(args, rows)) is not None:
            return listed
        if name in {"and", "or"}:
            result = pa.array([name == "and"] * rows.num_rows, pa.bool_())
            for arg in args:
                joined = pc.and_kleene if name == "and" else pc.or_kleene
                result = joined(result, self._told(arg, rows))
            return result
        column = self._column(args[0], rows)
        if name in {"is_null", "is_valid"}:
            return pc.is_null(column) if name == "is_null" else pc.is_valid(column)
        if name == "match_substring":
            return pc.match_substring(column, pattern=_literal(args[1]))
        return COMPARISONS[name](column, pa.scalar(_literal(args[1]), column.type))

    def _listed(self, args: Sequence[Any], rows: pa.Table) -> pa.ChunkedArray | None:
        """Decide a list of values at once, where the alternatives are nothing else (it may be long)."""
        calls = [_table_of(arg.Impl(), Call.Call) for arg in args]
        if any(call.Name() != b"equal" for call in calls):
            return None
        column = self._column(calls[0].Arguments(0), rows)
        values = pa.array([_literal(call.Arguments(1)) for call in calls], column.type)
        return pc.is_in(column, value_set=values)

    def _column(self, expression: Any, rows: pa.Table) -> pa.ChunkedArray:
        """Return a column in the form that literals have: text as bytes, times as numbers."""
        reference = _table_of(expression.Impl(), FieldRef.FieldRef).Ref()
        name = self._names[_table_of(reference, FieldIndex.FieldIndex).Position()]
        column = rows[name]
        if pa.types.is_timestamp(column.type):
            return column.cast(pa.int64())
        return column.cast(pa.binary()) if pa.types.is_string(column.type) else column


def _table_of(untyped: Any, kind: Any) -> Any:
    typed = kind()
    typed.Init(untyped.Bytes, untyped.Pos)
    return typed


def _literal(expression: Any) -> Any:
    if expression.ImplType() != ExpressionImpl.Literal:
        raise AssertionError("VAST compares a column with a literal")
    literal = _table_of(expression.Impl(), Literal.Literal)
    return _table_of(literal.Impl(), LITERALS[literal.ImplType()]).Value()


def framed(streams: Sequence[Sequence[pa.Table]]) -> Iterator[bytes]:
    """Yield an answer as VAST frames it: per stream block by block, each column a stream of Arrow.

    Parameters
    ----------
    streams : sequence of sequences of pyarrow.Table
        Blocks by number of the stream; each stream has at least one.
    """
    for number, blocks in enumerate(streams):
        head = struct.pack("<LQ", number, TABULAR_INVALID_ROW_ID)
        for block in blocks:
            for name in block.column_names:
                column = block.select([name])
                yield head + column.schema.serialize().to_pybytes()
                for batch in column.to_batches():
                    yield head + batch.serialize().to_pybytes()
                yield head + END_OF_STREAM
    yield struct.pack("<L", TABULAR_QUERY_DATA_COMPLETED_STREAM_ID)
