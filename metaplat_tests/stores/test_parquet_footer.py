"""Footers of real writers, and of no writer at all."""

from __future__ import annotations

import base64
import datetime as dt
import io
import zlib
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as encryption
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.model.errors import InvalidInputError
from metaplat.stores.tables.parquet_footer import Footer, FooterLongerError, parse_footer

if TYPE_CHECKING:
    import random
    from pathlib import Path

DAY = dt.date(2026, 2, 28)
COLUMNS = {
    "text": pa.array(["a", None, "c"]),
    "large_text": pa.array(["a", None, "c"], pa.large_string()),
    "bytes": pa.array([b"a", b"", None]),
    "fixed": pa.array([b"ab", b"cd", None], pa.binary(2)),
    "yes": pa.array([True, None, False]),
    **{f"{kind}": pa.array([1, 2, None], kind) for kind in ("int8", "int16", "int32", "int64")},
    **{f"u{kind}": pa.array([1, 2, None], f"u{kind}") for kind in ("int8", "int16", "int32", "int64")},
    "half": pa.array([1.5, 2.5, None], pa.float16()),
    "single": pa.array([1.5, 2.5, None], pa.float32()),
    "double": pa.array([1.5, float("nan"), None]),
    "day": pa.array([DAY, DAY, None]),
    "milliseconds": pa.array([1, 2, None], pa.timestamp("ms")),
    "microseconds_utc": pa.array([1, 2, None], pa.timestamp("us", "UTC")),
    "nanoseconds": pa.array([1, 2, None], pa.timestamp("ns")),
    "time_of_day": pa.array([1, 2, None], pa.time32("ms")),
    "time_of_day_ns": pa.array([1, 2, None], pa.time64("ns")),
    "money": pa.array([Decimal("1.25"), Decimal("-3.00"), None], pa.decimal128(9, 2)),
    "money_small": pa.array([Decimal("1.25"), Decimal("-3.00"), None], pa.decimal128(18, 4)),
    "money_huge": pa.array([Decimal("1.25"), Decimal("-3.00"), None], pa.decimal256(60, 5)),
    "nothing": pa.nulls(3),
    "items": pa.array([["a"], [], None]),
    "items_of_items": pa.array([[[1], None], [], None]),
    "pair": pa.array([{"a": 1, "b": {"c": ["x"]}}, None, None]),
}
WRITERS: dict[str, dict[str, Any]] = {
    "v1": {"version": "1.0", "coerce_timestamps": "us", "allow_truncated_timestamps": True},
    "v2 pages": {"data_page_version": "2.0"},
    "zstd": {"compression": "zstd"},
    "plain": {"compression": "none", "use_dictionary": False},
    "with the Arrow schema": {"store_schema": True},
    "without statistics": {"write_statistics": False},
    "with indexes and a checksum": {"write_page_index": True, "write_page_checksum": True},
}


def written(table: pa.Table, **choices: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **{"store_schema": False, **choices})
    return sink.getvalue()


def footer_of(content: bytes) -> Footer:
    return parse_footer(content[-65536:], len(content))


def pyarrow_says(content: bytes) -> dict[str, str]:
    schema = pq.read_schema(io.BytesIO(content))
    return {field.name: str(field.type) for field in schema}


@pytest.mark.parametrize("version", ["1.0", "2.4", "2.6"])
def test_types_are_named_as_arrow_names_them(version: str) -> None:
    old = version != "2.6"  # older versions know no nanoseconds
    choices = {"coerce_timestamps": "us", "allow_truncated_timestamps": True} if old else {}
    content = written(pa.table(COLUMNS), version=version, **choices)
    found, expected = dict(footer_of(content).columns), pyarrow_says(content)
    assert found == expected


