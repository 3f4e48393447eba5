#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes one collision on 127.0.0.1, for closewaitd to find.

Needs no root and touches nobody else: this program is the server that leaks, its old client and the
new one.
"""
import socket
import time

PATIENCE = 10  # seconds


def client_at(port):
    """A client's socket on that port of 127.0.0.1, as soon as the port is free; 0 for any."""
    sock = socket.socket()
    sock.settimeout(PATIENCE)
    # After close() this side waits a second for the server's goodbye, not a minute.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, 1)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            sock.bind(("127.0.0.1", port))
            return sock
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def main():
    """Leaks a connection, and comes again from the port of its client."""
    server = socket.create_server(("127.0.0.1", 0))
    address = server.getsockname()
    old = client_at(0)
    old.connect(address)
    leaked, (_, port) = server.accept()
    old.close()
    new = client_at(port)

    began = time.monotonic()
    try:
        new.connect(address)
        outcome = "connected"
    except OSError as error:
        outcome = f"did not connect ({error})"
    took = (time.monotonic() - began) * 1000
    print(f"src=127.0.0.1:{port} dst=127.0.0.1:{address[1]} {outcome} after {took:.1f} ms")
    leaked.close()


main()
