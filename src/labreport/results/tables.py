"""Tables of a result: pandas DataFrames as plain data, with their dtypes and missing values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas

Plain = None | bool | int | float | str


@dataclass(frozen=True)
class Column:
    """A column of a table: its pandas dtype by name, and plain values, None where one is missing."""

    name: str
    dtype: str
    values: tuple[Plain, ...]


class Row(dict[str, Plain]):
    """A row by column names, with what the DataFrame told of them.

    `heads` are the labels of columns that have several levels, from top to bottom; `groups` the names of the
    outer levels of a row index of several.
    """

    KIND = "mapping"

    def __init__(
        self, cells: Iterable[tuple[str, Plain]], heads: dict[str, tuple[str, ...]], groups: tuple[str, ...]
    ) -> None:
        super().__init__(cells)
        self.heads = heads
        self.groups = groups


@dataclass(frozen=True)
class Table:
    """A table as a result keeps it.

    `levels` holds the labels of each column, if columns have several levels; `index` is the number of columns
    that are the levels of the row index, if it has several.
    """

    columns: tuple[Column, ...]
    length: int
    levels: tuple[tuple[str, ...], ...] = ()
    index: int = 0

    def rows(self) -> list[dict[str, Plain]]:
        """Return the rows as plain values by column name; None is a missing value."""
        names = [column.name for column in self.columns]
        if not names:
            return [{} for _ in range(self.length)]
        cells = zip(*(column.values for column in self.columns), strict=True)
        if not self.levels and not self.index:
            return [dict(zip(names, row, strict=True)) for row in cells]
        labels = (tuple(filter(None, level)) for level in self.levels)
        heads = dict(zip(names, labels, strict=True)) if self.levels else {}
        groups = tuple(names[: max(0, self.index - 1)])
        return [Row(zip(names, row, strict=True), heads, groups) for row in cells]

    def frame(self) -> pandas.DataFrame:
        """Return the DataFrame that the experiment returned: the same dtypes, values and missing values."""
        import pandas

        # pandas-stubs knows no dtype that is a plain str
        series: Any = {c.name: pandas.Series(list(c.values), dtype=c.dtype) for c in self.columns}
        frame = pandas.DataFrame(series, index=pandas.RangeIndex(self.length))
        if self.index:
            frame = frame.set_index([column.name for column in self.columns[: self.index]])
        if self.levels:
            frame.columns = pandas.MultiIndex.from_tuples(self.levels[self.index :])
        return frame


_CELLS: dict[str, type] = {
    **dict.fromkeys(("float16", "float32", "float64", "Float32", "Float64"), float),
    **{f"{sign}{bits}": int for sign in ("int", "uint", "Int", "UInt") for bits in (8, 16, 32, 64)},
    **dict.fromkeys(("object", "str", "string"), str),
    **dict.fromkeys(("bool", "boolean"), bool),
}
_COMPLETE = {name for name in _CELLS if name.startswith(("int", "uint"))} | {"bool"}  # never a missing value

_CURES = {
    "category": "convert it: .astype(str)",
    "datetime": 'convert it: .dt.strftime("%Y-%m-%d")',
    "timedelta": "convert it: .dt.total_seconds()",
    "period": "convert it: .astype(str)",
    "complex": "make two columns, the real and the imaginary part",
    "Sparse": "convert it: .sparse.to_dense()",
}

Report = Callable[[str, str, str], None]  # where inside the table, what is wrong, the cure


def is_frame(value: object) -> bool:
    """Return whether a value is a pandas DataFrame, without importing pandas."""
    # by name, since an experiment without tables should not wait for pandas
    return any(c.__name__ == "DataFrame" and c.__module__.startswith("pandas") for c in type(value).__mro__)


def encode(frame: Any, check_name: Callable[[object], tuple[str, str] | None], report: Report) -> Any:
    """Return a DataFrame as plain data, and report what a table cannot hold.

    `check_name` returns what is wrong with a column's name and the cure, or None.
    """
    length, index, levels = len(frame), frame.index.nlevels, frame.columns.nlevels
    if any(name is not None for name in frame.columns.names):
        report("", "has a name above its columns", f"drop it: frame.rename_axis(columns={_nothing(levels)})")
    if index > 1 and not all(frame.index.names):
        report("", "has levels of rows without names", 'name them: frame.index.names = ["set", "method"]')
        return None
    if index > 1:
        frame = frame.reset_index()  # the levels of its rows come first
    elif frame.index.name is not None or list(frame.index) != list(range(length)):
        cure = "frame.reset_index() makes it a column, frame.reset_index(drop=True) drops it"
        report("", "has an index, which a table does not keep", cure)
    names = [_joined(name) for name in frame.columns]
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    if twice:
        report("", f"has two columns with the same name: {', '.join(twice)}", "rename one")
        return None
    columns = []
    for at, name in enumerate(names):
        trouble = check_name(name)
        if trouble:
            report("", f"has a column {name!r:.80}, whose name {trouble[0]}", trouble[1])
        else:
            columns.append(_encode_column(frame.iloc[:, at], str.__str__(name), report))
    encoded: dict[str, Any] = {"rows": length, "columns": columns}
    if levels > 1:
        encoded["levels"] = [[str(label) for label in labels] for labels in frame.columns]
    return {**encoded, "index": index} if index > 1 else encoded


def _joined(name: object) -> object:
    """Return the name of a column; labels of several levels are joined by dots, as templates write them."""
    if not isinstance(name, tuple) or not all(isinstance(label, str) for label in name):
        return name
    return ".".join(label for label in name if label)


def _nothing(levels: int) -> str:
    return "None" if levels == 1 else str([None] * levels)


def _encode_column(series: Any, name: str, report: Report) -> dict[str, Any]:
    dtype = str(series.dtype)
    if dtype not in _CELLS:
        cure = next((c for kind, c in _CURES.items() if kind in dtype), "convert it with .astype(...)")
        report(f".{name}", f"is a column of type {dtype}, which a table cannot hold", cure)
        return {}
    missing = series.isna().tolist()  # NaN, None, NaT and NA alike
    cells = [None if gone else cell for cell, gone in zip(series.tolist(), missing, strict=True)]
    kind = _CELLS[dtype]
    for i, cell in enumerate(cells):
        trouble = None if cell is None else _cell_trouble(cell, kind)
        if trouble:
            report(f".{name}[{i}]", *trouble)
    return {"name": name, "dtype": dtype, "values": cells}


def _cell_trouble(cell: Any, kind: type) -> tuple[str, str] | None:
    from labreport.results.strict_json import is_encodable

    if kind is float and abs(cell) == float("inf"):
        return "is infinite", "record a diverged run as such, by name; a missing value is None"
    if kind is str and not isinstance(cell, str):
        cure = 'give the column one type: .astype("Int64"), "Float64", "boolean" or "string"'
        return f"is of type {type(cell).__name__}, in a column of objects", cure
    if kind is str and not is_encodable(cell):
        return "is a text with half of a surrogate pair", 'clean it: .str.encode("utf-8", "replace")'
    return None


def decode(encoded: object) -> Table:
    """Return the table in parsed JSON; a ValueError says what is wrong with it."""
    known = {"rows", "columns"}
    if not isinstance(encoded, dict) or not known <= encoded.keys() <= {*known, "levels", "index"}:
        raise ValueError("a table has the keys 'rows' and 'columns'")
    length, columns = encoded["rows"], encoded["columns"]
    levels, index = encoded.get("levels", []), encoded.get("index", 0)
    if type(length) is not int or not isinstance(columns, list):
        raise ValueError("'rows' must be an integer and 'columns' a list")
    if type(index) is not int or not 0 <= index <= len(columns) or not _are_labels(levels, len(columns)):
        raise ValueError("'levels' must hold the labels of each column, 'index' a number of columns")
    found = tuple(_decode_column(column, length) for column in columns)
    return Table(found, length, tuple(map(tuple, levels)), index)


def _are_labels(levels: object, columns: int) -> bool:
    return (
        isinstance(levels, list)
        and all(
            isinstance(labels, list)
            and len(labels) == len(levels[0])
            and all(isinstance(x, str) for x in labels)
            for labels in levels
        )
        and len(levels) in (0, columns)
    )


def _decode_column(column: object, length: int) -> Column:
    if not isinstance(column, dict) or column.keys() != {"name", "dtype", "values"}:
        raise ValueError("a column has the keys 'name', 'dtype' and 'values'")
    name, dtype, values = column["name"], column["dtype"], column["values"]
    if not isinstance(name, str) or not isinstance(dtype, str) or dtype not in _CELLS:
        raise ValueError(f"column {name!r} is of the unknown type {dtype!r}")
    if not isinstance(values, list) or len(values) != length:
        raise ValueError(f"column {name!r} must have {length} values")
    allowed = {_CELLS[dtype]} if dtype in _COMPLETE else {_CELLS[dtype], type(None)}
    if not set(map(type, values)) <= allowed:
        raise ValueError(f"column {name!r} holds values that are not of type {dtype}")
    return Column(name, dtype, tuple(values))
