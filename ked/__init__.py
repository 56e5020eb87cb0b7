"""Knowledge Explaining Distillation (arXiv 2310.02572): the method, without any screen."""

import os

# Threads that wait for each other by spinning stand still as soon as another process wants the same cores: two trainings side
# by side were 10 to 100 times slower than with threads that sleep. Read by OpenMP when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
