"""Settings from file and environment, and one clear line for whatever is wrong with them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from metaplat.model.errors import SettingsError
from metaplat.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in an empty folder, without any settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("METAPLAT_")]:
        monkeypatch.delenv(name)


def saved(text: str, name: str = "metaplat.toml") -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def problem(text: str | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(saved(text) if text is not None else None)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_without_file_and_environment_everything_has_a_default(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings == Settings(home=tmp_path / ".metaplat")
    assert (settings.root, settings.hot.backend, settings.ingest.max_object_mb) == (None, "sqlite", 128)


def test_the_file_in_the_working_folder_is_read(tmp_path: Path) -> None:
    saved('home = "here"\nroot = "s3://bucket/pre fix"\n[kubernetes]\nnamespaces = ["a", "b"]\n')
    settings = load_settings()
    assert (settings.home, settings.root) == (tmp_path / "here", "s3://bucket/pre fix")
    assert settings.kubernetes.namespaces == ["a", "b"]


def test_a_named_file_comes_before_the_one_of_the_environment_and_that_before_the_one_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    saved('home = "/here"')
    monkeypatch.setenv("METAPLAT_CONFIG", str(saved('home = "/by-environment"', "other.toml")))
    assert load_settings().home == Path("/by-environment")
    assert load_settings(saved('home = "/named"', "third.toml")).home == Path("/named")


def test_the_environment_comes_before_the_file_key_by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    saved('home = "/file"\n[s3]\nregion = "eu-west-1"\nretries = 1\n')
    monkeypatch.setenv("METAPLAT_HOME", "/environment")
    monkeypatch.setenv("METAPLAT_S3__RETRIES", "7")
    monkeypatch.setenv("metaplat_s3__timeout_seconds", "2.5")
    settings = load_settings()
    assert settings.home == Path("/environment")
    assert (settings.s3.region, settings.s3.retries, settings.s3.timeout_seconds) == ("eu-west-1", 7, 2.5)


@pytest.mark.parametrize("written", ["a,b", " a , b,", '["a", "b"]'])
def test_a_list_in_the_environment_is_words_with_commas_or_json(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METAPLAT_KUBERNETES__NAMESPACES", written)
    assert load_settings().kubernetes.namespaces == ["a", "b"]


def test_an_empty_variable_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    saved('root = "s3://bucket"')
    for name in ("METAPLAT_HOME", "METAPLAT_ROOT", "METAPLAT_CONFIG", "METAPLAT_S3__RETRIES"):
        monkeypatch.setenv(name, "")
    assert (load_settings().root, load_settings().home.name) == ("s3://bucket", ".metaplat")


def test_home_is_absolute_and_knows_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/users/ann")
    for written, meant in (
        ("x/../y", tmp_path / "x/../y"),
        ("~/meta", Path("/users/ann/meta")),
        ("/abs", Path("/abs")),
    ):
        monkeypatch.setenv("METAPLAT_HOME", written)
        assert load_settings().home == meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('hoem = "x"', "hoem: no such setting. Did you mean home? (file metaplat.toml)"),
        ('[s4]\nregion = "x"', "s4: no such setting. Did you mean s3? (file metaplat.toml)"),
        ('[s3]\nregoin = "x"', "s3.regoin: no such setting. Did you mean s3.region? (file metaplat.toml)"),
        ('[privacy]\nhashkey = "canary"', "Did you mean privacy.hash_key?"),
        ('[alerts.sinks.y]\nurl = "canary"\nmin_severty = 1', "Did you mean alerts.sinks.y.min_severity?"),
        ("[zzz]", "zzz: no such setting. See docs/settings.md for all keys. (file metaplat.toml)"),
        ("s3 = 5", "s3: is a section with keys of its own, not a value. Correct it in file metaplat.toml."),
        ("[home]\nx = 1", "home: Input is not a valid path"),
        ("[s3]\ntimeout_seconds = 0", "s3.timeout_seconds: Input should be greater than 0"),
        ("[s3]\ntimeout_seconds = inf", "s3.timeout_seconds: Input should be a finite number"),
        ("[ingest]\nmax_object_mb = 1.5", "ingest.max_object_mb: Input should be a valid integer"),
        ('[hot]\nbackend = "mysql"', "hot.backend: Input should be 'sqlite' or 'dynamodb'"),
        ("[kubernetes]\nnamespaces = 5", "kubernetes.namespaces: Input should be a valid list"),
        ('[privacy]\ndrop = ["message"]', "privacy.drop.0: String should match pattern"),
        ("[privacy]\nhash_key = 12345", "privacy.hash_key: Input should be a valid string"),
        ('root = "/data"', "root: '/data' is not an address s3://bucket/prefix"),
        ('root = "s3://"', "is not an address s3://bucket/prefix"),
        (
            'root = "https://me:canary@host/x?sig=canary"',
            "root: 'host/x' is not an address s3://bucket/prefix",
        ),
        ('root = "s3://bucket/x?sig=canary"', "root: 'bucket/x' is not an address"),
        ("x = [", "metaplat.toml: is not TOML: "),
        ('[privacy]\nhash_key = "canary\n', "metaplat.toml: is not TOML: "),
    ],
)
def test_a_wrong_file_is_one_line_that_names_the_key_and_never_the_value(text: str, said: str) -> None:
    found = problem(text)
    assert found.startswith("settings: ")
    assert said in found
    assert "canary" not in found
    assert "12345" not in found


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (
            "METAPLAT_S3__REGOIN",
            "x",
            "METAPLAT_S3__REGOIN: no such setting. Did you mean METAPLAT_S3__REGION?",
        ),
        ("METAPLAT_HOEM", "x", "METAPLAT_HOEM: no such setting. Did you mean METAPLAT_HOME?"),
        ("METAPLAT_S3", "{}", "METAPLAT_S3: no such setting."),
        (
            "METAPLAT_ALERTS__SINKS__Y__MIN_SEVERTY",
            "high",
            "no such setting. Did you mean METAPLAT_ALERTS__SINKS__Y__MIN_SEVERITY?",
        ),
        ("metaplat_alerts__sinks__on_call__urls", "x", "Did you mean METAPLAT_ALERTS__SINKS__ON_CALL__URL?"),
        (
            "METAPLAT_ALERTS__SINKS",
            '{"y": {"url": "canary", "min_severty": "high"}}',
            "Did you mean alerts.sinks.y.min_severity? (environment variable METAPLAT_ALERTS__SINKS)",
        ),
        ("METAPLAT_S3__RETRIES", "canary", "Correct it in environment variable METAPLAT_S3__RETRIES."),
        ("metaplat_s3__retries", "-1", "Correct it in environment variable metaplat_s3__retries."),
        ("METAPLAT_KUBERNETES__NAMESPACES", "[canary", "kubernetes.namespaces: is neither a JSON list"),
        ("METAPLAT_PRIVACY__DROP", "canary", "privacy.drop.0: String should match pattern"),
        ("METAPLAT_HOT__CREATE_TABLES", "canary", "hot.create_tables: Input should be a valid boolean"),
        ("METAPLAT_ROOT", "gs://canary", "root: "),
    ],
)
def test_a_wrong_variable_is_one_line_that_names_it(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved('[s3]\nregion = "x"')
    monkeypatch.setenv(variable, value)
    assert said in problem()
    if variable != "METAPLAT_ROOT":
        assert "canary" not in problem()


def test_a_key_of_a_sink_is_corrected_where_it_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAPLAT_ALERTS__SINKS__Y__MIN_SEVERITY", "hihg")
    assert problem().endswith("alerts.sinks.y.url: Field required. Correct it in the environment.")
    monkeypatch.setenv("METAPLAT_ALERTS__SINKS__Y__URL", "json://localhost")
    assert problem().endswith("Correct it in environment variable METAPLAT_ALERTS__SINKS__Y__MIN_SEVERITY.")


def test_a_file_that_is_missing_or_unreadable_or_not_utf8_is_named() -> None:
    with pytest.raises(SettingsError, match=r"nothing\.toml: cannot be read \(No such file or directory\)"):
        load_settings(Path("nothing.toml"))
    with pytest.raises(SettingsError, match="Is a directory"):
        load_settings(Path())
    Path("latin.toml").write_bytes(b'home = "\xe9"')
    with pytest.raises(SettingsError, match=r"latin\.toml: is not TOML"):
        load_settings(Path("latin.toml"))


@pytest.mark.parametrize("value", ["plain", "12345", '{"a": 1}', "[1]", "with,comma"])
def test_a_secret_is_taken_as_it_is_written_and_never_shown(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METAPLAT_PRIVACY__HASH_KEY", value)
    settings = load_settings()
    assert settings.privacy.hash_key is not None
    assert settings.privacy.hash_key.get_secret_value() == value
    assert value not in repr(settings)
    assert value not in str(settings.model_dump())
