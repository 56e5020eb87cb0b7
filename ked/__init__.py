"""Knowledge Explaining Distillation (arXiv 2310.02572): the method, without any screen."""

import os

# How long an OpenMP thread spins before it sleeps while it waits for the others. By default it spins for so long that two
# trainings on the same cores stand still (measured: 10 to 100 times slower); with less, small products pay for waking up.
# Read when torch is first imported.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
