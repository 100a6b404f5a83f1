"""Stand-ins of Primero and of DTP, UNHCR's gateway: what jobs are tried out against, with invented people only.

They answer as the real ones do, unhelpfully where those are unhelpful, and break on demand. Each is a pure function
from request to response, so they run in three ways:

* `python -m adaptors.sandbox` listens on 127.0.0.1 with HTTPS and tells where; `-h` names the options;
* `Sandbox()` has both without sockets, with the transport and the credentials that a job's state needs;
* `Primero(config).answer(request)` and `Dtp().answer(request)` alone.

Example, in a test: `sandbox = Sandbox(cases=20); sandbox.faults.add(Fault("reset", method="POST"))`.
"""

from adaptors.sandbox.faults import Fault
from adaptors.sandbox.inprocess import Sandbox

__all__ = ["Fault", "Sandbox"]
