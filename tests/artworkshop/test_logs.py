"""Log lines: ids from request to painting, one line for one thing, and no secrets."""

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from artworkshop import logs
from artworkshop.logs import JsonLine, TextLine
from artworkshop.standalone.supervisor import Lines, Program
from rendering import supervision
from tests import makers
from tests.processes import Crew, Valkey, same_site, wait_until
from tests.rendering import makers as painters
from tests.stopwatch import quickest

log = logging.getLogger("tests.logs")


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """Return what is logged meanwhile, as text."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextLine())
    root, before = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


def record(message: str, *words: object, error: BaseException | None = None) -> logging.LogRecord:
    """Return a record of the log."""
    trace = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("gallery.photos", logging.INFO, "photos.py", 1, message, words, trace)


def raised(message: str) -> OSError:
    """Return an error that was raised."""
    try:
        raise OSError(message)
    except OSError as error:
        return error


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("kept photo\n2026 INFO root: a forged line", r"kept photo\u000a2026 INFO root: a forged line"),
        ("\x1b[2Jgone.jpg", r"\u001b[2Jgone.jpg"),
        ("photo\u202egpj.exe", r"photo\u202egpj.exe"),
        ("mail to ada.l+x@photos.example.org failed", "mail to …@… failed"),
        ("redis://user:hunter2@queue.example:6379/0 is away", "redis://…@queue.example:6379/0 is away"),
        (
            "GET https://s3.example/photographs/a.jpg?X-Amz-Signature=abc&X-Amz-Expires=60 failed",
            "GET https://s3.example/photographs/a.jpg?… failed",
        ),
        ("Not Found: /setup/s3cret-token/", "Not Found: /setup/…/"),
        ("Not Found: /invitations/abcDEF123/", "Not Found: /invitations/…/"),
        ("Not Found: /accounts/password/reset/key/3-c0ffee/", "Not Found: /accounts/password/reset/key/…/"),
        ("what is this? a=b", "what is this? a=b"),
        ("女神的侧脸.jpg was taken", "女神的侧脸.jpg was taken"),
    ],
)
def test_line_is_one_line_and_holds_no_secret(text: str, clean: str) -> None:
    assert logs.clean(text) == clean
    assert TextLine().format(record("%s", text)).endswith(f"INFO gallery.photos: {clean}")
    assert json.loads(JsonLine().format(record("%s", text)))["message"] == clean


@pytest.mark.no_cover
@pytest.mark.parametrize("letter", ["a", "/", "?", "@", "=", "a@", "/?", "://", ".", "?="])
def test_longest_line_is_cleaned_in_no_time(letter: str) -> None:
    assert quickest(lambda: logs.clean(letter * 100_000), within=0.2) <= 0.2


def test_traceback_can_forge_no_line() -> None:
    error = raised("/data/x\n2026-05-03 INFO root: forged, for ada@example.org")

    text, facts = (
        TextLine().format(record("failed", error=error)),
        json.loads(JsonLine().format(record("failed", error=error))),
    )

    assert [line for line in text.split("\n")[1:] if not line.startswith("    ")] == []
    assert "ada@" not in text
    assert facts["trace"].startswith("Traceback (most recent call last):")
    assert "ada@" not in facts["trace"]


def test_sane_id_of_a_request_is_kept_and_in_its_lines(said: io.StringIO) -> None:
    def serve(request: HttpRequest) -> HttpResponse:
        log.info("hello")
        return HttpResponse()

    answer = logs.mark_requests(serve)(RequestFactory().post("/photos/", headers={"X-Request-ID": "edge-0123456789"}))
    log.info("later")

    hello, request, later = said.getvalue().splitlines()
    assert answer["X-Request-ID"] == "edge-0123456789"
    assert hello.endswith("tests.logs: hello [request=edge-0123456789]")
    assert re.search(r"artworkshop\.logs: POST none: 200 in \d+ ms \[request=edge-0123456789\]$", request)
    assert later.endswith("tests.logs: later")


@pytest.mark.parametrize("given", ["", "short", "a" * 65, "with space", "line\nbreak-123", 'quote"-12345'])
def test_other_ids_are_replaced(given: str) -> None:
    request = RequestFactory().get("/")
    request.META["HTTP_X_REQUEST_ID"] = given

    answer = logs.mark_requests(lambda _: HttpResponse())(request)

    assert re.fullmatch(r"[0-9a-f]{16}", answer["X-Request-ID"])


def test_id_is_forgotten_when_a_request_ends_in_an_error() -> None:
    def fail(_: HttpRequest) -> HttpResponse:
        raise KeyError

    with pytest.raises(KeyError):
        logs.mark_requests(fail)(RequestFactory().get("/"))

    assert logs.request_id.get() == ""


@pytest.mark.django_db
def test_lines_of_work_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    source = painters.source_row()
    monkeypatch.setenv("RQ_JOB_ID", "job-1")

    with supervision.doing(source, seconds=10):
        inside = json.loads(JsonLine().format(record("reading")))
    outside = json.loads(JsonLine().format(record("resting")))

    assert (inside["work"], inside["job"]) == (f"source-{source.pk}", "job-1")
    assert "work" not in outside


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_upload_is_followed_from_request_to_painting(valkey: Valkey, as_alice: Client, said: io.StringIO) -> None:
    form = {
        "photos": makers.upload("ada@example.org\x07.jpg", makers.jpeg(120, 90)),
        "styles": ["pencil"],
        "look": "fast",
    }

    with Crew({**same_site(), "LOG_FORMAT": "json"}) as crew:
        worker = crew.worker()
        answer = as_alice.post("/photos/", form, headers={"X-Request-ID": "upload-12345"})
        wait_until(lambda: "was painted" in worker.said, seconds=30)

    lines = [json.loads(line) for line in worker.said.splitlines() if line.startswith("{")]
    accepted = re.search(r"source (\d+) of lane person-\d+ was accepted \[request=upload-12345\]", said.getvalue())
    assert answer["X-Request-ID"] == "upload-12345"
    assert accepted, said.getvalue()
    read = next(line for line in lines if "was read" in line["message"])
    painted = next(line for line in lines if "was painted" in line["message"])
    assert (read["work"], read["worker"]) == (f"source-{accepted[1]}", painted["worker"])
    assert painted["work"].startswith("rendition-")
    begun = f"source {accepted[1]} is painted as renditions {painted['work'].removeprefix('rendition-')}"
    assert begun in [line["message"] for line in lines]
    assert "ada@" not in said.getvalue() + worker.said
    assert "\x07" not in said.getvalue() + worker.said


def test_refusal_has_the_id_of_its_request(said: io.StringIO) -> None:
    answer = Client().get("/setup/no-such-token-1234/x", headers={"X-Request-ID": "probe-12345"})

    assert (answer.status_code, answer["X-Request-ID"]) == (404, "probe-12345")
    assert "django.request: Not Found: /setup/…/x [request=probe-12345]\n" in said.getvalue()


def test_lines_of_json_stay_so_when_their_program_is_named() -> None:
    lines = Lines(Program("worker 1", ()), io.BytesIO())

    text, facts = lines.add(f"plain\n{JsonLine().format(record('hello'))}\n".encode())

    assert text == "[worker 1] plain"
    assert (json.loads(facts)["program"], json.loads(facts)["message"]) == ("worker 1", "hello")
