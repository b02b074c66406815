"""The product under one command: it comes up, mends itself, and leaves nothing behind, however it ends."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import cast

import pytest
import redis

from tests.processes import Valkey, free_port, postgresql, postgresql_programs, wait_until

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, str(ROOT / "manage.py"), "up"]
OWN = ("DATABASE_URL", "REDIS_URL", "SITE_URL", "SECRET_KEY", "STORAGE", "HOST", "UPLOAD_DIR", "WEB", "ALLOWED_HOSTS")

pytestmark = [pytest.mark.faults, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]


class Product:
    """One run of the product, in a data folder of its own."""

    def __init__(self, folder: Path, **values: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = folder.with_name(folder.name + ".log")
        environment = settings(folder, PORT=str(self.port), **values)
        with self.log.open("ab") as log:
            self.run = subprocess.Popen(COMMAND, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    @property
    def text(self) -> str:
        return self.log.read_text()

    def wait_for(self, sentence: str, seconds: float = 120) -> None:
        wait_until(lambda: sentence in self.text or self.run.poll() is not None, seconds=seconds)
        assert sentence in self.text

    def children(self, word: str = "") -> list[int]:
        return [pid for pid, parent, command in processes() if parent == self.run.pid and word in command]

    def answer(self) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", "/livez")
            return connection.getresponse().read().decode()

    def end(self) -> None:
        if self.run.poll() is None:
            self.run.kill()
        self.run.wait()


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product after its first start in an empty folder; stopped when the fixture is ready."""
    product = Product(tmp_path_factory.mktemp("first") / "var")
    try:
        product.wait_for("Ctrl-C ends it.")
        product.run.send_signal(signal.SIGTERM)
        product.run.wait(timeout=20)
    finally:
        product.end()
    yield product
    shutil.rmtree(product.folder)


