"""Both stand-ins on real sockets with TLS, and the folder of credentials that leads a runner to them."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, Self

import yaml

from adaptors.sandbox.authority import Authority
from adaptors.sandbox.control import Controls, dtp_with_control, primero_with_control
from adaptors.sandbox.dtp import THUMBPRINT_HEADER
from adaptors.sandbox.inprocess import ADMINISTRATOR, Sandbox, passwords, primero_credential, progres_credential
from adaptors.sandbox.serve import Listener

PKCS12_PASSWORD = "sandbox-only"


class ListeningSandbox:
    """A sandbox on two ports of 127.0.0.1; DTP demands the client certificate made here.

    `sandbox` must have been made with `thumbprint_header=THUMBPRINT_HEADER`; `told` are the controls of another story
    than the demo's; certificates are good for so many `days`. Raises OSError when a port is taken.

    Example: `with ListeningSandbox(sandbox) as listening: listening.write_credentials(Path("credentials"))`
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        primero_port: int = 0,
        dtp_port: int = 0,
        told: Controls | None = None,
        days: int = 90,
    ) -> None:
        self._config = sandbox.config
        self._authority = Authority(days)
        self.client = self._authority.client()
        server = self._authority.server()
        self._inbox = self._authority.server()
        open_to_all = self._authority.server_context(server)
        known_only = self._authority.server_context(server, demand_client=True)
        self.primero = Listener(primero_with_control(sandbox, told), tls=open_to_all, port=primero_port)
        try:
            self.dtp = Listener(dtp_with_control(sandbox), tls=known_only, port=dtp_port)
        except OSError:
            self.primero.close()
            raise

    def close(self) -> None:
        """Stop both."""
        self.primero.close()
        self.dtp.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def addresses(self) -> dict[str, Any]:
        """Where the stand-ins listen, and the account that may do everything in Primero."""
        administrator = {"user": ADMINISTRATOR, "password": passwords(self._config)[ADMINISTRATOR]}
        return {"primero": self.primero.url, "dtp": self.dtp.url, "administrator": administrator}

    def write_credentials(self, folder: Path) -> None:
        """Write `primero.yaml`, `progres.yaml`, their PEM files and `sandbox.json`, readable by the owner only.

        `client.p12` holds the client certificate once more, as PKCS#12 under PKCS12_PASSWORD; `inbox.pem` and
        `inbox.key` are for an inbox on this machine that DTP posts to.
        """
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        primero = {**primero_credential(self.primero.url, self._config), "ca_file": "ca.pem"}
        progres = {
            **progres_credential(self.dtp.url),
            "certificate": "client.pem",
            "private_key": "client.key",
            "thumbprint_header": THUMBPRINT_HEADER,
            "ca_file": "ca.pem",
        }
        contents = {
            "ca.pem": self._authority.certificate_pem,
            "client.pem": self.client.certificate_pem,
            "client.key": self.client.key_pem,
            "client.p12": self.client.pkcs12(PKCS12_PASSWORD),
            "inbox.pem": self._inbox.certificate_pem + self._authority.certificate_pem,
            "inbox.key": self._inbox.key_pem,
            "primero.yaml": yaml.safe_dump(primero, sort_keys=False).encode(),
            "progres.yaml": yaml.safe_dump(progres, sort_keys=False).encode(),
            "sandbox.json": json.dumps(self.addresses, indent=2).encode() + b"\n",
        }
        for name, content in contents.items():
            _write_private(folder / name, content)


def until_told_to_stop(ready: dict[str, Any]) -> None:
    """Say in one line of JSON that all is ready, and wait for SIGTERM or Ctrl-C."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    stop.wait()


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)  # a file that is there may be open to others
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
