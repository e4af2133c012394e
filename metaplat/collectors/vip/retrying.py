"""Trying again what may pass.

Here: which failures are tried again, how often and after which pauses.
Not here: telling such a failure (``exchange``, ``refusals``), files, which resume (``download``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from metaplat.model.errors import MissingExtraError, TransientSourceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tenacity import RetryCallState

    from metaplat.settings.vip import VipSettings

Result = TypeVar("Result")


class PassingError(TransientSourceError):
    """A call failed and may be made again at once; outside of this room it is a ``TransientSourceError``.

    Parameters
    ----------
    system, attempted, answer, advice : str
        As of every ``SourceError``.
    pause : float or None
        Seconds that the other side asks to wait.
    may_have_arrived : bool
        Whether the request may have reached the server: then only what is harmless twice is made again.
    """

    def __init__(
        self,
        system: str,
        attempted: str,
        answer: str,
        advice: str,
        pause: float | None = None,
        may_have_arrived: bool = True,  # noqa: FBT001, FBT002  # positional, as errors must be to be pickled
    ) -> None:
        super().__init__(system, attempted, answer, advice)
        self.args = (system, attempted, answer, advice, pause, may_have_arrived)
        self.pause, self.may_have_arrived = pause, may_have_arrived


async def patiently(attempt: Callable[[], Awaitable[Result]], settings: VipSettings) -> Result:
    """Return what ``attempt`` returns, trying again where it raises ``PassingError``.

    The pauses double from ``backoff_seconds`` to ``max_backoff_seconds``, each anywhere between nothing and
    that (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/, "full jitter"), and are
    no shorter than what the other side asks for, within the longest pause.

    Raises
    ------
    TransientSourceError
        It failed ``retries`` times more.
    """
    try:
        from tenacity import (
            AsyncRetrying,
            retry_if_exception_type,
            stop_after_attempt,
            wait_random_exponential,
        )
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "tenacity":
            raise
        raise MissingExtraError("asking the vendor's lake", "tenacity", "vip") from None
    longest = settings.max_backoff_seconds
    jitter = wait_random_exponential(multiplier=settings.backoff_seconds, max=longest)

    def pause(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.pause if isinstance(error, PassingError) else None
        return min(longest, max(asked or 0.0, jitter(state)))

    async def once() -> Result:  # the library awaits what is declared so, and not what a lambda returns
        return await attempt()

    retrying = AsyncRetrying(
        stop=stop_after_attempt(settings.retries + 1),
        wait=pause,
        retry=retry_if_exception_type(PassingError),
        reraise=True,
    )
    try:
        return await retrying(once)
    except PassingError as error:
        given_up = _given_up(error, settings.retries)
    raise given_up


def _given_up(error: PassingError, retries: int) -> TransientSourceError:
    attempts = f", after {retries + 1} attempts" if retries else ""
    return TransientSourceError(error.system, error.attempted, f"{error.answer}{attempts}", error.advice)
