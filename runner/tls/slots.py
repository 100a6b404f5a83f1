"""Where certificates are named that we show: in credentials, for a far side, and in the tables of inbox and console."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from runner import credentials
from runner.errors import RunnerError
from runner.inbox import settings
from runner.project import Project


@dataclass(frozen=True)
class Finding:
    """Something about a certificate that needs a look: a code, a sentence and a fix.

    `name` is the credential's, or `inbox` or `console`; `key` the entry that names the certificate, where it is one.
    For one that ends, `days` are those that are left, and `warned_at` the step of them that was reached: whoever tells
    findings by himself tells one once for each step.
    """

    name: str
    key: str
    code: str
    message: str
    fix: str
    days: int | None = None
    warned_at: int | None = None

    @property
    def where(self) -> str:
        """`north, certificate`, or `north` where it is about the whole credential."""
        return f"{self.name}, {self.key}" if self.key else self.name


@dataclass(frozen=True)
class Slot:
    """Where a certificate is named: credential, `inbox` or `console`, and its entry there, such as `next_certificate`.

    `files` are the entries of this slot as in a credential, without `next_`; `use` is the side on which it is shown.
    """

    name: str
    key: str
    use: Literal["client", "server"]
    files: dict[str, Any]

    def finding(self, code: str, message: str, fix: str, **more: int) -> Finding:
        """Something about its certificate that needs a look."""
        return Finding(self.name, self.key, code, message, fix, **more)


def slots(project: Project, folder: Path) -> Iterator[Slot | Finding]:
    """Where certificates are named: in the credentials of the project's jobs that are there, in its inbox and console.

    A credential that can't be used is a finding in the place of its slots.
    """
    for name in dict.fromkeys(file for job in project.jobs.values() for file in job.credentials.values()):
        if (folder / f"{name}.yaml").exists():
            try:
                yield from _of_credential(name, credentials.load(folder, name))
            except RunnerError as error:
                yield _unusable(name, error)
    for table in settings.TABLES:
        try:
            found = settings.of(project, table)
        except RunnerError as error:
            yield _unusable(table, error)
            continue
        if found.certificate:
            files = {"certificate": found.certificate, "private_key": found.private_key}
            yield Slot(table, "certificate", "server", files)


def _of_credential(name: str, credential: credentials.Credential) -> Iterator[Slot]:
    for prefix in ("", credentials.NEXT):
        keys = (*credentials.SLOT_KEYS, "pkcs12_password")
        files = {key: credential.get(prefix + key) for key in keys}
        if files["certificate"] or files["pkcs12"]:
            named = "pkcs12" if files["pkcs12"] else "certificate"
            yield Slot(name, prefix + named, "client", {**files, "ca_file": credential.get("ca_file")})


def _unusable(name: str, error: RunnerError) -> Finding:
    return Finding(name, "", "unusable", str(error), error.fix or "Look at it.")
