"""Statements compiled once and run on the driver's own cursor.

Core takes 70-140 µs to run a statement, most of it to find out again what it knew the last time.
One that is `prepared` is compiled once for each dialect and set of names, and then costs what the
driver costs; what it says and what comes back is the same. ADR 0006.
"""

import json
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

_S = TypeVar("_S", bound=sa.Executable)
_Convert = Callable[[Any], Any]
_Params = Mapping[str, object]

_MARK = "prepared"
# From so many rows on, PostgreSQL takes them sooner as a COPY than as so many INSERTs.
_WORTH_A_COPY = 16
_compiled: dict[tuple[sa.Executable, str, tuple[str, ...]], "_Compiled"] = {}


def prepared(statement: _S) -> _S:
    """Mark a statement that is made once and run often.

    It lists values by `among` alone, and adds rows with every column that the database does not
    fill in.
    """
    return statement.execution_options(**{_MARK: True})


def is_prepared(statement: sa.Executable) -> bool:
    """Tell whether a statement is marked so."""
    return _MARK in statement.get_execution_options()


def among(column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    """Say that *column* is one of the values bound as *name*, however many they are.

    The text is the same for any number of them, so that it is compiled and planned once.
    """
    return _Among(column, sa.bindparam(name, type_=_Listed(column.type)))


class Rows:
    """What came back, to be read in the ways in which a result of Core is read here."""

    def __init__(self, rows: list[Any], rowcount: int) -> None:
        self._rows = rows
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows."""
        return iter(self._rows)

    def all(self) -> list[Any]:
        """Return the rows."""
        return self._rows

    def scalars(self) -> "Rows":
        """Keep the first column alone."""
        return Rows([row[0] for row in self._rows], self.rowcount)

    def first(self) -> Any:  # noqa: ANN401 (a row, as Core's is)
        """Return the first row, if there is one."""
        return self._rows[0] if self._rows else None

    def one_or_none(self) -> Any:  # noqa: ANN401 (a row, as Core's is)
        """Return the only row, if there is one.

        Raises: MultipleResultsFound.
        """
        if len(self._rows) > 1:
            raise sa.exc.MultipleResultsFound("more than one row came back where one was wanted")
        return self.first()

    def one(self) -> Any:  # noqa: ANN401 (a row, as Core's is)
        """Return the only row.

        Raises: NoResultFound, MultipleResultsFound.
        """
        if not self._rows:
            raise sa.exc.NoResultFound("no row came back where one was wanted")
        return self.one_or_none()

    def scalar(self) -> Any:  # noqa: ANN401 (a value, as Core's is)
        """Return the first column of the first row, if there is one."""
        return self._rows[0][0] if self._rows else None


def run(
    connection: sa.Connection,
    statement: sa.Executable,
    params: _Params | Sequence[_Params] | None,
) -> Rows:
    """Run a prepared statement, once for each set of parameters; many bring no rows back.

    Raises: what SQLAlchemy raises for the driver's errors.
    """
    many = params is not None and not isinstance(params, Mapping)
    sets: Sequence[_Params] = params if many else [params or {}]  # type: ignore[assignment, list-item]  # as *many* says
    dialect = connection.dialect
    key = (statement, dialect.name, tuple(sets[0]))
    ready = _compiled.get(key)
    if ready is None:
        ready = _compiled[key] = _Compiled.of(statement, dialect, key[2])
    cursor = connection.connection.cursor()
    try:
        if many:
            if ready.copies and len(sets) >= _WORTH_A_COPY:
                _copy(cursor, ready, sets)
            else:
                cursor.executemany(ready.sql, [ready.bound(each) for each in sets])
            return Rows([], cursor.rowcount)
        cursor.execute(ready.sql, ready.bound(sets[0]))
        return Rows(ready.rows(cursor.fetchall()) if ready.makes else [], cursor.rowcount)
    except dialect.loaded_dbapi.Error as error:
        _raise(connection, ready.sql, error, cursor)
        raise
    finally:
        cursor.close()


def _raise(connection: sa.Connection, sql: str, error: Exception, cursor: Any) -> None:  # noqa: ANN401 (the driver's)
    """Raise the driver's error as SQLAlchemy does, and give a connection up that is lost."""
    dialect = connection.dialect
    driven = connection.connection.dbapi_connection
    is_lost = dialect.is_disconnect(error, driven, cursor)  # type: ignore[arg-type]  # any driver's error
    if is_lost:
        connection.invalidate(error)
    raise sa.exc.DBAPIError.instance(
        sql, None, error, dialect.loaded_dbapi.Error, hide_parameters=True,
        connection_invalidated=is_lost, dialect=dialect,
    ) from error  # fmt: skip


def _copy(cursor: Any, ready: "_Compiled", sets: Sequence[_Params]) -> None:  # noqa: ANN401 (the driver's)
    binds = ready.binds
    with cursor.copy(ready.copies) as copy:
        for each in sets:
            copy.write_row([each[name] if to is None else to(each[name]) for name, to in binds])


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement as the driver takes it, and how values are written and read."""

    sql: str
    binds: tuple[tuple[str, _Convert | None], ...]
    fixed: Mapping[str, object]
    is_positional: bool
    makes: Callable[..., Any] | None
    copies: str
    reads: tuple[tuple[int, _Convert], ...]

    @classmethod
    def of(cls, statement: Any, dialect: sa.Dialect, names: tuple[str, ...]) -> "_Compiled":  # noqa: ANN401 (any statement of Core)
        """Compile a statement that is run with parameters of these names."""
        compiled = statement.compile(dialect=dialect, column_keys=list(names))
        assert isinstance(compiled, SQLCompiler)  # noqa: S101 (statements compile to nothing else)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        order = compiled.positiontup if compiled.positional else binds
        columns = list(statement.exported_columns)
        return cls(
            sql=str(compiled),
            binds=tuple((name, _writer(binds[name], dialect)) for name in order or ()),
            fixed={name: value for name, value in compiled.params.items() if name not in names},
            is_positional=compiled.positional,
            makes=_row_of(columns),
            copies=_copying(statement, dialect, str(compiled), tuple(binds)),
            reads=tuple(
                (place, reader)
                for place, column in enumerate(columns)
                if (reader := _reader(column, dialect)) is not None
            ),
        )

    def bound(self, params: _Params) -> Any:  # noqa: ANN401 (a tuple or a dict, as the driver wants it)
        """Write one set of parameters."""
        values = self.fixed | params if self.fixed else params  # type: ignore[operator]  # both are dicts
        if self.is_positional:
            return tuple(
                [values[name] if to is None else to(values[name]) for name, to in self.binds]
            )
        return {name: values[name] if to is None else to(values[name]) for name, to in self.binds}

    def rows(self, found: Sequence[Sequence[Any]]) -> list[Any]:
        """Read the rows that came back."""
        made = []
        for row in found:
            values = list(row)
            for place, reader in self.reads:
                values[place] = reader(values[place])
            made.append(self.makes(values))  # type: ignore[misc]  # asked for only where rows come
        return made


def _copying(statement: Any, dialect: sa.Dialect, sql: str, names: tuple[str, ...]) -> str:  # noqa: ANN401 (any statement of Core)
    """Return the COPY that adds rows as this INSERT does, empty where there is none."""
    if dialect.name != "postgresql" or not isinstance(statement, sa.Insert):
        return ""
    if "ON CONFLICT" in sql or not set(names) <= set(statement.table.c.keys()):
        return ""
    quote = dialect.identifier_preparer
    columns = ", ".join(quote.quote(name) for name in names)
    return f"COPY {quote.format_table(statement.table)} ({columns}) FROM STDIN"


def _row_of(columns: Sequence[sa.ColumnElement[Any]]) -> Callable[..., Any] | None:
    if not columns:
        return None
    names = [str(getattr(column, "key", None) or "") for column in columns]
    made: Callable[..., Any] = namedtuple("Row", names, rename=True)._make  # type: ignore[attr-defined]  # noqa: PYI024 (fields known at run time)
    return made


def _writer(bind: sa.BindParameter[Any], dialect: sa.Dialect) -> _Convert | None:
    return bind.type.dialect_impl(dialect).bind_processor(dialect)


def _reader(column: sa.ColumnElement[Any], dialect: sa.Dialect) -> _Convert | None:
    return column.type.dialect_impl(dialect).result_processor(dialect, None)


class _Listed(sa.types.TypeDecorator[Any]):
    """Any number of values in one parameter: an array, or JSON where there are no arrays."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, item: sa.types.TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """Choose what carries the values."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.ARRAY(self.item))
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:  # noqa: ANN401 (SQLAlchemy's signature)
        """Write the values."""
        if dialect.name == "postgresql":
            return list(value)
        to = self.item.dialect_impl(dialect).bind_processor(dialect)
        return json.dumps([each if to is None else to(each) for each in value])


class _Among(FunctionElement[bool]):
    name = "among"
    type = sa.Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:  # noqa: ANN401, ARG002 (SQLAlchemy's signature)
        """Stand as it is: SQLite would be told `= 1` of it, and then no index serves."""
        return self


@compiles(_Among, "postgresql")
def _any(element: _Among, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 (the compiler's own)
    column, values = element.clauses
    return f"({compiler.process(column, **options)} = ANY ({compiler.process(values, **options)}))"


@compiles(_Among, "sqlite")
def _json_each(element: _Among, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 (the compiler's own)
    column, values = element.clauses
    inner = f"SELECT value FROM json_each({compiler.process(values, **options)})"  # noqa: S608 (a place for a parameter)
    return f"({compiler.process(column, **options)} IN ({inner}))"
