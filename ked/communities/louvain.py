"""The Louvain engines, behind one convention: a larger resolution gives MORE communities.

An engine takes a matrix of links once, and then gives communities for any resolution and seed. The resolution gamma is that
of Reichardt and Bornholdt (arXiv cond-mat/0603718): modularity = sum over communities of (links inside / all links) minus
gamma (degree / all degrees)^2.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Cluster = Callable[[float, int], np.ndarray]  # (resolution, seed) -> label of each feature (D,)
Engine = Callable[[np.ndarray], Cluster]

DENSE_LIMIT = 128  # up to this many features python-louvain sees every link and is quick enough
NEIGHBOURS = 16  # above, it sees only the strongest links of each feature: 0.2 s a call rather than 4 s at D = 784


def python_louvain(W: np.ndarray) -> Cluster:
    """The authors' engine. Above DENSE_LIMIT features it sees only each feature's NEIGHBOURS strongest links.

    Its version 0.16 mixes two conventions: nodes move by ours, but its test for a gain multiplies the links, not the
    degrees, by the resolution, so that below 1 it stops after one pass, with many communities. Its communities are
    therefore handed back to it as nodes until none of them join any more.
    """
    import community
    import networkx as nx

    graph = nx.from_numpy_array(W if len(W) <= DENSE_LIMIT else _strongest(W, NEIGHBOURS))

    def cluster(resolution: float, seed: int) -> np.ndarray:
        labels, coarse = np.arange(len(W)), graph
        while True:
            found = community.best_partition(coarse, resolution=resolution, random_state=seed)
            labels = np.array([found[label] for label in labels])
            if len(set(found.values())) == len(found):
                return labels
            coarse = community.induced_graph(found, coarse)

    return cluster


def scikit_network(W: np.ndarray) -> Cluster:
    """Compiled, and some sixty times faster on a dense graph; its seed counts only when it shuffles the nodes."""
    from scipy.sparse import csr_matrix
    from sknetwork.clustering import Louvain

    links = csr_matrix(W)

    def cluster(resolution: float, seed: int) -> np.ndarray:
        louvain = Louvain(
            resolution=resolution,
            tol_optimization=1e-4,
            tol_aggregation=1e-4,
            shuffle_nodes=True,
            random_state=seed,
            return_probs=False,
            return_aggregate=False,
        )
        return np.asarray(louvain.fit_predict(links))

    return cluster


ENGINES: dict[str, Engine] = {"python-louvain": python_louvain, "scikit-network": scikit_network}


def default_engine(features: int) -> str:
    """The engine for this many features: the authors' own while it is quick, then the compiled one."""
    return "python-louvain" if features <= DENSE_LIMIT else "scikit-network"


def thinning(engine: str, features: int) -> str:
    """What the engine does not look at with this many features, in words; empty if it sees every link."""
    thinned = engine == "python-louvain" and features > DENSE_LIMIT
    return f"python-louvain saw only the {NEIGHBOURS} strongest links of each feature" if thinned else ""


def _strongest(W: np.ndarray, count: int) -> np.ndarray:
    """W with only those links that are among the `count` strongest of either of their two features."""
    kept = np.zeros(W.shape, dtype=bool)
    np.put_along_axis(kept, np.argpartition(-W, count, axis=1)[:, :count], True, axis=1)
    return np.where(kept | kept.T, W, 0)
