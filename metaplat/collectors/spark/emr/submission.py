"""What the arguments of an EMR step say of the Spark application it submits.

Here: whether a step submits one, the names it may have, the Spark properties on its command line.
Not here: keeping the arguments: they may hold secrets, and nothing else of them leaves this module.
Source of the format: SparkSubmitOptionParser and SparkSubmitArguments of Apache Spark.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COMMANDS = frozenset(
    ("spark-submit", "spark-sql", "spark-shell", "pyspark", "sparkR", "spark-example", "run-example")
)
MAIN_CLASS = "org.apache.spark.deploy.SparkSubmit"
SWITCHES = frozenset(("--verbose", "-v", "--supervise", "--help", "-h", "--version", "--usage-error"))
"""Options without a value."""
PROPERTIES = {
    "--name": "spark.app.name",
    "--master": "spark.master",
    "--deploy-mode": "spark.submit.deployMode",
    "--executor-memory": "spark.executor.memory",
    "--executor-cores": "spark.executor.cores",
    "--driver-memory": "spark.driver.memory",
    "--driver-cores": "spark.driver.cores",
    "--num-executors": "spark.executor.instances",
    "--queue": "spark.yarn.queue",
}
"""Options that stand for a property, and go before ``--conf``."""


@dataclass(frozen=True)
class Submission:
    """What a step submits.

    Parameters
    ----------
    name : str or None
        Name that Spark gives the application where the program does not set one itself: ``--name``, else the
        main class, else the file.
    conf : dict of str to str
        Spark properties given on the command line.
    """

    name: str | None = None
    conf: dict[str, str] = field(default_factory=dict)


def submission_of(main_class: str | None, arguments: Sequence[str]) -> Submission | None:
    """Return what a step submits to Spark; None where it does not say so.

    Parameters
    ----------
    main_class : str or None
        Main class of the step's JAR.
    arguments : sequence of str
        Its arguments: ``spark-submit ...``, or a shell that is given such a command as text.
    """
    words = list(_words(arguments))
    starts = [place for place, word in enumerate(words) if word.rpartition("/")[2] in COMMANDS]
    if not starts and main_class != MAIN_CLASS:
        return None
    return _parsed(words[starts[0] + 1 :] if starts else words)


def _words(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the arguments; one that is a shell command by its words."""
    for argument in arguments:
        if any(command in argument for command in COMMANDS) and any(sign.isspace() for sign in argument):
            yield from _shell_words(argument)
        else:
            yield argument


def _shell_words(command: str) -> list[str]:
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError:  # a quote that is never closed
        return command.split()


def _parsed(words: Sequence[str]) -> Submission:
    given: dict[str, str] = {}
    conf: dict[str, str] = {}
    rest = iter(words)
    resource = None
    for word in rest:
        if not word.startswith("-"):
            resource = word
            break
        if word in SWITCHES:
            continue
        option, equals, value = word.partition("=")
        value = value if equals else next(rest, "")
        if option in ("--conf", "-c"):
            key, _, setting = value.partition("=")
            conf[key.strip()] = setting.strip()
        else:
            given[option] = value
    conf |= {PROPERTIES[option]: value for option, value in given.items() if option in PROPERTIES and value}
    conf = {key: value for key, value in conf.items() if key.startswith("spark.") and value}
    fallback = given.get("--class") or (resource or "").rstrip("/").rpartition("/")[2]
    return Submission(conf.get("spark.app.name") or fallback or None, conf)
