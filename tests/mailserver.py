"""An SMTP server for tests, on a free port of this machine, with TLS of an authority that only they believe."""

import contextlib
import socketserver
import threading


class MailServer:
    """Takes mail by STARTTLS, or TLS from the first byte on; `letters` are what came, `said` the commands in clear.

    `replies` go in the place of the usual ones, by the first word of a command: `{"RCPT": "550 no such user"}`.
    """

    def __init__(self, context, *, wrapped=False, offers=("STARTTLS",), replies=None, logins=True):
        self.context, self.wrapped, self.offers, self.replies = context, wrapped, offers, replies or {}
        self.logins = logins
        self.letters, self.said, self.secret = [], [], []
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                with contextlib.suppress(OSError):
                    outer.converse(self.request)

        self._server = socketserver.TCPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def converse(self, connection):
        connection.settimeout(20)
        with contextlib.ExitStack() as held:
            lines = held.enter_context(self.lines_of(connection, held, secure=self.wrapped))
            self.answer(lines, "220 here")
            secure = self.wrapped
            while line := lines.readline().decode().strip():
                word = line.split()[0].upper()
                (self.secret if secure else self.said).append(line)
                if word in self.replies:
                    if self.replies[word] is None:
                        return
                    self.answer(lines, self.replies[word])
                elif word == "EHLO":
                    offers = [*(() if secure else self.offers), *(["AUTH PLAIN"] if self.logins else ())]
                    self.answer(lines, "250-here", *[f"250-{offer}" for offer in offers], "250 8BITMIME")
                elif word == "STARTTLS":
                    self.answer(lines, "220 go on")
                    secure, lines = True, held.enter_context(self.lines_of(connection, held, secure=True))
                elif word == "DATA":
                    self.answer(lines, "354 go on")
                    self.letters.append(b"".join(iter(lines.readline, b".\r\n")))
                    self.answer(lines, "250 kept")
                elif word == "QUIT":
                    self.answer(lines, "221 farewell")
                    return
                else:
                    self.answer(lines, "235 yes" if word == "AUTH" else "250 yes")

    def lines_of(self, connection, held, *, secure):
        """A connection as lines to read and write, over TLS when it is secure."""
        if secure:
            connection = held.enter_context(self.context.wrap_socket(connection, server_side=True))
        return connection.makefile("rwb")

    def answer(self, lines, *words):
        for each in words:
            lines.write(f"{each}\r\n".encode())
        lines.flush()
