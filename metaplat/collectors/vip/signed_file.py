"""One file of a job as the vendor lists it, with the address that it can be fetched from for a while.

Here: the noun that the client makes, and safety rules and downloads use.
Not here: what was promised without the address (``model.extract``), which of them are safe (``safe_files``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import SecretStr

    from metaplat.model.extract import PromisedFile


@dataclass(frozen=True)
class SignedFile:
    """A promised file and its address.

    Parameters
    ----------
    promised : PromisedFile
        What is promised.
    url : SecretStr
        Signed address: whoever knows it can fetch the file. Empty where the list gives none.
    problem : str or None
        What is wrong with its entry in the list, in one sentence for a person: it must not be fetched.
    """

    promised: PromisedFile
    url: SecretStr
    problem: str | None = None
