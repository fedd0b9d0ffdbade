#!/usr/bin/env python3
"""What users come from: CPython's asyncio, uvloop, threading and multiprocessing.

    run.py [--only a,b] [--runtimes a,b] [--quick]     every scenario under every runtime, a process each, one at a time
    run.py one SCENARIO RUNTIME [--quick]              one of them, in this process
    run.py list                                        what there is

Python 3.8 or newer and its standard library; uvloop where it can be imported. Loopback only. Each process measures for half
a second (a tenth of one with --quick) after a warm-up, and is ended after 30 s at the latest.

Each line of the output is a JSON object. `one` prints exactly one such line, with the fields that `benches one` prints, and
`scenario` and `runtime`, named as there, where there is the same:

    {"scenario": "echo_1", "runtime": "asyncio",
     "sample": {"value": 58000.0,          the figure to compare by, less is better: ns, or bytes for `memory`
                "ops": 8620,               operations that were counted
                "wall_ns": 5.0e8,          how long they took together
                "cpu_ns": 4.9e8,           processor time of all threads and worker processes meanwhile
                "latency": {"p50": 56000.0, "p99": 91000.0, "p999": 130000.0},      ns of single operations, or null
                "ideal": null},            nobody has found it out
     "cpu_seconds": 0.83,                  of the whole process and its worker processes, up to the report
     "peak_rss": 21000000,                 most memory that this process ever had resident, in bytes; not its workers'
     "others": null,                       for the parent to fill in
     "extra": {"jobs_per_second": 0.0},    further figures, only in `mixed`
     "python": "CPython 3.11.7"}

A runtime that cannot be had is a line with a reason in place of a sample, and a scenario that failed one with an error:

    {"scenario": "echo_1", "runtime": "uvloop", "skipped": "No module named 'uvloop'"}
    {"scenario": "echo_1", "runtime": "threading", "failed": "no report within 30 s"}

The exit status is 0 unless something failed.
"""

import importlib
import json
import os
import signal
import subprocess
import sys

# Before anything is imported from here, so that the folder stays clean.
sys.dont_write_bytecode = True

from patience import PATIENCE, end_in_time  # noqa: E402

SCENARIOS = {
    "spawn_local": ("spawn", "20,000 no-op tasks (2,000 threads; 2,000 jobs of 2 processes) until all have run; ns each"),
    "echo_1": ("echo", "64 bytes there and back over one connection; ns of wall time each"),
    "echo_64": ("echo", "the same over 64 connections at once; ns of wall time each"),
    "memory": ("memory", "100,000 tasks (1,000 threads; 16 processes) asleep; bytes each"),
    "mixed": ("mixed", "16 paced echo clients beside 64 loops of jobs of about 4 ms; p99 of an answer in ns"),
}
RUNTIMES = ("asyncio", "uvloop", "threading", "multiprocessing")


def main(words):
    quick = "--quick" in words
    words = [word for word in words if word != "--quick"]
    if words == ["list"]:
        for name, (_, value) in SCENARIOS.items():
            print(f"{name:<12} {value}")
        return 0
    if len(words) == 3 and words[0] == "one":
        known(words[1], SCENARIOS, "scenario")
        known(words[2], RUNTIMES, "runtime")
        say(one(words[1], words[2], quick))
        # Threads that sleep for an hour are left behind.
        os._exit(0)
    scenarios, runtimes = list(SCENARIOS), list(RUNTIMES)
    while words:
        option = words.pop(0)
        if option == "--only" and words:
            scenarios = [known(name, SCENARIOS, "scenario") for name in words.pop(0).split(",")]
        elif option == "--runtimes" and words:
            runtimes = [known(name, RUNTIMES, "runtime") for name in words.pop(0).split(",")]
        else:
            raise SystemExit(__doc__)
    failed = False
    for scenario in scenarios:
        for runtime in runtimes:
            report = in_child(scenario, runtime, quick)
            failed |= "failed" in report
            say(report)
    return int(failed)


def known(name, names, kind):
    if name not in names:
        raise SystemExit(f"there is no {kind} `{name}`; there are {', '.join(names)}")
    return name


def say(report):
    print(json.dumps(report), flush=True)


def missing(runtime):
    """Why a runtime cannot be had here, or None."""
    module = {"asyncio": "asyncio", "uvloop": "uvloop", "threading": "threading"}
    try:
        importlib.import_module(module.get(runtime, "multiprocessing.synchronize"))
        importlib.import_module("resource")
    except ImportError as error:
        return str(error)
    if runtime == "multiprocessing" and not hasattr(os, "fork"):
        return "this system has no fork"
    return None


def one(scenario, runtime, quick):
    """One measurement, in this process."""
    head = {"scenario": scenario, "runtime": runtime}
    reason = missing(runtime)
    if reason is not None:
        return {**head, "skipped": reason}
    end_in_time()
    from measure import Effort, outcome

    module = importlib.import_module(SCENARIOS[scenario][0])
    return {**head, **outcome(module.run(scenario, runtime, Effort(quick)))}


def in_child(scenario, runtime, quick):
    """One measurement, in a process of its own, which is ended with all its workers if it takes too long."""
    head = {"scenario": scenario, "runtime": runtime}
    command = [sys.executable, os.path.abspath(__file__), "one", scenario, runtime]
    child = subprocess.Popen(
        command + ["--quick"] * quick,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, complaint = child.communicate(timeout=PATIENCE)
    except BaseException as reason:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        if isinstance(reason, subprocess.TimeoutExpired):
            return {**head, "failed": f"no report within {PATIENCE} s"}
        raise
    if child.returncode != 0:
        last = (complaint.strip().splitlines() or ["no output"])[-1]
        return {**head, "failed": f"exit status {child.returncode}: {last}"}
    return json.loads(output)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
