"""No password, token or other secret of a store's address is ever shown."""

import pytest

from heft.workflow.tracking.store_address import (
    PASSWORD,
    TOKEN,
    USER,
    login_variables,
    shown,
    without_login,
    without_password,
)


@pytest.fixture(autouse=True)
def _no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (USER, PASSWORD, TOKEN):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize(
    ("uri", "as_shown"),
    [
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
        ("sqlite:////home/me@work/mlflow.db", "sqlite:////home/me@work/mlflow.db"),
        ("sqlite:///mlflow.db?key=s3cret", "sqlite:///mlflow.db?***"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("http://me:s3cret@host:5000/path", "http://me:***@host:5000/path"),
        ("https://s3cret@host/path", "https://***@host/path"),
        ("https://me:s3cret@of@me@host", "https://me:***@host"),
        ("https://me:s3/cret/@host/path", "https://me:***@host/path"),
        ("https://me:s3cret?x=1@host", "https://***"),
        ("https://me:s3cret#1@host", "https://***"),
        ("postgresql+psycopg2://me:s3cret@host/runs", "postgresql+psycopg2://me:***@host/runs"),
        ("postgresql://host/runs?user=me&password=s3cret", "postgresql://host/runs?***"),
        ("postgresql://host/runs?password=s3@cret", "postgresql://***"),
        ("mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3Ds3cret", "mssql+pyodbc:///?***"),
        ("mssql://host;PWD=s3cret", "mssql://host;***"),
        ("nosuchscheme://me:s3cret@host", "nosuchscheme://me:***@host"),
        ("me:s3cret@host", "me:***@host"),
    ],
)
def test_an_address_is_shown_without_its_secrets(uri: str, as_shown: str) -> None:
    assert without_password(uri) == as_shown


@pytest.mark.parametrize("secret", ["s3cret", "s3@cret", "s3/cret", "s3:cret", "S3cret", "s3%2Fcret", "s3?cret", "x"])
@pytest.mark.parametrize(
    "address", ["http://me:{}@host", "no://me:{}@host", "mysql://host/x?password={}", "me:{}@host"]
)
def test_no_part_of_a_secret_is_left_of_what_a_library_says(secret: str, address: str) -> None:
    uri = address.format(secret)
    for said in (
        f"API request to {uri}/api/2.0/mlflow failed",
        f"Invalid URL '{uri}', no host",
        f"invalid port: {secret}",
        f"could not resolve {secret.partition('@')[2] or secret}",
        f"nonnumeric port: '{secret.partition('/')[0].lower()}'",
    ):
        words = shown(ValueError(said), uri)
        for part in ("s3", "cret", " x", ":x", "'x"):
            assert part not in words.lower(), (uri, words)


def test_what_holds_no_secret_is_shown_as_it_is() -> None:
    assert shown(ValueError("no such table\nmore"), "http://me:s3cret@host") == "no such table"
    assert shown(ValueError(), "http://me:s3cret@host") == "ValueError"


def test_secrets_of_the_environment_are_hidden_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "tok3n")
    assert "tok3n" not in shown(ValueError("token tok3n is expired"), "http://host")


def test_user_and_password_of_a_server_reach_mlflow_apart_from_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    uri = "http://me:s3@c/ret%21@host:5000/path"
    assert without_login(uri) == "http://host:5000/path"
    assert login_variables(uri) == {USER: "me", PASSWORD: "s3@c/ret!"}
    assert login_variables("postgresql://me:s3cret@host") == {}
    assert login_variables("http://host") == {}
    monkeypatch.setenv(USER, "other")
    assert login_variables(uri) == {}
