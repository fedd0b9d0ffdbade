"""TCP over the loopback interface: 64 bytes there and back, over and over.

asyncio: server and clients in one loop, over streams. threading: a thread for each end of each connection.
multiprocessing: the same, with the server's threads in a process of their own.
"""

import loops
from measure import cpu_seconds, now, sample
from tcp import Listening, Server, serve, server_process

MESSAGE = b"\7" * 64


def run(scenario, runtime, effort):
    connections = int(scenario.split("_")[1])
    if runtime == "threading":
        with Listening() as listening, Server(listening):
            return threads(connections, listening.address, effort)
    if runtime == "multiprocessing":
        return processes(connections, effort)
    return loops.run(runtime, tasks(connections, effort))


def processes(connections, effort):
    cpu = cpu_seconds()
    with Listening() as listening, server_process(listening):
        figures, extra = threads(connections, listening.address, effort)
    # The kernel tells of the server's process once it has ended: its warm-up and start are in this figure.
    figures["cpu_ns"] = (cpu_seconds() - cpu) * 1e9
    return figures, extra


class Window:
    """Operations that end within it count."""

    def __init__(self, effort):
        self.opens = now() + effort.warm_up
        self.closes = self.opens + effort.budget

    def over(self, before, after, times):
        """Whether it is over; notes an operation that counts."""
        if after >= self.closes:
            return True
        if after >= self.opens:
            times.append(after - before)
        return False


def result(times, effort, cpu):
    if not times:
        raise SystemExit("no message came back in time")
    # Processor time is that of warm-up and window, so only the window's share of it counts.
    share = effort.budget / (effort.budget + effort.warm_up)
    return sample(effort.budget * 1e9 / len(times), len(times), effort.budget, cpu * share, times)


async def tasks(connections, effort):
    import asyncio

    server, address = await serve()
    streams = [await asyncio.open_connection(*address) for _ in range(connections)]
    times, cpu, window = [], cpu_seconds(), Window(effort)

    async def exchange(reader, writer):
        before = now()
        while True:
            writer.write(MESSAGE)
            await reader.readexactly(len(MESSAGE))
            after = now()
            if window.over(before, after, times):
                break
            before = after
        writer.close()

    await asyncio.gather(*(exchange(*stream) for stream in streams))
    figures = result(times, effort, cpu_seconds() - cpu)
    server.close()
    # The server's ends see that the clients are gone.
    await asyncio.sleep(0.01)
    return figures


def threads(connections, address, effort):
    import threading

    from tcp import connect, round_trip

    sockets = [connect(address) for _ in range(connections)]
    times, cpu, window = [], cpu_seconds(), Window(effort)

    def exchange(socket):
        before = now()
        while True:
            round_trip(socket, MESSAGE)
            after = now()
            if window.over(before, after, times):
                break
            before = after
        socket.close()

    clients = [threading.Thread(target=exchange, args=(socket,)) for socket in sockets]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return result(times, effort, cpu_seconds() - cpu)
