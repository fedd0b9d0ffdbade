"""What something that sleeps keeps in memory.

asyncio: 100,000 tasks. threading: 1,000 threads, without what the kernel keeps for each. multiprocessing: 16 processes, by their
proportional share of pages, since a forked process shares what it does not write to.
"""

import asyncio
import multiprocessing
import threading
import time

import loops
from measure import cpu_seconds, now, resident_bytes, sample, status_bytes
from patience import end_in_time

TASKS = 100_000
THREADS = 1_000
PROCESSES = 16

HOUR = 3_600

# What is still asleep when the loop is closed.
LEFT = []


def run(_scenario, runtime, effort):
    if runtime == "threading":
        return threads(effort)
    if runtime == "multiprocessing":
        return processes(effort)
    return loops.run(runtime, tasks(effort))


async def tasks(effort):
    number = effort.scaled(TASKS)
    cpu, start = cpu_seconds(), now()
    before = resident_bytes()
    # Deadlines differ, as they do in programs.
    asleep = [asyncio.ensure_future(asyncio.sleep(HOUR + n / 1e6)) for n in range(number)]
    # All of them have run, and set their timers, before this goes on.
    await asyncio.sleep(0)
    each = (resident_bytes() - before) / number
    figures = sample(each, number, now() - start, cpu_seconds() - cpu)
    # The tasks live on until the process exits, which is faster than to end them.
    LEFT.append(asleep)
    return figures


def threads(effort):
    number = effort.scaled(THREADS)
    all_asleep = threading.Barrier(number + 1)

    def sleeper():
        all_asleep.wait()
        time.sleep(HOUR)

    cpu, start = cpu_seconds(), now()
    before = resident_bytes()
    for _ in range(number):
        threading.Thread(target=sleeper, daemon=True).start()
    all_asleep.wait()
    each = (resident_bytes() - before) / number
    return sample(each, number, now() - start, cpu_seconds() - cpu)


def processes(effort):
    number = max(2, effort.scaled(PROCESSES))
    context = multiprocessing.get_context("fork")
    cpu, start = cpu_seconds(), now()
    own = status_bytes("/proc/self/smaps_rollup", "Pss:")
    all_asleep = context.Barrier(number + 1)

    def sleeper():
        end_in_time()
        all_asleep.wait()
        time.sleep(HOUR)

    asleep = [context.Process(target=sleeper, daemon=True) for _ in range(number)]
    for process in asleep:
        process.start()
    all_asleep.wait()
    together = sum(status_bytes(f"/proc/{pid}/smaps_rollup", "Pss:") for pid in ["self"] + [p.pid for p in asleep])
    wall = now() - start
    for process in asleep:
        process.terminate()
    for process in asleep:
        process.join()
    return sample((together - own) / number, number, wall, cpu_seconds() - cpu)
