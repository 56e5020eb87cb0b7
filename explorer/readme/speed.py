"""The benchmarks' figures (`python -m ked bench all --json`) as a table of what a reader asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.readme.tables import markdown

Figures = Mapping[str, Mapping[str, Any]]

_ROWS: tuple[tuple[str, str], ...] = (
    (
        "dependency matrix, 784-500-500-10, N = 1000, against one `vmap(hessian)` over all samples",
        "{dependency[faster_than_vmap_hessian]:.0f} times faster ({dependency[closed_form_seconds]:.2f} s), relative error "
        "{dependency[relative_error]:.0e}",
    ),
    ("… against `vmap(hessian)` in batches of 10", "{dependency[faster_than_vmap_hessian_in_small_batches]:.0f} times faster"),
    ("… against `autograd.functional.hessian`, sample by sample", "{dependency[faster_than_autograd_one_by_one]:.0f} times faster"),
    ("… floor: its own matrix products", "{dependency[times_its_matrix_products]:.1f} times them"),
    (
        "4 communities of that dense graph ({communities[links]:,} links), against a linear search with python-louvain",
        "{communities[faster_than_python_louvain]:.0f} times faster ({communities[seconds]:.2f} s); it ended with "
        "{communities[python_louvain_superfeatures]} communities after {communities[python_louvain_calls]} calls",
    ),
    (
        "… with networkx",
        "{communities[faster_than_networkx]:.0f} times faster; {communities[networkx_superfeatures]} communities after "
        "{communities[networkx_calls]} calls",
    ),
    ("8 seeds of a 784-20-20-10 student, against 8 DataLoader loops", "{training[faster_than_plain_loops]:.1f} times faster"),
    ("… floor: one seed", "{training[times_one_seed]:.1f} times it"),
    ("digits run: teacher, superfeatures, explaining teacher, plain, KD, KED, 5 seeds", "{training[digits_run_seconds]:.1f} s"),
    ("an epoch of 5 KED students, floor: forward and backward alone", "{loop[times_its_products]:.1f} times them"),
    (
        "… with Adam as a loop over tensors, with `foreach`, compiled by inductor, on one thread",
        "{loop[adam_one_by_one_times_as_it_is]:.2f}, {loop[adam_foreach_times_as_it_is]:.2f}, {loop[compiled_times_as_it_is]:.2f}, "
        "{loop[one_thread_times_as_it_is]:.2f} times as long",
    ),
    (
        "own explanation against Captum's exact Shapley values, M = 2, 4, 6",
        "{shapley[faster_than_captum_M2]:.0f}, {shapley[faster_than_captum_M4]:.0f}, {shapley[faster_than_captum_M6]:.0f} times "
        "faster; equal to {shapley[error_nats_M6]:.0e} nats",
    ),
    (
        "memory that 10 thousand, 100 thousand and a million chimeras add",
        "{chimeras[added_megabytes_10000]:.0f}, {chimeras[added_megabytes_100000]:.0f}, {chimeras[added_megabytes_1000000]:.0f} MB "
        "(kept as samples, a million take {chimeras[a_million_as_a_tensor_megabytes]:.0f} MB)",
    ),
    ("chimeras, against copying as many samples", "{chimeras[times_copying_real_samples]:.1f} times as long"),
    (
        "agreement of 10 000 images, M = 4, 5 seeds, {agreement[measures]} measures; floor: the nets alone",
        "{agreement[seconds]:.2f} s, {agreement[times_the_nets_alone]:.1f} times them",
    ),
    (
        "grouped convolutions against a loop over M = 4 branches, small CNN and ResNet-8",
        "{branches[small-cnn_faster_than_a_loop]:.2f} and {branches[resnet8_faster_than_a_loop]:.2f} times faster",
    ),
    ("an epoch with the hint AT, in epochs of KD", "{hints[kd+at_times_kd]:.1f}"),
    (
        "`ked.KEDLoss` with its checks, against the formula by hand, forward and backward, M = 4, C = 100 and M = 8, C = 1000",
        "{own-nets[loss_times_by_hand_M4_C100]:.2f} and {own-nets[loss_times_by_hand_M8_C1000]:.2f} times as long",
    ),
    (
        "dependency matrix of a small ResNet, 200 pictures (3, 32, 32)",
        "{own-nets[resnet_seconds_a_sample]:.3f} s a picture, {own-nets[resnet_megabytes]:.0f} MB at most",
    ),
    (
        "recording what nets say of 10 000 samples, M = 4, C = 10, beyond the nets' own time",
        "{own-nets[record_seconds_beyond_the_nets]:.1f} s, {own-nets[record_megabytes]:.0f} MB",
    ),
    (
        "what it costs that a run can be steered, and watched",
        "{steering[slower_by_being_steerable]:.1%} and {steering[slower_by_being_watchable]:.1%} more CPU time",
    ),
    (
        "a job from submit to its first epoch, with the warm worker and a cold one",
        "{jobs[warm_epoch_seconds]:.2f} s, {jobs[cold_epoch_seconds]:.1f} s",
    ),
)
_COSTS = {"dependency": "dependency matrix", "communities": "communities", "training": "an epoch of students", "agreement": "agreement"}
_LETTERS = "DNCMK"


def speed(figures: Figures) -> str:
    """What was measured, all in one run."""
    return markdown(["what", "measured"], [[text.format(**figures).replace("%", " %") for text in row] for row in _ROWS])


def growth(figures: Figures) -> str:
    """Fitted exponents of each cost in D, N, C, M and K; empty where it was not varied."""
    found, head = figures["growth"], ["cost grows as a power of", *_LETTERS]
    rows = [[words, *[_exponent(found.get(f"{name}_exponent_{letter}")) for letter in _LETTERS]] for name, words in _COSTS.items()]
    return markdown(head, rows)


def _exponent(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}".replace("-", "−")
