"""The evidence on paper: `python -m explorer.readme` writes `results/README.md`, its figures, and parts of README.md and `docs/`.

Everything comes from `results/`: the raw cells of the studies (CSV) and the benchmarks (`bench.json`). Nothing is computed here but
tables.
"""
