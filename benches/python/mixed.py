"""Waiting beside work: 16 clients that send 64 bytes, each 5 ms after its last answer, beside 64 loops that each have one job of
about 4 ms under way.

asyncio: clients, server and loops are tasks, jobs go to a pool of two processes with `run_in_executor`. threading: clients and
server are threads, and so are the two that do the jobs. multiprocessing: as threading, with a pool of two processes.

The value is the p99 of the answers; operations are jobs, which `extra` tells by the second.
"""

import asyncio
import concurrent.futures
import multiprocessing
import threading
import time

import loops
from measure import cpu_seconds, latency, now, sample
from patience import end_in_time
from tcp import Listening, Server, connect, round_trip, serve

CLIENTS = 16
LOOPS = 64
# Seconds from an answer to the next message of the same client.
PACE = 0.005
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
    with make_pool(runtime) as pool:
        # All workers have started.
        concurrent.futures.wait([pool.submit(job) for _ in range(2 * WORKERS)])
        window = Window(2 * effort.warm_up, 3 * effort.budget)
        if runtime in ("asyncio", "uvloop"):
            loops.run(runtime, tasks(pool, window))
        else:
            threads(pool, window)
    wall = window.closes - window.opens
    # The kernel tells of worker processes once they have ended: from their start to the end of the last job is in this figure.
    cpu = cpu_seconds() - cpu
    value = latency(window.times)["p99"]
    return sample(value, window.jobs, wall, cpu, window.times, jobs_per_second=window.jobs / wall)


def make_pool(runtime):
    if runtime == "threading":
        return concurrent.futures.ThreadPoolExecutor(WORKERS)
    context = multiprocessing.get_context("fork")
    return concurrent.futures.ProcessPoolExecutor(WORKERS, mp_context=context, initializer=end_in_time)


class Window:
    """Answers and jobs that end within it count."""

    def __init__(self, warm_up, length):
        self.opens = now() + warm_up
        self.closes = self.opens + length
        self.times = []
        self.jobs = 0
        self.lock = threading.Lock()

    def is_over(self):
        return now() >= self.closes

    def answer(self, sent):
        after = now()
        if self.opens <= after < self.closes:
            self.times.append(after - sent)

    def job(self):
        if self.opens <= now() < self.closes:
            with self.lock:
                self.jobs += 1


def offset(client):
    """Seconds before a client's first message, so that they do not all speak at once."""
    return PACE * client / CLIENTS


async def tasks(pool, window):
    loop = asyncio.get_running_loop()
    server, address = await serve()

    async def client(number):
        reader, writer = await asyncio.open_connection(*address)
        await asyncio.sleep(offset(number))
        while not window.is_over():
            sent = now()
            writer.write(MESSAGE)
            await reader.readexactly(len(MESSAGE))
            window.answer(sent)
            await asyncio.sleep(PACE)
        writer.close()

    async def work():
        while not window.is_over():
            await loop.run_in_executor(pool, job)
            window.job()

    await asyncio.gather(*(client(n) for n in range(CLIENTS)), *(work() for _ in range(LOOPS)))
    server.close()
    # The server's ends see that the clients are gone.
    await asyncio.sleep(0.01)


def threads(pool, window):
    with Listening() as listening, Server(listening):

        def client(number):
            with connect(listening.address) as socket:
                time.sleep(offset(number))
                while not window.is_over():
                    sent = now()
                    round_trip(socket, MESSAGE)
                    window.answer(sent)
                    time.sleep(PACE)

        def work():
            while not window.is_over():
                pool.submit(job).result()
                window.job()

        users = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
        users += [threading.Thread(target=work) for _ in range(LOOPS)]
        for user in users:
            user.start()
        for user in users:
            user.join()
