"""Queries in Athena.

Here: starting a query, waiting for it, its rows as text.
Not here: what is asked (``monitor``), the client and its failures (``aws_client``).
"""

from __future__ import annotations

import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.model.errors import PermanentStoreError, SettingsError, StoreError, TransientStoreError
from metaplat.stores.aws_client import aws_client, aws_failures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_athena.type_defs import QueryExecutionTypeDef, RowTypeDef

WAIT_SECONDS = 1800.0
"""Athena's own limit for a query, unless an account has a larger one."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 3.0
"""Seconds between two looks at a running query; each pause is half as long again as the one before."""
PAGE_ROWS = 1000
"""The most that Athena returns at once."""

NO_RESULTS = "Give --athena-results s3://bucket/prefix, or a workgroup that has an output location."
REFUSED = "Check --athena-workgroup, --athena-results and the permissions of the role in use."
FAILED = "Look at the query in the Athena console; its id is above."


@dataclass(frozen=True)
class Athena:
    """Athena in one region.

    Parameters
    ----------
    region : str
        Where.
    workgroup : str
        Who pays, and where results go unless ``results`` says so.
    results : str or None
        ``s3://bucket/prefix`` for results; None leaves it to the workgroup.

    Raises
    ------
    SettingsError
        ``results`` is no such address.
    """

    region: str
    workgroup: str = "primary"
    results: str | None = None

    def __post_init__(self) -> None:
        if self.results is not None and not self.results.startswith("s3://"):
            raise SettingsError(
                "monitor.athena_results", "is not an address s3://bucket/prefix", "Correct it."
            )

    def query(
        self, sql: str, database: str, wait_seconds: float = WAIT_SECONDS
    ) -> list[dict[str, str | None]]:
        """Return the rows of a SELECT by column name; every value is text, NULL is None.

        Raises
        ------
        TransientStoreError
            Athena cannot be reached, throttles, or needs longer than ``wait_seconds``; a query that was
            started is stopped.
        PermanentStoreError
            Athena refuses the query, or the query fails.
        """
        query = self._run(sql, database, wait_seconds)
        return _by_name(self._rows(query))

    def execute(self, sql: str, database: str, wait_seconds: float = WAIT_SECONDS) -> None:
        """Run a statement that has no rows, as ALTER TABLE or MSCK REPAIR TABLE; raises as ``query`` does."""
        self._run(sql, database, wait_seconds)

    @property
    def _system(self) -> str:
        return f"Athena in {self.region}, workgroup {self.workgroup}"

    @property
    def _client(self) -> AthenaClient:
        return aws_client("athena", self.region)

    def _run(self, sql: str, database: str, wait_seconds: float) -> str:
        """Start a query, wait for its success, and return its id."""
        query = self._start(sql, database)
        with self._stopped_on_failure(query):
            self._wait(query, wait_seconds)
        return query

    def _start(self, sql: str, database: str) -> str:
        token = uuid.uuid4().hex  # the client's own further attempts do not start a second query
        with self._no_results_explained(), aws_failures(self._system, "start a query", REFUSED):
            answer = self._client.start_query_execution(
                QueryString=sql,
                ClientRequestToken=token,
                QueryExecutionContext={"Database": database},
                WorkGroup=self.workgroup,
                ResultConfiguration={"OutputLocation": self.results} if self.results else {},
            )
            return answer["QueryExecutionId"]

    def _wait(self, query: str, wait_seconds: float) -> None:
        deadline = time.monotonic() + wait_seconds
        pause = FIRST_PAUSE
        while not self._is_done(query):
            if time.monotonic() + pause > deadline:
                answer = f"no result within {wait_seconds:g} s; it was stopped"
                raise TransientStoreError(
                    self._system, f"query {query}", answer, "Try when Athena is less busy."
                )
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def _is_done(self, query: str) -> bool:
        """Whether the query has succeeded; raises where it never will."""
        with aws_failures(self._system, f"look at query {query}", REFUSED):
            execution = self._client.get_query_execution(QueryExecutionId=query)["QueryExecution"]
        state = execution.get("Status", {}).get("State")
        if state in {"FAILED", "CANCELLED"}:
            raise self._failure(query, execution)
        return state == "SUCCEEDED"

    def _failure(self, query: str, execution: QueryExecutionTypeDef) -> StoreError:
        status = execution.get("Status", {})
        reason = " ".join(status.get("StateChangeReason", "no reason was given").split()).rstrip(".")
        answer = f"{status.get('State')}: {reason}"
        if status.get("AthenaError", {}).get("Retryable"):
            return TransientStoreError(self._system, f"query {query}", answer, "Wait a little first.")
        advice = NO_RESULTS if "output location" in reason.lower() else FAILED
        return PermanentStoreError(self._system, f"query {query}", answer, advice)

    def _rows(self, query: str) -> Iterator[list[str | None]]:
        """Rows of a query that succeeded, the header first."""
        page: dict[str, str] = {}
        while True:
            with aws_failures(self._system, f"read the results of query {query}", REFUSED):
                answer = self._client.get_query_results(
                    QueryExecutionId=query,
                    MaxResults=PAGE_ROWS,
                    **page,  # type: ignore[arg-type]  # NextToken, or nothing
                )
            for row in answer["ResultSet"].get("Rows", ()):
                yield _cells(row)
            if not (token := answer.get("NextToken")):
                return
            page = {"NextToken": token}

    @contextmanager
    def _stopped_on_failure(self, query: str) -> Iterator[None]:
        """Stop a query that nobody waits for any more, also on Ctrl-C: it costs money."""
        try:
            yield
        except BaseException:
            with suppress(StoreError), aws_failures(self._system, f"stop query {query}"):
                self._client.stop_query_execution(QueryExecutionId=query)
            raise

    @contextmanager
    def _no_results_explained(self) -> Iterator[None]:
        """Advise on a missing output location, which Athena calls an invalid request like any other."""
        try:
            yield
        except PermanentStoreError as error:
            if "output location" not in error.answer.lower():
                raise
            raise PermanentStoreError(error.system, error.attempted, error.answer, NO_RESULTS) from error


def _cells(row: RowTypeDef) -> list[str | None]:
    return [cell.get("VarCharValue") for cell in row.get("Data", ())]


def _by_name(rows: Iterator[Sequence[str | None]]) -> list[dict[str, str | None]]:
    names = [str(name) for name in next(rows, ())]
    return [dict(zip(names, row, strict=False)) for row in rows]
