"""Echo servers, and sockets that block."""

import asyncio
import multiprocessing
import socket
import threading

from patience import end_in_time

LOCALHOST = "127.0.0.1"


class Listening:
    """A listener on a free port, until the end of the block."""

    def __enter__(self):
        self.socket = socket.create_server((LOCALHOST, 0), backlog=1_024)
        self.address = self.socket.getsockname()
        return self

    def __exit__(self, *_):
        self.socket.close()


class Server:
    """A thread that accepts, and one for each connection that sends back what comes."""

    def __init__(self, listening):
        self.listener = listening.socket

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        # Ends the thread that waits in `accept`, which a mere close would not.
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=send_back, args=(connection,), daemon=True).start()


def send_back(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection:
        while True:
            try:
                message = connection.recv(64)
                if not message:
                    return
                connection.sendall(message)
            except ConnectionError:
                return


class server_process:
    """The same server in a process of its own, which ends with the block."""

    def __init__(self, listening):
        self.server = Server(listening)
        self.process = multiprocessing.get_context("fork").Process(target=self.serve, daemon=True)

    def serve(self):
        end_in_time()
        self.server.accept()

    def __enter__(self):
        self.process.start()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.join()


def connect(address):
    """A client's socket."""
    client = socket.create_connection(address)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def round_trip(client, message):
    """Sends `message` and reads as many bytes back."""
    client.sendall(message)
    left = len(message)
    while left:
        got = len(client.recv(left))
        if not got:
            raise EOFError("the server closed the connection")
        left -= got


async def serve():
    """A server in the loop of this task, and its address. Asyncio sets TCP_NODELAY by itself."""

    async def send_all_back(reader, writer):
        try:
            while True:
                message = await reader.read(64)
                if not message:
                    break
                writer.write(message)
        except ConnectionError:
            pass
        writer.close()

    server = await asyncio.start_server(send_all_back, LOCALHOST, 0, backlog=1_024)
    return server, server.sockets[0].getsockname()
