"""No-op tasks, until all have run.

asyncio: 20,000 at once, a task each. threading: 2,000, a thread each, 100 alive at most. multiprocessing: 2,000, a job each for
a pool of two processes.
"""

import asyncio
import multiprocessing
import threading

import loops
from measure import batches, cpu_seconds
from patience import end_in_time

TASKS = 20_000
# So many at once of what costs ten times as much; a batch of all would take seconds.
FEWER = 2_000
# Threads that are started before the first of them is joined.
ROW = 100


def run(_scenario, runtime, effort):
    if runtime == "threading":
        return batches(effort, FEWER, threads)
    if runtime == "multiprocessing":
        return processes(effort)
    return batches(effort, TASKS, lambda: loops.run(runtime, tasks()))


async def tasks():
    async def nothing():
        pass

    await asyncio.gather(*(asyncio.ensure_future(nothing()) for _ in range(TASKS)))


def threads():
    for _ in range(FEWER // ROW):
        row = [threading.Thread(target=nothing) for _ in range(ROW)]
        for thread in row:
            thread.start()
        for thread in row:
            thread.join()


def processes(effort):
    pool = multiprocessing.get_context("fork").Pool(2, initializer=end_in_time)

    def batch():
        for job in [pool.apply_async(nothing) for _ in range(FEWER)]:
            job.get()

    cpu = cpu_seconds()
    figures, extra = batches(effort, FEWER, batch)
    pool.close()
    pool.join()
    # The kernel tells of the two once they have ended: their share belongs to the batches, but for the warm-up.
    figures["cpu_ns"] = (cpu_seconds() - cpu) * 1e9
    return figures, extra


def nothing():
    pass
