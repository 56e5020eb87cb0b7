"""The evidence on paper: `python -m explorer.readme` writes the pages of `results/` and parts of README.md and `docs/`.

Everything comes from `results/`: the raw cells of the studies (CSV) and the benchmarks (`bench.json`). Nothing is computed here but
tables.
"""
