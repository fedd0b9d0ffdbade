"""How long to measure, and the figures as they leave the process; the fields of benches/src/measure/sample.rs."""

import platform
import resource
import time

now = time.perf_counter


class Effort:
    """A measurement, or with `quick` a test that everything still runs."""

    def __init__(self, quick):
        self.budget = 0.1 if quick else 0.5
        self.warm_up = 0.02 if quick else 0.1
        self.divisor = 10 if quick else 1

    def scaled(self, full):
        """A size that `quick` divides by ten."""
        return max(1, full // self.divisor)


def cpu_seconds():
    """Processor time of this process and of its children that have ended."""
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def resident_bytes():
    """Memory resident now."""
    return status_bytes("/proc/self/status", "VmRSS:")


def status_bytes(path, key):
    """A figure that the system gives in kB, in bytes."""
    with open(path, encoding="ascii") as lines:
        for line in lines:
            if line.startswith(key):
                return int(line.split()[1]) * 1024
    raise OSError(f"no {key} in {path}")


def quantile(ordered, q):
    """The value below which the share `q` lies. Nearest rank."""
    return ordered[round(q * (len(ordered) - 1))]


def latency(seconds):
    """Quantiles of the times of single operations, in ns."""
    ordered = sorted(seconds)
    return {name: quantile(ordered, q) * 1e9 for name, q in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999))}


def batches(effort, ops, batch):
    """Runs `batch`, of `ops` operations, as long as `effort` says; the value is the median over batches of ns per operation.

    At least three batches are counted.
    """
    start = now()
    while True:
        batch()
        if now() - start > effort.warm_up:
            break
    times = []
    cpu = cpu_seconds()
    start = now()
    while len(times) < 3 or now() - start < effort.budget:
        before = now()
        batch()
        times.append((now() - before) / ops)
    wall, cpu = now() - start, cpu_seconds() - cpu
    return sample(quantile(sorted(times), 0.5) * 1e9, ops * len(times), wall, cpu)


def sample(value, ops, wall, cpu, times=None, **extra):
    """A sample; `wall`, `cpu` and `times` in seconds."""
    figures = {
        "value": value,
        "ops": ops,
        "wall_ns": wall * 1e9,
        "cpu_ns": cpu * 1e9,
        "latency": latency(times) if times else None,
        "ideal": None,
    }
    return figures, extra


def outcome(sampled):
    """What the process tells its parent."""
    figures, extra = sampled
    report = {
        "sample": figures,
        "cpu_seconds": cpu_seconds(),
        # Linux counts kilobytes.
        "peak_rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "others": None,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }
    if extra:
        report["extra"] = extra
    return report