def test_a_map_is_told_by_its_key_and_value() -> None:
    table = pa.table({"map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64()))})
    assert footer_of(written(table)).columns == {"map": "map<string, int64>"}


def test_a_list_of_two_levels_is_named_by_its_repeated_field() -> None:
    """Old writers wrote lists with one level less."""
    table = pa.table({"items": pa.array([["a"], []])})
    content = written(table, use_compliant_nested_type=False)
    assert footer_of(content).columns == pyarrow_says(content)


@pytest.mark.parametrize("choices", WRITERS.values(), ids=WRITERS.keys())
def test_rows_nulls_and_places_are_those_that_pyarrow_reads(choices: dict[str, Any]) -> None:
    flat = {name: values for name, values in COLUMNS.items() if not pa.types.is_nested(values.type)}
    table = pa.concat_tables([pa.table(flat)] * 5).combine_chunks()
    content = written(table, row_group_size=4, **choices)
    footer, expected = footer_of(content), pq.read_metadata(io.BytesIO(content))
    assert footer.rows == expected.num_rows == 15
    for index, column in enumerate(footer.columns):
        chunks = footer.chunks(column)
        assert len(chunks) == expected.num_row_groups
        for number, chunk in enumerate(chunks):
            group = expected.row_group(number)
            known = group.column(index)
            assert chunk.rows == group.num_rows
            statistics = known.statistics
            assert chunk.nulls == (statistics.null_count if statistics else None), column
            assert chunk.end - chunk.start == known.total_compressed_size
            assert chunk.start == known.dictionary_page_offset or chunk.start == known.data_page_offset


def test_a_required_column_has_no_nulls_even_without_statistics() -> None:
    schema = pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("other", pa.int64())])
    footer = footer_of(written(pa.table({"id": [1, 2], "other": [1, 2]}, schema), write_statistics=False))
    assert [chunk.nulls for chunk in footer.chunks("id")] == [0]
    assert [chunk.nulls for chunk in footer.chunks("other")] == [None]


def test_a_nested_column_covers_all_its_leaves() -> None:
    content = written(pa.table(COLUMNS))
    footer, group = footer_of(content), pq.read_metadata(io.BytesIO(content)).row_group(0)
    leaves = [group.column(number) for number in range(group.num_columns)]
    inside = [leaf for leaf in leaves if leaf.path_in_schema.startswith("pair.")]
    (chunk,) = footer.chunks("pair")
    assert len(inside) == 2
    assert chunk.end - chunk.start == sum(leaf.total_compressed_size for leaf in inside)
    assert chunk.nulls is None


def test_a_column_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        footer_of(written(pa.table({"a": [1]}))).chunks("b")


def test_a_file_without_rows_has_a_schema() -> None:
    footer = footer_of(written(pa.table({"a": pa.array([], pa.string())})))
    assert (footer.rows, footer.columns, sum(chunk.rows for chunk in footer.chunks("a"))) == (
        0,
        {"a": "string"},
        0,
    )


def test_the_fingerprint_tells_names_and_types_but_not_order_or_writer() -> None:
    one = footer_of(written(pa.table({"a": [1], "b": ["x"]})))
    turned = footer_of(written(pa.table({"b": ["x"], "a": [1]}), compression="zstd"))
    other = footer_of(written(pa.table({"a": ["1"], "b": ["x"]})))
    renamed = footer_of(written(pa.table({"a": [1], "B": ["x"]})))
    assert one.schema == turned.schema
    assert len({one.schema, other.schema, renamed.schema}) == 3


def test_polars_and_duckdb_files_are_read_alike(tmp_path: Path) -> None:
    frame = pl.DataFrame({"k": ["a", None, "c"], "n": [1, 2, None], "day": [DAY, None, DAY]})
    frame.write_parquet(tmp_path / "polars.parquet")
    duckdb.sql(f"COPY (SELECT * FROM frame) TO '{tmp_path / 'duckdb.parquet'}'")
    pq.write_table(frame.to_arrow(), tmp_path / "pyarrow.parquet")
    footers = [footer_of(path.read_bytes()) for path in sorted(tmp_path.iterdir())]
    for footer in footers:
        assert footer.columns == {"k": "string", "n": "int64", "day": "date32[day]"}
        assert [chunk.nulls for chunk in footer.chunks("k")] == [1]
    assert len({footer.schema for footer in footers}) == 1


