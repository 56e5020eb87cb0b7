"""How long a job takes to begin."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from ked import jobs
from ked.bench.contest import fresh_home
from ked.errors import Unavailable
from ked.jobs import workers
from ked.recipe import Recipe


def waiting_for_jobs() -> dict[str, Any]:
    """From submitting a digits run (500-500 teacher, nothing cached) to its first words, without and with a warm worker."""
    with fresh_home():
        cold = _first_words(seed=0)
        warm = [_first_words(seed=seed) for seed in range(1, 6)]
        workers.keep_warm()
        memory = workers.process().memory_full_info()
    return {
        "cold_training_seconds": cold["training"],
        "cold_epoch_seconds": cold["epoch"],
        "warm_training_seconds": median(words["training"] for words in warm),
        "warm_epoch_seconds": median(words["epoch"] for words in warm),
        "slowest_warm_epoch_seconds": max(words["epoch"] for words in warm),
        "worker_resident_megabytes": memory.rss / 1e6,
        "worker_own_megabytes": memory.uss / 1e6,  # what is no file of torch's that others map too
    }


def _first_words(seed: int) -> dict[str, float]:
    """Kind of event -> seconds from the click until it stands in events.jsonl; the job is then cancelled."""
    began, found = time.perf_counter(), dict[str, float]()
    job = jobs.submit(Recipe(dataset="digits", seed=seed))
    while "epoch" not in found:
        if jobs.status(job) not in ("queued", "running"):
            raise Unavailable(f"the run that was to be measured is {job.status}: {job.info['message']}")
        for event in job.events()[0]:
            found.setdefault(event["kind"], time.perf_counter() - began)
        time.sleep(0.005)
    jobs.cancel(job)
    while jobs.status(job) == "running":
        time.sleep(0.05)
    return found
