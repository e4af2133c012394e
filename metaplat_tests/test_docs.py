"""What the pages say is true: paths and commands exist, nothing that was declared is left out.

Here: README, CHANGELOG, ``docs/`` and ``deploy/`` against the code. Not here: prose.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
import yaml

from metaplat import __version__
from metaplat.cli.app import app
from metaplat.domains import all_domains
from metaplat.settings import Section, Settings
from metaplat_tests.cli.commands import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.model.domain import MetadataDomain

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
DEPLOY = ROOT / "deploy"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md"), *DEPLOY.rglob("*.md")])
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
EVERY_DOMAIN = pytest.mark.parametrize("domain", all_domains(), ids=lambda domain: domain.name)

BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(metaplat [^`]+)`")
OURS = r"(?:metaplat|deploy|benchmarks|docs)/[\w./-]+"


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def commands_of(text: str) -> Iterator[list[str]]:
    """Words of each ``metaplat`` command in code blocks and in the running text."""
    lines = [line for block in BLOCK.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    lines += INLINE.findall(BLOCK.sub("", text))
    for line in lines:
        words = shlex.split(line.removeprefix("$ "), comments=True) if "metaplat " in line[:11] else []
        if words and words[0] == "metaplat":
            yield words[1:]


def wrong_words(words: list[str]) -> list[str]:
    """Words of a command line that the command does not know."""
    command: Any = typer.main.get_command(app)
    while subcommands := getattr(command, "commands", None):
        if not words or words[0] not in subcommands:
            return words[:1] or ["a command is missing"]
        command, words = subcommands[words[0]], words[1:]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help", "-h"}
    return [word for word in words if word.startswith("-") and word.partition("=")[0] not in known]


def settings_fields() -> dict[str, Any]:
    """Every settings key, dotted, with its pydantic field."""
    found: dict[str, Any] = {}
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            found |= {f"{name}.{key}": inner for key, inner in kind.model_fields.items()}
        else:
            found[name] = field
    return found


def shown_default(value: object) -> str:
    """Write a default as the page on settings writes it."""
    if value is None:
        return "none"
    if isinstance(value, bool | list | dict):
        return f"`{json.dumps(value)}`"
    return f'`"{value}"`' if isinstance(value, str | Path) else f"`{value:g}`"


@EVERY_PAGE
def test_every_path_a_page_names_exists(page: Path) -> None:
    named = re.findall(rf"`({OURS})`", read(page))
    assert [path for path in named if not (ROOT / path).exists()] == []


@EVERY_PAGE
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", BLOCK.sub("", read(page)))
    assert [link for link in links if not (page.parent / link).exists()] == []


@EVERY_PAGE
def test_every_anchor_a_page_links_to_is_a_heading(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", BLOCK.sub("", read(page))):
        text = read(page.parent / target if target else page)
        headings = [
            heading.lower() for heading in re.findall(r"^#+ (.+)$", BLOCK.sub("", text), re.MULTILINE)
        ]
        assert anchor in [re.sub(r"[^\w -]", "", heading).replace(" ", "-") for heading in headings]


@EVERY_PAGE
def test_every_command_a_page_shows_exists_with_its_options(page: Path) -> None:
    assert [words for words in commands_of(read(page)) if wrong_words(words)] == []


@EVERY_PAGE
def test_no_page_names_a_folder_of_one_machine(page: Path) -> None:
    assert re.findall(r"(?<![\w.~])/(?:work|root|home|Users|tmp)/\S*", read(page)) == []


def test_the_readme_names_the_two_commands_to_begin_with() -> None:
    blocks = "".join(BLOCK.findall(read(ROOT / "README.md")))
    assert "make demo" in blocks
    assert "make test" in blocks


def test_every_command_is_shown_somewhere() -> None:
    shown = {
        " ".join(words[:length]) for page in PAGES for words in commands_of(read(page)) for length in (1, 2)
    }
    assert set(COMMANDS) - shown == set()


def test_a_command_that_does_not_exist_would_be_found() -> None:
    page = (
        "Run `metaplat colect x`.\n\n```sh\n$ metaplat check d --partitoin 1\nmetaplat domains --json\n```\n"
    )
    assert [wrong_words(words) for words in commands_of(page)] == [["--partitoin"], [], ["colect"]]


@pytest.mark.parametrize("key", settings_fields())
def test_every_setting_is_documented_with_its_variable_and_default(key: str) -> None:
    variable = f"METAPLAT_{key.replace('.', '__').upper()}"
    rows = [line for line in read(DOCS / "settings.md").splitlines() if line.startswith(f"| `{key}` |")]
    assert len(rows) == 1
    cells = re.split(r"(?<!\\)\|", rows[0])  # a bar that belongs to a value is written with a backslash
    _, _, _, default, shown, meaning, _ = (cell.strip().replace("\\|", "|") for cell in cells)
    assert shown == f"`{variable}`"
    assert default == shown_default(settings_fields()[key].get_default(call_default_factory=True))
    assert meaning


def test_no_setting_is_documented_that_does_not_exist() -> None:
    documented = re.findall(r"^\| `([\w.]+)` \|", read(DOCS / "settings.md"), re.MULTILINE)
    assert set(documented) - set(settings_fields()) == set()


@EVERY_PAGE
def test_every_settings_variable_a_page_names_exists(page: Path) -> None:
    known = {f"METAPLAT_{key.replace('.', '__').upper()}" for key in settings_fields()} | {"METAPLAT_CONFIG"}
    text = read(page).replace("METAPLAT_SENSOR__RECENT:", "")  # an error message shown on purpose
    text = re.sub(r"METAPLAT_ALERTS__SINKS__\w+__\w+", "", text)  # a sink's name is free
    named = set(re.findall(r"METAPLAT_[A-Z0-9_]*[A-Z0-9]\b", text)) - {
        "METAPLAT_PORT"
    }  # what Kubernetes would set
    assert named - known == set()


@EVERY_DOMAIN
def test_every_field_of_a_domain_is_on_its_page(domain: MetadataDomain) -> None:
    page = read(DOCS / f"{domain.name}.md")
    rows = {name: line for line in page.splitlines() for name in re.findall(r"^\| `(\w+)` \|", line)}
    for field in domain.columns:
        assert field.doc in rows[field.name]
        assert ("nullable" in rows[field.name]) == field.nullable
        assert field.path is None or f"`{field.path}`" in rows[field.name]


@EVERY_DOMAIN
def test_every_rule_of_a_domain_is_on_its_page_and_on_the_page_of_rules(domain: MetadataDomain) -> None:
    page, rules = read(DOCS / f"{domain.name}.md"), read(DOCS / "rules.md")
    for rule in domain.rules:
        assert f"`{rule.name}`" in page
        row = next(line for line in rules.splitlines() if line.startswith(f"| `{rule.name}` |"))
        assert row.split("|")[3].strip() == rule.severity.value


@EVERY_DOMAIN
def test_terraform_keeps_a_domain_as_long_as_it_declares(domain: MetadataDomain) -> None:
    entry = json.loads(read(DEPLOY / "terraform/domains.auto.tfvars.json"))["domains"][domain.name]
    assert entry["landing"] == domain.landing
    assert entry["archive_days"] == domain.retention.archive.days
    if domain.hot:
        hot = {
            "name": domain.hot.name,
            "partition_key": domain.hot.partition_key,
            "sort_key": domain.hot.sort_key,
        }
        assert entry["hot_table"] == hot | ({"status": domain.hot.status} if domain.hot.status else {})


def test_terraform_names_no_domain_that_does_not_exist() -> None:
    entries = json.loads(read(DEPLOY / "terraform/domains.auto.tfvars.json"))["domains"]
    assert set(entries) == {domain.name for domain in all_domains()}


@EVERY_DOMAIN
def test_the_lifecycle_on_the_page_of_stores_is_the_declared_one(domain: MetadataDomain) -> None:
    page = read(DOCS / "stores.md")
    for prefix in (f"landing/{domain.landing}", f"lake/{domain.name}/", f"quarantine/{domain.name}/"):
        assert f"| `{prefix}` | {domain.retention.archive.days} days |" in page
    if domain.hot and domain.retention.hot:
        assert f"`ttl`, {domain.retention.hot.days} days" in page


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*.yaml")), ids=lambda path: path.name)
def test_deployment_files_parse_and_set_only_settings_that_exist(path: Path) -> None:
    text = read(path)
    assert all(isinstance(document, dict) for document in yaml.safe_load_all(text))
    known = {f"METAPLAT_{key.replace('.', '__').upper()}" for key in settings_fields()}
    assert set(re.findall(r"METAPLAT_[A-Z0-9_]*[A-Z0-9]\b", text)) - known == set()


def test_the_chart_and_the_images_have_the_versions_of_this_checkout() -> None:
    pinned = re.search(r"^dagster==(.+)$", read(ROOT / "constraints.txt"), re.MULTILINE)
    assert pinned
    assert f"dagster/dagster --version {pinned[1]} " in read(DEPLOY / "kubernetes/README.md")
    chart = yaml.safe_load(read(DEPLOY / "kubernetes/values.yaml"))
    (deployment,) = chart["dagster-user-deployments"]["deployments"]
    assert deployment["image"]["tag"] == __version__
    assert f"metaplat:{__version__}" in read(DEPLOY / "kubernetes/collector.yaml")


def test_the_collector_may_only_list() -> None:
    documents = yaml.safe_load_all(read(DEPLOY / "kubernetes/collector.yaml"))
    role = next(document for document in documents if document["kind"] == "ClusterRole")
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"list"}


def test_this_version_is_in_the_changelog() -> None:
    assert f"## [{__version__}]" in read(ROOT / "CHANGELOG.md")
