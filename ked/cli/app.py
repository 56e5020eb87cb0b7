"""The command line of the app: `python -m ked app` starts it, from any folder."""

from __future__ import annotations

import errno
import os
import socket
import sys
from typing import Annotated

import typer

from ked.errors import InvalidInput, Unavailable, quoted
from ked.files import processes
from ked.files.shipped import TOP
from ked.showing import check_packages

app = typer.Typer()

_SEARCHED = 100  # ports, from the wanted one on


@app.command("app")
def app_command(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where it answers; if taken, the next free port. 0: any.")
    ] = 8501,
    host: Annotated[
        str, typer.Option(help="Whom it listens to: localhost for this machine alone, 0.0.0.0 for all who can reach it.")
    ] = "localhost",
) -> None:
    """Open the explorer in a browser."""
    check_packages()
    free = _free_port(host, port)
    if free != port:
        typer.echo(f"Port {port} is taken; the app answers at port {free}.", err=True)
    if not processes.for_this_machine(host):
        typer.echo("Everybody who can reach this machine can use this app.", err=True)
    # -P: what lies in the folder where somebody starts it is not imported by mistake.
    command = [sys.executable, "-P", "-m", "streamlit", "run", str(TOP / "explorer" / "app.py")]
    command += [f"--server.port={free}", f"--server.address={host}"]
    os.execve(command[0], command, processes.surroundings())  # whoever stops this process stops the server


def _free_port(host: str, wanted: int) -> int:
    """The first port from the wanted one on that nobody answers at."""
    for port in range(wanted, min(wanted + _SEARCHED, 65536)):
        if not _taken(host, port):
            return port
    raise Unavailable(f"port {wanted} and those after it are taken; choose another with --port.")


def _taken(host: str, port: int) -> bool:
    try:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        raise InvalidInput(
            f"--host {quoted(host)} is no host; use localhost, 0.0.0.0 or an address of this machine."
        ) from None
    return any(_bound(family, place, port) for family, _, _, _, place in places)


def _bound(family: int, place: tuple[object, ...], port: int) -> bool:
    """Whether somebody listens at this very place."""
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # nobody listens where a connection only lingers
            probe.bind(place)
    except PermissionError:
        raise InvalidInput(f"port {port} may not be opened by you; choose one from 1024 on with --port.") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return True
        if place[0] != "::1":  # which a machine without IPv6 does not have
            raise InvalidInput(f"--host {quoted(place[0])} is no address of this machine; use localhost or 0.0.0.0.") from None
    return False
