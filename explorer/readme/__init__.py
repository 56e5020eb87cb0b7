"""The evidence as people read it on paper: `python -m explorer.readme` writes `results/README.md`, its figures and the generated parts of README.md and `docs/`.

Everything comes from `results/`: the raw cells of the studies (CSV) and the benchmarks (`bench.json`). Nothing is computed here but
tables.
"""