SPARK = zlib.decompress(
    base64.b85decode(
        "c-o~_O=ufO6rNqJWLZ|-G<b&Hpo0<7A{TYB{HN52K;2-BF|G(D6zUL0^4b;JT{+ryYU3JmC~fIaNOLfyhMsyTPSS#*#WaVOLTN88"
        "Ik={W98Ft#OmD>`eKR}Kt|HrYskA>cZ@%}vH}7Yp(hC>!7-53X;BO!Pxsym?1*S0^N2n(&BZMN71WyXWQ@9Ur?%e%G@iB3RiKo~q"
        "!+}i2DSYGhhg)(H%UD4unM2~!_#lG>!^7J*zvyKQif<*J@~xl<08+Rg|MJ$|dryVj=pFF^528L7$os(5JD>gVel!G2ob_S9zr-PD"
        "aTagBw{u5oLShJ=zQ7^yg{O>|=PLsG>tA1f)O$R%25Zk^1Mh9#|LN%v6qh=n!c7*B-H$){qc`McGUvO=p6IdI%lB`8{;21Wy)Z8A"
        "8Cg>$%5E%cMD_&=Us4qwc@PU+ycwj>Fs#LbBVHk~w8CyK&~yc9V=`*4)YyI4O1!zx(C{#vj2`pHA-+q2b14$XQ*0Cdq=Y93!=%Wr"
        ")EaKccvcMeWjrZ{TM>LIP`s{$XL|~s6R_<lp5_Y*n;k@beXxFTYAWe2(MIixTY1g2DL##GG9$yTGiWBoF&U&v4rB(TGWDR)VGy<J"
        "j=7piK)%%69DDjuS&huo)l726g83-ms-9`P&<?SgB9kbpVpUxa%ghQ=yG+ZpO~(_qKtZwrEYIY8aCgmIy>g9O%O>;_*NA|m>6rra"
        "C|?ymml=cX({r~eB8ryM?&v6mliFwu#r=E|g<K$0db|h_xQLwPZ-@<Mg)5^XL=cg86Zj1IE{4;H5y)DG>pNWkJekl-MZW_5ToRNG"
        "%|cwT^l1Y3k^LApI8zK<QGg1<$+_MjZ%X>Eq~DTKYBGFgw9mlJV^)!t<EM(utSZ9pP688dQW3lN6UVJilUaR3E(V<vjKI<%()KO="
        "4AkUS7d|h7<MXrhbM^@`sqX_jZ#Mr4tf5&u+dgBv-z5T+)G{%oo%5@QS4^`~IQK<zN#BY<@>bwt$z$)f<ON-b$lnQ^B9FT8NSIo("
        "gW6&>)#AOb0B;R0#>?JE@^171?{-}9DxJK3ZF1&U$eg|h%&oH`7_nG)N<&r$LN>R1AWXl-aS64RbeS8OB-8qKw8)Mdb_1~(g|`5|"
        "OXNr9`B&Xo52r2*jl<4Zk-GyR;)N`V8*(QdQQZ5?sR!MVJ8~mN6g^J9j`gv6RMmQ8(V$BdjuwNTGR8Ht;a2O88XYl)jX|UibRgWT"
        "mH~sS%cf^E>aQEN>Ct)WQT1kQE$yu?nd$Mg>ot}uUOJavsG8Qin;w64E$vX7E!998psLOy%$;S+qGbzYpl9aNP0IB6+WLB~rRoH#"
        "RmU?I%|@H<0=3+um8lnKdsW+XJ!&tV+%|8^fMMRORBdWy^Fz7efs?a9^MyF5XP#V@w^~cN6=~XNa8A*FFFz64O5O2j)p2LRh=|bo"
        "$@ko8&ZaD8&_Pcc;;kfvRy`2C_<tNI2f->=9okqudAMA!)A?hnlK%J7y8LhZxV(<kY0)Xq*^PeDTK#z=UoZyyv*qQgHQ&ELD}$B7"
        "$k^!ckeMGIE}P}&htAQ$!Wb=>qlNNley}`JDA4?Xb_ae`kGYTm|IAA8cljUY3NW$"
    )
)
"""Written by Spark 4.3; the times are INT96, the second row is null but for ``n``."""


def test_a_file_of_spark_is_read() -> None:
    footer = footer_of(SPARK)
    assert footer.rows == 2
    assert footer.columns == {
        "k": "string",
        "n": "int32",
        "at": "timestamp[ns]",
        "money": "decimal128(12, 3)",
        "day": "date32[day]",
        "items": "list<element: string>",
        "m": "map<string, int64>",
        "b": "binary",
        "st": "struct<a: int32>",
    }
    nulls = [footer.chunks(column)[0].nulls for column in footer.columns]
    assert nulls == [1, 0, 1, 1, 1, None, None, 1, None]


def test_a_wide_file_with_many_row_groups_is_read_to_its_end() -> None:
    table = pa.table({f"c{number}": [1, None, 3, 4] for number in range(300)})
    content = written(table, row_group_size=1)
    footer = parse_footer(content, len(content))
    assert [chunk.nulls for chunk in footer.chunks("c299")] == [0, 1, 0, 0]


def encrypted(**choices: Any) -> bytes:
    """Write columns ``k`` (encrypted) and ``v`` with keys that are none."""

    class Keys(encryption.KmsClient):  # type: ignore[misc]
        def wrap_key(self, key_bytes: bytes, _: str) -> bytes:
            return base64.b64encode(key_bytes)

    how = encryption.EncryptionConfiguration(footer_key="f", column_keys={"c": ["k"]}, **choices)
    factory = encryption.CryptoFactory(lambda _: Keys())
    properties = factory.file_encryption_properties(encryption.KmsConnectionConfig(), how)
    return written(pa.table({"k": ["a"], "v": [1]}), encryption_properties=properties)


