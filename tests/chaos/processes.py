"""Real processes, each with a watchdog: the service, the stand-ins, and commands by hand."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from random import Random

ROOT = Path(__file__).parent.parent.parent
LONGEST_START = 60  # seconds
LONGEST_STOP = 60  # seconds: the longest operation at hand, and the last answers
LONGEST_COMMAND = 120  # seconds
WORK = (b"run_started", b"message_accepted")
LACKS = (b"ERROR the database", b"ERROR the data directory can't be used", b"ERROR the output can't be written")
RUNNER = (sys.executable, "-m", "runner")


class Died(Exception):
    """A process ended by itself, or wasn't ready in time."""


class Service:
    """`runner serve` in a folder with a project file; `command` is what to start instead of the runner.

    All that it says goes to `<folder>/logs/<name>.txt`, its temporary files to `<folder>/tmp`. Whoever ends it knows
    how: an end that nobody asked for raises Died at the next use; but one for want of its store (code 2, before any
    work) is followed by another start where it is `kept_up`, as systemd does it.
    """

    def __init__(self, folder, *, command=RUNNER, words=(), name="service", kept_up=False):
        self.folder = folder
        self._name = name
        self._command = [*command, "serve", "--json", *words]
        self._kept_up = kept_up
        self._process = None
        self._before = 0  # bytes that were said before it was started last

    @property
    def pid(self):
        """The number of the process that runs."""
        return self._process.pid

    def start(self):
        """Let it start; it may take a while until it is ready."""
        log = self._log()
        self._before = log.stat().st_size if log.exists() else 0
        self._process = begun(self._command, self.folder, self._name)

    def wait_until_ready(self):
        """Return when it has the data directory, and listens. Raises Died."""
        end = time.monotonic() + LONGEST_START
        while b'"url"' not in self._log().read_bytes()[self._before :]:
            self.check()
            if time.monotonic() > end:
                raise Died(f"the service wasn't ready after {LONGEST_START} s")
            time.sleep(0.05)

    def second(self):
        """Start another by mistake beside it, which is at work; its exit code."""
        self.wait_until_ready()
        return ended(begun(self._command, self.folder, "second"), LONGEST_START)

    def kill(self):
        """kill -9, at once."""
        self.check()
        self._process.kill()
        self._process.wait(LONGEST_STOP)

    def freeze(self):
        """Let it stand still where it is, as a machine that is paused."""
        self.check()
        self._process.send_signal(signal.SIGSTOP)

    def wake(self):
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def stop(self):
        """SIGTERM; its exit code, 0 where it had no database to start with."""
        self.check()
        self._process.send_signal(signal.SIGTERM)
        code = ended(self._process, LONGEST_STOP)
        return 0 if self._lacks_store() else code

    def check(self):
        """Raise Died when it has ended by itself."""
        if self._process.poll() is not None:
            if self._lacks_store():
                self.start()
                return
            raise Died(f"the service ended by itself with {self._process.returncode}: {self.last_words()}")

    def _lacks_store(self):
        said = self._log().read_bytes()[self._before :]
        begun = any(word in said for word in WORK)  # then it must go on by itself
        why = not said or any(word in said for word in LACKS)  # on a full disk it can't even say so
        return self._kept_up and self._process.returncode == 2 and why and not begun

    def last_words(self):
        """The end of what it said."""
        return self._log().read_text("utf-8", "replace")[-500:]

    def _log(self):
        return self.folder / "logs" / f"{self._name}.txt"

    def away(self):
        """Whatever happened, it is gone after this."""
        if self._process:
            self._process.kill()
            self._process.wait(LONGEST_STOP)


def environment(folder):
    """What a process is to find around it: temporary files in the folder, and nothing written elsewhere."""
    return {**os.environ, "TMPDIR": str(folder / "tmp"), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)}


def begun(command, folder, name):
    """A process in the folder that says what it says to `logs/<name>.txt`."""
    for needed in ("logs", "tmp"):
        (folder / needed).mkdir(exist_ok=True)
    with open(folder / "logs" / f"{name}.txt", "ab") as log:
        return subprocess.Popen(
            command, cwd=folder, env=environment(folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )


def ended(process, seconds):
    """The exit code of a process, which is killed when it takes too long. Raises Died then."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise Died(f"{process.args[1:5]} didn't end within {seconds} s") from None


def runner(folder, *words, name="command"):
    """One command of the runner, to its end; its exit code."""
    return ended(begun([*RUNNER, *words], folder, name), LONGEST_COMMAND)


@contextmanager
def sandbox(folder, *, cases=0, seed=1):
    """The stand-ins, with credentials in `<folder>/credentials`; gives their addresses."""
    command = [
        *(sys.executable, "-m", "adaptors.sandbox", "--cases", str(cases), "--seed", str(seed)),
        *("--write", str(folder / "credentials")),
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            if not line:
                raise Died("the stand-ins didn't start")
            yield json.loads(line)
        finally:
            process.kill()


def far_side_tls(folder):
    """TLS towards the stand-ins, with the client's certificate that DTP demands."""
    credentials = folder / "credentials"
    tls = ssl.create_default_context(cafile=str(credentials / "ca.pem"))
    tls.load_cert_chain(credentials / "client.pem", credentials / "client.key")
    return tls


def memory_folder(prefix):
    """A folder of its own, in memory where that can be had: disks are not what is tried out."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix=prefix, dir=memory if memory.is_dir() else None))


def free_port(chance=None):
    """A port that nobody uses, below those that outgoing connections are given."""
    chance = chance or Random()
    while True:
        port = chance.randrange(12_000, 30_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