@pytest.fixture(scope="module")
def running(first: Product, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product at its second start, for tests that leave it running."""
    with started(first, tmp_path_factory.mktemp("running")) as product:
        yield product


@pytest.fixture
def product(first: Product, tmp_path: Path) -> Iterator[Product]:
    """The product at its second start, for tests that end it."""
    with started(first, tmp_path) as product:
        yield product


def workers_of(product: Product) -> list[tuple[str, int, int]]:
    """Return place, restarts and memory of the workers, as the desk of that product shows them."""
    told = "[(w.line.report.place, w.line.report.restarts, w.line.report.memory) for w in stats.crew()[1] if w.line]"
    script = f"import json; from rendering import stats; print(json.dumps({told}))"
    command = [*COMMAND[:-1], "shell", "--no-imports", "-c", script]
    run = subprocess.run(command, env=settings(product.folder), check=True, capture_output=True, text=True)
    return [(place, restarts, memory) for place, restarts, memory in json.loads(run.stdout.splitlines()[-1])]


@contextlib.contextmanager
def started(first: Product, folder: Path) -> Iterator[Product]:
    shutil.copytree(first.folder, folder / "var")
    product = Product(folder / "var")
    try:
        product.wait_for("Ctrl-C ends it.")
        yield product
    finally:
        product.end()


def test_first_start_says_each_step_and_the_address_and_the_set_up_link(first: Product) -> None:
    lines = first.text

    assert re.findall(r"^(Queue|Database|Static files|Web server): [a-z].* \.\.\.$", lines, re.MULTILINE) == [
        "Queue",
        "Database",
        "Static files",
        "Web server",
    ]
    assert f"The Art Workshop is open at http://localhost:{first.port} " in lines
    assert len(re.findall(rf"http://localhost:{first.port}/setup/[\w:.-]+/\n", lines)) == 1
    assert "Traceback" not in lines


def test_product_answers(running: Product) -> None:
    answer = running.answer()

    assert answer == "alive\n"
    assert len(running.children()) == 4  # valkey, web, one worker, caretaker


def test_second_start_is_quick(first: Product, tmp_path: Path) -> None:
    """The best of three tries, as the machine may do other things too."""
    took: list[float] = []
    while not took or (took[-1] >= 20 and len(took) < 3):
        begin = time.monotonic()
        with started(first, tmp_path / str(len(took))) as product:
            took.append(time.monotonic() - begin)
            assert "Static files" not in product.text
            assert "migrations" not in product.text

    # 2 to 3 s on an idle machine of two cores, 8 are promised; the rest is for machines that do other things too.
    assert min(took) < 20


def test_second_product_beside_it_is_refused_in_words(running: Product) -> None:
    second = start_briefly(running.folder)

    assert second.returncode == 1
    assert second.stderr == (
        f"The Art Workshop is already running on {running.folder}: process {running.run.pid}, "
        f"http://localhost:{running.port}. Stop it, or choose another DATA_DIR.\n"
    )
    assert running.answer() == "alive\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_ends_everything_within_five_seconds(product: Product, number: signal.Signals) -> None:
    children = product.children()
    begin = time.monotonic()

    product.run.send_signal(number)
    product.run.send_signal(number)  # some senders signal twice
    status = product.run.wait(timeout=20)

    assert time.monotonic() - begin < 5
    assert status == 0
    assert product.text.endswith("The Art Workshop is closed.\n")
    assert alive(children) == []


def test_kill_of_the_supervisor_leaves_no_child(product: Product) -> None:
    children = product.children()

    product.run.kill()

    wait_until(lambda: alive(children) == [], seconds=5)
    assert len(children) == 4


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_end_in_the_middle_of_a_painting_leaves_no_painter(product: Product, number: signal.Signals) -> None:
    (worker,) = product.children("manage.py work")
    upload_large_photo(product)
    painters: list[int] = []

    def is_at_work() -> bool:
        painters.extend(stopped_at_work(worker))
        return bool(painters)

    wait_until(is_at_work, seconds=60)
    begin = time.monotonic()

    product.run.send_signal(number)
    product.run.wait(timeout=20)

    assert time.monotonic() - begin < 5
    wait_until(lambda: alive([worker, *painters]) == [], seconds=5)
    assert len(painters) == 1


def test_killed_product_starts_again_with_the_queue_as_it_was(product: Product) -> None:
    queue = product.folder / "valkey" / "valkey.sock"
    with redis.Redis(unix_socket_path=str(socket_path(queue))) as client:
        client.set("kept", "yes")
    time.sleep(1.2)  # the file is written out every second
    product.run.kill()
    product.run.wait()

    again = Product(product.folder)
    try:
        again.wait_for("Ctrl-C ends it.")
        # The queue of the product that was killed may have answered for the new one, whose own is up a moment later.
        wait_until(lambda: _kept(queue) == b"yes", seconds=20)
    finally:
        again.end()


def _kept(queue: Path) -> bytes | None:
    with redis.Redis(unix_socket_path=str(socket_path(queue))) as client, suppress(redis.ConnectionError):
        return cast("bytes | None", client.get("kept"))
    return None


@pytest.mark.parametrize("word", ["uvicorn", "manage.py work", "manage.py tend", "valkey-server"])
def test_killed_child_is_started_again(running: Product, word: str) -> None:
    (before,) = running.children(word)

    os.kill(before, signal.SIGKILL)

    wait_until(lambda: running.children(word) not in ([], [before]), seconds=20)
    assert len(running.children()) == 4
    assert "(signal SIGKILL): starting it again in 0.5 s." in running.text
    assert running.answer() == "alive\n"


def test_worker_that_was_started_again_says_so(running: Product) -> None:
    """Killed while it lives, it comes back under another name in the same place, and the desk shows one worker."""
    wait_until(lambda: len(workers_of(running)) == 1, seconds=60)
    [(place, restarts, _memory)] = workers_of(running)
    (worker,) = running.children("manage.py work")

    os.kill(worker, signal.SIGKILL)

    wait_until(lambda: (place, restarts + 1) in [each[:2] for each in workers_of(running)], seconds=120)
    [(_place, _restarts, memory)] = workers_of(running)
    assert place == f"{socket.gethostname()}, worker 1"
    assert memory > 50_000_000


def test_restart_of_the_web_server_refuses_nobody(running: Product) -> None:
    (web,) = running.children("uvicorn")

    os.kill(web, signal.SIGKILL)

    # The supervisor holds the door open: whoever knocks meanwhile waits for the new server.
    assert running.answer() == "alive\n"


def test_queue_is_reached_by_its_owner_alone(running: Product) -> None:
    (server,) = running.children("valkey-server")
    tcp = Path(f"/proc/{server}/net/tcp").read_text() + Path(f"/proc/{server}/net/tcp6").read_text()
    sockets = {str(link.readlink()) for link in Path(f"/proc/{server}/fd").iterdir()}

    mine = [line for line in tcp.splitlines()[1:] if f"socket:[{line.split()[9]}]" in sockets]

    assert mine == []
    assert (running.folder / "valkey").stat().st_mode & 0o777 == 0o700
    assert (running.folder / "valkey" / "valkey.sock").stat().st_mode & 0o777 == 0o600


def test_data_folder_is_private(running: Product) -> None:
    database = running.folder / "artworkshop.sqlite3"

    assert database.stat().st_mode & 0o777 == 0o600
    assert (running.folder / "secret-key").stat().st_mode & 0o777 == 0o600


def test_taken_port_is_refused_in_words(first: Product, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        run = start_briefly(tmp_path / "var", PORT=str(port))

    assert run.returncode == 1
    assert run.stderr == (
        f"Port {port} on 127.0.0.1 cannot be used (Address already in use): choose another PORT or HOST.\n"
    )


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "eighty", "PORT must be a whole number from 1 to 65,535, not 'eighty'."),
        ("WORKERS", "-1", "WORKERS must be a whole number from 0 to 256, not '-1'."),
        ("DEBUG", "perhaps", "DEBUG must be yes or no, not 'perhaps'."),
        ("SECRET_KEY", "short", "SECRET_KEY must have at least 32 characters."),
        ("DATA_DIR", "/proc/var", "DATA_DIR: the folder /proc/var cannot be made (No such file or directory)."),
        ("DATABASE_URL", "mysql://x", "DATABASE_URL must begin with sqlite:// or postgres:// or postgresql://."),
        ("REDIS_URL", "localhost", "REDIS_URL must begin with redis:// or rediss:// or unix://."),
        ("STORAGE", "ftp", "STORAGE must be one of files, s3, not 'ftp'."),
        ("STORAGE", "s3", "STORAGE=s3 needs S3_BUCKET, the name of the bucket."),
        ("TIME_ZONE", "Mars", "TIME_ZONE must be the name of a time zone such as Europe/Berlin, not 'Mars'."),
    ],
)
def test_bad_setting_stops_the_start_with_a_sentence(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    run = start_briefly(tmp_path / "var", **{name: value})

    assert (run.returncode, run.stdout, run.stderr) == (2, "", sentence + "\n")


def test_nothing_to_run_is_refused_in_words(tmp_path: Path) -> None:
    run = start_briefly(tmp_path / "var", WEB="no", WORKERS="0")

    assert (run.returncode, run.stderr) == (1, "WEB=no and WORKERS=0 leave nothing to run.\n")


@pytest.mark.skipif(postgresql_programs() is None, reason="needs PostgreSQL")
def test_web_host_and_painting_host_share_a_database_and_a_queue(first: Product, tmp_path: Path) -> None:
    programs = postgresql_programs()
    assert programs is not None
    queue = Valkey(folder=tmp_path / "queue", path=tmp_path / "queue" / "socket")
    queue.start()
    with postgresql(programs) as database:
        shared = {"DATABASE_URL": database, "REDIS_URL": f"unix://{queue.path}", "SECRET_KEY": "x" * 40}
        shutil.copytree(first.folder, tmp_path / "web")
        hosts = [Product(tmp_path / "web", WORKERS="0", **shared), Product(tmp_path / "paint", WEB="no", **shared)]
        try:
            for host in hosts:
                host.wait_for("Ctrl-C ends it.")
            names = [[name_of(child) for child in host.children()] for host in hosts]
            answer = hosts[0].answer()
        finally:
            for host in hosts:
                host.end()
            queue.stop()

    assert answer == "alive\n"
    assert [sorted(each) for each in names] == [["uvicorn"], ["tend", "work"]]
    assert sorted("migrations were made" in host.text for host in hosts) == [False, True]  # they took turns


def test_deep_data_folder_gets_a_short_socket(first: Product, tmp_path: Path) -> None:
    deep = tmp_path / ("a" * 60) / ("b" * 60)
    shutil.copytree(first.folder, deep)

    product = Product(deep)
    try:
        product.wait_for("Ctrl-C ends it.")
        answer = product.answer()
    finally:
        product.end()

    assert answer == "alive\n"


def settings(folder: Path, **values: str) -> dict[str, str]:
    """Return an environment for the product that knows nothing of the tests' own settings, nor of a .env file."""
    clean = {**os.environ, **dict.fromkeys(OWN, ""), "DJANGO_SETTINGS_MODULE": "artworkshop.settings"}
    kernels = str(ROOT / "var" / "kernels")
    return {**clean, "DATA_DIR": str(folder), "KERNEL_CACHE": kernels, "WORKERS": "1", **values}


def start_briefly(folder: Path, **values: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        COMMAND, env=settings(folder, **values), capture_output=True, text=True, timeout=60, check=False
    )


def upload_large_photo(product: Product) -> None:
    """Have a photo painted that takes long: 30 megapixels of noise, in full size."""
    script = """
import io, numpy
from PIL import Image
from django.utils import timezone
from gallery.models import User
from gallery import photos
from gallery.uploads import HashedUpload
file, picture = HashedUpload("noise.jpg", "image/jpeg"), io.BytesIO()
noise = numpy.random.default_rng(0).integers(0, 255, (5000, 6000, 3), dtype=numpy.uint8)
Image.fromarray(noise).save(picture, "JPEG", quality=20)
file.add(picture.getvalue(), limit=10**9)
file.flush()
file.seek(0)
owner = User.objects.create(username="alice")
photos.add_photo(owner=owner, file=file, styles=["oil"], look="classic", full_size=True, now=timezone.now())
"""
    command = [sys.executable, "-W", "ignore", str(ROOT / "manage.py"), "shell", "-v", "0", "-c", script]
    subprocess.run(command, env=settings(product.folder), check=True, timeout=60)


def children_of(number: int) -> list[int]:
    return [child for child, parent, _ in processes() if parent == number]


def stopped_at_work(worker: int) -> list[int]:
    # Stopped, or it might be done before the test has looked.
    for painter in children_of(worker):
        with suppress(FileNotFoundError, ProcessLookupError):
            if processor_seconds(painter) > 0.2:
                os.kill(painter, signal.SIGSTOP)
                return [painter]
    return []


def processor_seconds(number: int) -> float:
    words = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def name_of(child: int) -> str:
    words = Path(f"/proc/{child}/cmdline").read_text().split("\0")
    return next(word for word in words if word in ("uvicorn", "work", "tend"))


def socket_path(path: Path) -> Path:
    """Return a path under the limit of unix sockets, by way of the current folder."""
    return Path(os.path.relpath(path)) if len(str(path)) > 100 else path


def processes() -> Iterator[tuple[int, int, str]]:
    """Yield process, parent and command line of all that live on this machine."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                yield int(folder.name), int(parent), command


def alive(numbers: list[int]) -> list[int]:
    return [number for number, _, _ in processes() if number in numbers]