def test_an_encrypted_footer_is_told() -> None:
    with pytest.raises(InvalidInputError, match="the footer is encrypted"):
        footer_of(encrypted())


def test_of_an_encrypted_column_the_footer_tells_rows_only() -> None:
    footer = footer_of(encrypted(plaintext_footer=True))
    assert footer.rows == 1
    assert footer.chunks("v")[0].nulls == 0
    with pytest.raises(InvalidInputError, match="column 'k' is encrypted"):
        footer.chunks("k")


def test_a_tail_that_is_too_short_tells_how_much_is_needed() -> None:
    content = written(pa.table(COLUMNS))
    with pytest.raises(FooterLongerError) as caught:
        parse_footer(content[-100:], len(content))
    assert parse_footer(content[-caught.value.needed :], len(content)).rows == 3


GOOD = written(pa.table({"k": ["a", "b"], "v": [1, 2]}))
BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty"),
    "text": (b"id,name\n1,a\n2,b\n", "not Parquet"),
    "a few bytes": (b"PAR", "not Parquet"),
    "magic only": (b"PAR1", "cut"),
    "magic twice": (b"PAR1PAR1", "cut"),
    "cut": (GOOD[: len(GOOD) // 2], "cut"),
    "encrypted footer": (b"PARE" + b"\0" * 50 + (40).to_bytes(4, "little") + b"PARE", "encrypted"),
    "footer longer than the file": (
        GOOD[:-8] + (2**31).to_bytes(4, "little") + b"PAR1",
        "more than the file",
    ),
    "footer of nothing": (b"PAR1" + b"\0" * 20 + (0).to_bytes(4, "little") + b"PAR1", "corrupt"),
    "footer of zeros": (b"PAR1" + b"\0" * 20 + (9).to_bytes(4, "little") + b"PAR1", "corrupt"),
    "deep structs": (b"PAR1" + b"\x1c" * 9000 + (9000).to_bytes(4, "little") + b"PAR1", "corrupt"),
    "deep lists": (b"PAR1" + b"\x19" * 9000 + (9000).to_bytes(4, "little") + b"PAR1", "corrupt"),
    "endless numbers": (b"PAR1\x15" + b"\xff" * 9000 + (9000).to_bytes(4, "little") + b"PAR1", "corrupt"),
}


@pytest.mark.parametrize(("content", "words"), BAD.values(), ids=BAD.keys())
def test_what_is_no_parquet_is_told_in_one_sentence(content: bytes, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words) as caught:
        parse_footer(content[-65536:], len(content))
    assert "\n" not in str(caught.value)


def test_a_footer_of_absurd_length_is_refused_before_it_is_fetched() -> None:
    with pytest.raises(InvalidInputError, match="taken for damage"):
        parse_footer(b"\0" * 56 + (2**30).to_bytes(4, "little") + b"PAR1", 2**40)


def look_at_everything(content: bytes) -> None:
    """Read a footer and every chunk; only InvalidInputError may come of it, in one line."""
    try:
        footer = parse_footer(content, len(content))
    except InvalidInputError as error:
        assert str(error).isprintable()  # noqa: PT017  # both outcomes are right
        return
    for column in footer.columns:
        with suppress(InvalidInputError):
            assert all(0 <= chunk.start <= chunk.end <= len(content) for chunk in footer.chunks(column))


SEEDS = [
    written(pa.table(COLUMNS)),
    written(
        pa.table(COLUMNS).select(["text", "items", "pair", "money"]), row_group_size=1, store_schema=True
    ),
    GOOD,
]


@settings(max_examples=400, deadline=None)
@given(seed=st.sampled_from(SEEDS), turn=st.randoms(use_true_random=False), most=st.integers(1, 12))
def test_a_damaged_footer_gives_an_answer_or_one_sentence(
    seed: bytes, turn: random.Random, most: int
) -> None:
    content = bytearray(seed)
    length = int.from_bytes(seed[-8:-4], "little")
    for _ in range(most):
        place = len(content) - 8 - turn.randrange(length)
        content[place] = turn.choice([0, 0xFF, 0x7F, 0x1C, 0x19, 0xF9, turn.randrange(256)])
    look_at_everything(bytes(content))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_as_a_footer_give_an_answer_or_one_sentence(body: bytes) -> None:
    look_at_everything(b"PAR1" + body + len(body).to_bytes(4, "little") + b"PAR1")


def test_a_footer_cut_at_any_byte_gives_an_answer_or_one_sentence() -> None:
    length = int.from_bytes(GOOD[-8:-4], "little")
    start = len(GOOD) - 8 - length
    for kept in range(length):
        content = GOOD[: start + kept] + kept.to_bytes(4, "little") + b"PAR1"
        look_at_everything(content)
