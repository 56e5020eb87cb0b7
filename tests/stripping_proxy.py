"""A reverse proxy such as stands before the server of a class: it takes a prefix off every address and passes on all the rest."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator
from typing import IO


@contextlib.contextmanager
def stripping(prefix: str, port: int) -> Iterator[str]:
    """Gives what answers at a port of this machine an address that begins with the prefix, such as "/class"; yields it."""

    class Passing(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            method, _, rest = self.rfile.readline().partition(b" ")
            headers = list(iter(self.rfile.readline, b"\r\n"))
            if not rest.startswith(f"{prefix}/".encode()):
                self.wfile.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            if not any(header.lower().startswith(b"upgrade:") for header in headers):  # one connection, one request
                headers = [header for header in headers if not header.lower().startswith(b"connection:")]
                headers.append(b"Connection: close\r\n")
            headers.append(b"X-Forwarded-For: 192.0.2.1\r\n")
            with socket.create_connection(("127.0.0.1", port)) as server:
                server.sendall(b"".join([method, b" ", rest[len(prefix) :], *headers, b"\r\n"]))
                threading.Thread(target=_pass_on, args=(self.rfile, server), daemon=True).start()
                while part := server.recv(1 << 16):
                    self.wfile.write(part)

    class Proxy(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A browser that goes away in the middle of an answer is none."""

    with Proxy(("127.0.0.1", 0), Passing) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield f"http://localhost:{proxy.server_address[1]}{prefix}"
        proxy.shutdown()


def _pass_on(source: IO[bytes], target: socket.socket) -> None:
    with contextlib.suppress(OSError, ValueError):
        while part := source.read1(1 << 16):  # type: ignore[attr-defined]
            target.sendall(part)
