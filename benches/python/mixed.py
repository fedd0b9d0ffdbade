"""Waiting beside work: 16 clients that send 64 bytes every 10 ms, beside 64 loops that each have one job of about 4 ms under way.

asyncio: clients, server and loops are tasks, jobs go to a pool of two processes with `run_in_executor`. threading: clients and
server are threads, and so are the two that do the jobs. multiprocessing: as threading, with a pool of two processes.

The value is the p50 of the echo; `extra` has the jobs per second. A client that is late does not catch up on what it missed.
"""

import asyncio
import concurrent.futures
import multiprocessing
import threading
import time

import loops
from measure import cpu_seconds, latency, now, sample
from tcp import Listening, Server, connect, round_trip, serve

CLIENTS = 16
LOOPS = 64
# Seconds from one message of a client to its next.
PACE = 0.01
WORKERS = 2
# Steps of a job: about 4 ms on the machine that this was written on. Fixed, so that every process does the same work.
STEPS = 50_000
MESSAGE = b"\7" * 64


def job():
    x = 1
    for step in range(STEPS):
        x = (x * 31 + step) & 0xFFFF
    return x


def run(_scenario, runtime, effort):
    cpu = cpu_seconds()
    pool = make_pool(runtime)
    with pool:
        # All workers have started.
        concurrent.futures.wait([pool.submit(job) for _ in range(2 * WORKERS)])
        # Twice as long as other scenarios: the jobs come few at a time.
        window = Window(2 * effort.budget)
        if runtime in ("asyncio", "uvloop"):
            loops.run(runtime, tasks(pool, window))
        else:
            threads(pool, window)
        wall = now() - window.start
        pool.shutdown(wait=True)
    times, jobs = window.times, window.jobs
    # The kernel tells of worker processes once they have ended: their start is in this figure.
    return sample(latency(times)["p50"], len(times), wall, cpu_seconds() - cpu, times, jobs_per_second=jobs / wall)


def make_pool(runtime):
    if runtime == "threading":
        return concurrent.futures.ThreadPoolExecutor(WORKERS)
    context = multiprocessing.get_context("fork")
    return concurrent.futures.ProcessPoolExecutor(WORKERS, mp_context=context)


class Window:
    """What clients and loops note until it closes."""

    def __init__(self, length):
        self.start = now()
        self.closes = self.start + length
        self.times = []
        self.jobs = 0
        self.lock = threading.Lock()

    def is_open(self):
        return now() < self.closes

    def count_job(self):
        with self.lock:
            self.jobs += 1


def pause(client, sent):
    """Seconds until a client's turn, none of which coincide; from when its last message was sent."""
    return max(0.0, sent + PACE - now()) if sent is not None else PACE * client / CLIENTS


async def tasks(pool, window):
    loop = asyncio.get_running_loop()
    server, address = await serve()

    async def client(number):
        reader, writer = await asyncio.open_connection(*address)
        sent = None
        while window.is_open():
            await asyncio.sleep(pause(number, sent))
            sent = now()
            writer.write(MESSAGE)
            await reader.readexactly(len(MESSAGE))
            window.times.append(now() - sent)
        writer.close()

    async def work():
        while window.is_open():
            await loop.run_in_executor(pool, job)
            window.count_job()

    await asyncio.gather(*(client(n) for n in range(CLIENTS)), *(work() for _ in range(LOOPS)))
    server.close()
    # The server's ends see that the clients are gone.
    await asyncio.sleep(0.01)


def threads(pool, window):
    with Listening() as listening, Server(listening):

        def client(number):
            sent = None
            with connect(listening.address) as socket:
                while window.is_open():
                    time.sleep(pause(number, sent))
                    sent = now()
                    round_trip(socket, MESSAGE)
                    window.times.append(now() - sent)

        def work():
            while window.is_open():
                pool.submit(job).result()
                window.count_job()

        users = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
        users += [threading.Thread(target=work) for _ in range(LOOPS)]
        for user in users:
            user.start()
        for user in users:
            user.join()
