"""What keeps the code as it was meant: contracts between rooms, light loading, headers, sizes."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "metaplat"
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = {
    "astropy",
    "boto3",
    "botocore",
    "dagster_aws",
    "dagster_duckdb",
    "dagster_k8s",
    "duckdb",
    "h5py",
    "jinja2",
    "kubernetes",
    "netCDF4",
    "obstore",
    "pandas",
    "pandera",
    "polars",
    "pyarrow",
    "pydantic_settings",
    "pyspark",
}
MAX_LINES = 400


def test_rooms_import_downward_only() -> None:
    answer = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--config", ROOT / "setup.cfg", "--no-cache"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert answer.returncode == 0, answer.stdout


def test_loading_the_code_location_imports_no_heavy_library() -> None:
    program = "import sys, metaplat.definitions as location; location.defs(); print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert HEAVY & set(answer.stdout.split()) == set()


def test_loading_the_code_location_reads_no_settings_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "metaplat.toml").write_text("this is not toml")
    program = "import metaplat.definitions as location; location.defs()"
    environment = {"PATH": "", "METAPLAT_HOME": str(tmp_path / "home"), "METAPLAT_NO_SUCH_SETTING": "1"}
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path, env=environment)
    assert [path.name for path in tmp_path.iterdir()] == ["metaplat.toml"]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_says_what_belongs_in_it(module: Path) -> None:
    assert ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))


@pytest.mark.parametrize("room", sorted(PACKAGE.glob("*/__init__.py")), ids=lambda path: path.parent.name)
def test_every_room_says_what_does_not_belong_in_it(room: Path) -> None:
    text = ast.get_docstring(ast.parse(room.read_text(encoding="utf-8"))) or ""
    assert "Here:" in text
    assert "Not here:" in text


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_file_is_longer_than_it_can_be_read(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


def test_no_two_modules_of_the_tests_have_one_name() -> None:
    names = [path.stem for path in (ROOT / "metaplat_tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
