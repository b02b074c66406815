"""Readers of the environment: a good value in its type, a bad one refused in a sentence that names the setting."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from artworkshop import environment


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("THING", raising=False)
    return monkeypatch


@pytest.mark.parametrize(("value", "expected"), [(None, "plain"), ("", "plain"), ("  ", "plain"), (" a b ", "a b")])
def test_text_without_value_is_its_default(put: pytest.MonkeyPatch, value: str | None, expected: str) -> None:
    if value is not None:
        put.setenv("THING", value)

    assert environment.text("THING", "plain") == expected


def test_texts_are_parted_by_commas(put: pytest.MonkeyPatch) -> None:
    put.setenv("THING", " one, two,,three ")

    assert environment.texts("THING") == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("value", "expected"), [("yes", True), ("TRUE", True), ("1", True), ("off", False), ("0", False)]
)
def test_flag_reads_yes_and_no(put: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    put.setenv("THING", value)

    assert environment.flag("THING", default=not expected) is expected


def test_flag_refuses_another_word(put: pytest.MonkeyPatch) -> None:
    put.setenv("THING", "perhaps")

    assert refusal(lambda: environment.flag("THING", default=True)) == "THING must be yes or no, not 'perhaps'."


@pytest.mark.parametrize(("value", "expected"), [("1", 1), ("9", 9), ("007", 7)])
def test_whole_reads_numbers_within_bounds(put: pytest.MonkeyPatch, value: str, expected: int) -> None:
    put.setenv("THING", value)

    assert environment.whole("THING", 5, low=1, high=9) == expected


@pytest.mark.parametrize("value", ["0", "10", "-1", "--5", "1.5", "²", "eighty", "1e3"])
def test_whole_refuses_everything_else(put: pytest.MonkeyPatch, value: str) -> None:
    put.setenv("THING", value)

    sentence = refusal(lambda: environment.whole("THING", 5, low=1, high=9))

    assert sentence == f"THING must be a whole number from 1 to 9, not {value!r}."


@pytest.mark.parametrize(("value", "expected"), [("0", 0.0), ("0.05", 0.05), ("9", 9.0), ("", 0.5)])
def test_amount_reads_numbers_within_bounds(put: pytest.MonkeyPatch, value: str, expected: float) -> None:
    put.setenv("THING", value)

    assert environment.amount("THING", 0.5, high=9) == expected


@pytest.mark.parametrize("value", ["-1", "9.5", "0,05", "nan", "inf", "much"])
def test_amount_refuses_everything_else(put: pytest.MonkeyPatch, value: str) -> None:
    put.setenv("THING", value)

    sentence = refusal(lambda: environment.amount("THING", 0.5, high=9))

    assert sentence == f"THING must be a number from 0 to 9 with a dot for the decimals, not {value!r}."


def test_choice_refuses_an_unknown_word(put: pytest.MonkeyPatch) -> None:
    put.setenv("THING", "blue")

    sentence = refusal(lambda: environment.choice("THING", "red", ("red", "green")))

    assert sentence == "THING must be one of red, green, not 'blue'."


def test_address_refuses_another_scheme(put: pytest.MonkeyPatch) -> None:
    put.setenv("THING", "ftp://there")

    sentence = refusal(lambda: environment.address("THING", "http://here", ("http", "https")))

    assert sentence == "THING must begin with http:// or https://."


def test_address_that_cannot_be_read_is_refused_without_its_password(put: pytest.MonkeyPatch) -> None:
    put.setenv("THING", "redis://:pass@word@here:six/0")

    sentence = refusal(lambda: environment.address("THING", "redis://here", ("redis",)))

    assert sentence.startswith("THING cannot be read: ")
    assert "pass" not in sentence.removeprefix("THING cannot be read: write special characters of a password")


@pytest.mark.parametrize("value", ["Mars", "../etc/passwd", "/etc/passwd", "Europe"])
def test_time_zone_refuses_an_unknown_name(put: pytest.MonkeyPatch, value: str) -> None:
    put.setenv("THING", value)

    sentence = refusal(lambda: environment.time_zone("THING", "UTC"))

    assert sentence == f"THING must be the name of a time zone such as Europe/Berlin, not {value!r}."


def test_folder_is_made(put: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put.setenv("THING", str(tmp_path / "one" / ".." / "two"))

    folder = environment.folder("THING", Path("/nowhere"))

    assert folder == tmp_path / "two"
    assert folder.is_dir()


def test_folder_that_is_a_file_is_refused(put: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    put.setenv("THING", str(path))

    sentence = refusal(lambda: environment.folder("THING", tmp_path))

    assert sentence == f"THING: the folder {path} cannot be made (File exists)."


def test_environment_wins_over_the_file(put: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put.setenv("THING", "from the environment")
    put.setenv("OTHER_THING", "")
    put.delenv("OTHER_THING")
    (tmp_path / ".env").write_text("THING=from the file\nOTHER_THING=from the file\n")

    environment.load(tmp_path / ".env")

    assert environment.text("THING") == "from the environment"
    assert environment.text("OTHER_THING") == "from the file"


def refusal(read) -> str:
    with pytest.raises(ImproperlyConfigured) as caught:
        read()
    return str(caught.value)
