"""A far side that puts a child's data wherever HTTP has a place for it: bodies, headers, redirects, pages, reasons."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

import httpx

CANARY = "Nyakuoth Quillwort"
CANARIES = (CANARY, "Nyakuoth", "Quillwort", "+251 911 55 57 73", "251911555773")
SAID = f"{CANARY}, +251 911 55 57 73, is not valid"
CASE = "7c1e55aa-0d4e-4b7e-8a43-0d9f5f2f6f11"  # an id is taken at its word; the log alone knows better
PAGE = f"<html><head><title>{SAID}</title></head><body>{SAID}</body></html>".encode()
ERRORS = json.dumps(
    {
        "errors": [
            {"status": 422, "resource": f"/api/v2/cases/{CANARY}", "detail": CANARY, "message": [SAID]},
            {"status": 422, "resource": "/api/v2/cases", "detail": ["/Nyakuoth", f"/data/{CANARY}"], "message": SAID},
        ],
        "error": SAID,
        "message": SAID,
        "statusCode": 403,
        "Nyakuoth": SAID,
    }
).encode()
RECORD = {
    "id": CASE, "case_id": CASE, "case_id_display": CANARY, "record_id": CANARY, "name": SAID, "owned_by": CANARY,
    "status": CANARY, "primero_version": f"{CANARY} 1.0", "unhcr_individual_no": CANARY, "last_updated_at": CANARY,
    "unique_id": CANARY, "user_name": CANARY, "full_name": CANARY, "email": f"{CANARY}@example.org",
}  # fmt: skip
NAMED = {**RECORD, "id": CANARY, "case_id": "Nyakuoth"}  # not even the id is one
HEADERS = {
    "Set-Cookie": f"child={CANARY}", "Retry-After": "Nyakuoth", "WWW-Authenticate": f'Basic realm="{CANARY}"',
    "X-Child": CANARY, "Server": CANARY, "Warning": f'199 - "{CANARY}"',
}  # fmt: skip

# What it answers, by name: status, type, body.
ANSWERS = {
    **{f"json {status}": (status, "application/json", ERRORS) for status in (400, 401, 403, 404, 409, 422, 429, 500)},
    **{f"page {status}": (status, "text/html", PAGE) for status in (200, 403, 404, 422, 502)},
    "redirect 302": (302, "text/html", PAGE),
    "redirect 307": (307, "text/html", PAGE),
    "record": (200, "application/json", json.dumps({"data": RECORD}).encode()),
    "records": (200, "application/json", json.dumps({"data": [RECORD], "metadata": {"total": CANARY}}).encode()),
    "named record": (200, "application/json", json.dumps({"data": NAMED}).encode()),
    "named records": (200, "application/json", json.dumps({"data": [NAMED], "metadata": {"total": 1}}).encode()),
    "text as data": (200, "application/json", json.dumps({"data": CANARY}).encode()),
    "list": (200, "application/json", json.dumps([CANARY]).encode()),
    "half": (200, "application/json", ERRORS[:40]),
    "no HTTP": (0, "", f"{CANARY}\r\n\r\n".encode()),
    "too short": (-1, "application/json", ERRORS),
}  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        status, kind, body = ANSWERS[self.server.answers]
        self.close_connection = True
        if status == 0:
            self.wfile.write(body)
            return
        self.send_response_only(abs(status) if status > 0 else 200, CANARY)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        if 300 <= status < 400:
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/{CANARY}?name={CANARY}")
        self.send_header("Content-Type", f"{kind}; title={CANARY}")
        self.send_header("Content-Length", str(len(body) + (7 if status < 0 else 0)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        """Keeps the test's own output clean."""


class SometimesHostile(httpx.BaseTransport):
    """Carries requests to a sandbox; a part of them is answered by the far side that is hostile, by chance."""

    def __init__(self, sandbox, answers, *, part=0.2):
        self._inner, self._answers, self._part = sandbox.transport, answers, part
        self._random = Random(answers)
        self.hostile = 0

    def handle_request(self, request):
        if self._random.random() > self._part:
            return self._inner.handle_request(request)
        self.hostile += 1
        status, kind, body = ANSWERS[self._answers]
        if status <= 0:
            raise httpx.RemoteProtocolError(f"{SAID}: {body!r}", request=request)
        headers = {**HEADERS, "Content-Type": kind, "Location": f"https://{request.url.host}/{CANARY}?name={CANARY}"}
        reason = {"reason_phrase": CANARY.encode()}
        return httpx.Response(status, headers=headers, content=body, request=request, extensions=reason)


class Misnamed(httpx.BaseTransport):
    """Carries requests to a sandbox; where its answers have these fields, a name stands in each."""

    def __init__(self, sandbox, name, *fields):
        self._inner, self._name, self._fields = sandbox.transport, name, fields
        self.given = 0

    def handle_request(self, request):
        answer = self._inner.handle_request(request)
        content = answer.read()
        if "json" in answer.headers.get("content-type", ""):
            content = json.dumps(json.loads(content, object_hook=self._misnamed))
        return httpx.Response(answer.status_code, content=content, request=request)

    def _misnamed(self, record):
        misnamed = {field: self._name for field in self._fields if field in record}
        self.given += len(misnamed)
        return {**record, **misnamed}


@contextmanager
def hostile(answers="json 422"):
    """It listens until the block ends; `answers` is one of ANSWERS, and may be set anew."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.answers, server.daemon_threads = answers, True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def credentials_for(server, folder):
    """Credentials of both systems that lead to it; the folder."""
    url = f"http://127.0.0.1:{server.server_port}"
    folder.mkdir(mode=0o700)
    told = {
        "primero": {"url": url, "user": "integration", "password": "s3cret"},
        "progres": {
            "transport": "dtp", "referral_url": f"{url}/referral", "decision_url": f"{url}/decision",
            "subscription_key": "s3cret",
        },
    }  # fmt: skip
    for name, credential in told.items():
        path = folder / f"{name}.yaml"
        path.write_text(json.dumps(credential))
        path.chmod(0o600)
    return folder


def found_in(*texts):
    """The canaries that are in any of these texts."""
    return [canary for canary in CANARIES for text in texts if canary.lower() in text.lower()]
