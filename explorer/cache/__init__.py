"""Everything that is remembered between reruns and visitors: the only room with `st.cache_*`.

What is remembered of a run stands under the run itself (`keys`), a few names and small numbers; nets and matrices travel as results,
never as keys. Blocks ask the room, `cache.net(run, "teacher")`, and need not know which file answers.
"""

from explorer.cache.agreement import survey
from explorer.cache.attributions import CHECKED, attribution, exact, kept, parts, sanity_check, sensitivity
from explorer.cache.datasets import asked, checkup, columns, dataset, intake
from explorer.cache.dependency_graph import dependency, modularity_for_nothing, ordered, positions, superfeatures, sweep
from explorer.cache.explanations import branch_maps, class_maps, contributions_of, explanation, test_predictions
from explorer.cache.figures import figure
from explorer.cache.over_epochs import agreements, forming, trajectories
from explorer.cache.runs import (
    convolutional,
    curves,
    data_changed,
    dataset_of,
    facts,
    heard,
    is_sound,
    list_runs,
    mean_image,
    net,
    recipe,
    recorded,
    status,
)

__all__ = [
    "CHECKED", "agreements", "asked", "attribution", "branch_maps", "checkup", "class_maps", "columns", "contributions_of", "convolutional",
    "curves", "data_changed", "dataset", "dataset_of", "dependency", "exact", "explanation", "facts", "figure", "forming", "heard",
    "intake", "is_sound", "kept", "list_runs", "mean_image", "modularity_for_nothing", "net", "ordered", "parts", "positions", "recipe",
    "recorded", "sanity_check", "sensitivity", "status", "superfeatures", "survey", "sweep", "test_predictions", "trajectories",
]  # fmt: skip
