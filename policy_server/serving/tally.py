"""What a server counts, told as Prometheus metrics. Counting is a plain addition; the format is made when asked."""

from __future__ import annotations

import bisect
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

#: upper bounds [s]: from a fast head on a GPU to a model on a CPU
BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
BATCHES = (1, 2, 4, 8, 16, 32, 64)


class Tally:
    """Counters since the server started. gauges: names and what gives their present value."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self._lock = threading.Lock()
        self.answers: Counter[str] = Counter()  # by op
        self.refusals: Counter[tuple[str, str]] = Counter()  # by op and code
        self.received_bytes = 0
        self.cancelled = 0
        self._infer_s = _Buckets(BUCKETS_S)
        self._total_s = _Buckets(BUCKETS_S)
        self._batch = _Buckets(BATCHES)
        self._gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def gauge(self, name: str, help: str, value: Callable[[], float]) -> None:
        self._gauges[name] = (help, value)

    def answered(self, op: str) -> None:
        with self._lock:
            self.answers[op] += 1

    def refused(self, op: str, code: str) -> None:
        with self._lock:
            self.refusals[op, code] += 1

    def settled(self, op: str, code: str | None, total_s: float, said: bool) -> None:
        """A queued request is done with. total_s: since it arrived. said: whether its client was told."""
        if not said:
            self.cancelled += 1
        elif code is not None:
            self.refused(op, code)
        else:
            self.answered(op)
            if op == "infer":
                self._total_s.add(total_s)

    def inference(self, seconds: float, observations: int) -> None:
        self._infer_s.add(seconds)
        self._batch.add(observations)

    def text(self) -> str:
        """Prometheus' text format."""
        return generate_latest(self._registry).decode()

    @property
    def registry(self) -> CollectorRegistry:
        return self._registry

    def collect(self) -> Iterable[Metric]:
        """For `prometheus_client`."""
        answers = CounterMetricFamily("touchstone_answers", "Requests answered.", labels=["op"])
        for op, count in list(self.answers.items()):
            answers.add_metric([op], count)
        refusals = CounterMetricFamily("touchstone_refusals", "Requests refused.", labels=["op", "code"])
        for labels, count in list(self.refusals.items()):
            refusals.add_metric(list(labels), count)
        yield answers
        yield refusals
        for name, help, value in (
            ("touchstone_received_bytes", "Bytes received.", self.received_bytes),
            ("touchstone_cancelled_requests", "Requests withdrawn by their client.", self.cancelled),
        ):
            yield CounterMetricFamily(name, help, value=value)
        yield self._infer_s.family("touchstone_infer_seconds", "Time in the policy, for each batch.")
        yield self._total_s.family("touchstone_total_seconds", "From a request's arrival to its answer.")
        yield self._batch.family("touchstone_batch_observations", "Observations answered together.")
        for name, (help, value_now) in self._gauges.items():
            yield GaugeMetricFamily(name, help, value=value_now())


class _Buckets:
    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        self._counts[bisect.bisect_left(self._bounds, value)] += 1
        self._sum += value

    def family(self, name: str, help: str) -> HistogramMetricFamily:
        running, buckets = 0, []
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            running += count
            buckets.append((bound, running))
        return HistogramMetricFamily(name, help, buckets=buckets, sum_value=self._sum)
