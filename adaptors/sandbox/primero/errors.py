"""The ways in which Primero says no, each as an exception that knows its response (primero-api §9).

```
Refusal                 any answer that ends a request early
├── Forbidden           403
├── NotFound            404 with detail
├── Conflict            409
├── Invalid             422, schema or model
└── Broken              500, what the server stumbles over
```
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adaptors.sandbox.wire import Response, json_response


class Refusal(Exception):
    """Ends the request with `status` and a list of error objects."""

    status = 500

    def __init__(self, *errors: Mapping[str, Any]) -> None:
        super().__init__(self.status)
        self.errors = errors

    def response(self, resource: str) -> Response:
        """The envelope of all errors but 401: `{"errors": [{status, resource, detail?, message}]}`."""
        errors = [{"status": self.status, "resource": resource, **error} for error in self.errors]
        return json_response(self.status, {"errors": errors}, {"Cache-Control": "no-cache"})


class Forbidden(Refusal):
    """The account may not do this, or not with this record."""

    status = 403

    def __init__(self, message: str = "Forbidden") -> None:
        super().__init__({"message": message})


class NotFound(Refusal):
    """No record of that kind with that id; `model` is Primero's own name for the kind."""

    status = 404

    def __init__(self, model: str, key: str) -> None:
        super().__init__({"detail": f"Couldn't find {model} with 'id'=\"{key}\"", "message": "Not Found"})


class Conflict(Refusal):
    """The id or the case id is taken; the answer does not say which."""

    status = 409

    def __init__(self) -> None:
        super().__init__({"message": "Conflict: A record with this id already exists"})


class Invalid(Refusal):
    """What was sent breaks a rule."""

    status = 422

    @classmethod
    def schema(cls, pointers: Sequence[str]) -> Invalid:
        """Values of a wrong type, by JSON pointer."""
        return cls({"detail": list(pointers), "message": "Invalid Record JSON"})

    @classmethod
    def model(cls, problems: Mapping[str, str]) -> Invalid:
        """Broken rules of the model, one error per attribute; the message is a list."""
        return cls(*({"detail": attribute, "message": [text]} for attribute, text in problems.items()))

    @classmethod
    def missing_data(cls) -> Invalid:
        """A call that insists on `data`."""
        return cls({"message": "param is missing or the value is empty: data"})


class Broken(Refusal):
    """An exception inside the server; a real one shows its raw text here."""

    def __init__(self, message: str = "Something went wrong") -> None:
        super().__init__({"message": message})
