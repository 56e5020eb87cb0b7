"""What the attributions page says in words is what its numbers say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from explorer.words.attributions import (
    Line,
    duration,
    meaning,
    orders,
    sanity,
    shapley,
    share,
    summary,
    table,
    tiny,
    verdict,
)
from ked.attribution import ATTRIBUTIONS
from ked.attribution.likeness import Likeness
from ked.attribution.quality import Curve, Measured
from ked.attribution.sanity import Verdict
from ked.attribution.shapley import ExactShapley


def measured(deletion: float, insertion: float) -> Measured:
    flat = (Curve(np.array([0.0, 1.0]), np.full(2, area)) for area in (deletion, insertion))
    return Measured(np.arange(2.0), 0.01, *flat, 2.0)


def line(method: str, correlation: float) -> Line:
    return Line("net", method, measured(0.1, 0.9), Likeness(0.5, 0.2, 1.0), 0.3, Verdict(correlation))


def test_the_sentence_on_sanity_sorts_the_methods() -> None:
    said = sanity([line("a", 0.1), line("a", 0.2), line("b", 0.9), line("c", 0.1), line("c", 0.7), line("d", float("nan"))])
    assert said.startswith("Passing for every net: **a**; failing for every net: **b**; passing for some: **c**. ")
    assert verdict(Verdict(float("nan"))) == "nothing to judge"


def test_the_summary_names_the_best_orders_and_what_is_nearest_to_the_own_explanation() -> None:
    def of(method: str, deletion: float, insertion: float, ranks: float) -> Line:
        return Line("net", method, measured(deletion, insertion), Likeness(ranks, 0.2, 0.1))

    lines = [of("own explanation", 0.3, 0.6, 1.0), of("a", 0.1, 0.7, 0.2), of("b", 0.2, 0.9, 0.5)]
    said = summary(lines, "spearman")
    assert "in the order of **a** (deletion 0.10)" in said
    assert "added in the order of **b** (insertion 0.90)" in said
    assert "reaches 0.30 and 0.60; nearest to it is **b** (0.50)" in said
    assert "own explanation" not in summary(lines[1:], "spearman")


def test_the_sentence_on_orders_names_the_best_and_the_worst_of_a_net() -> None:
    def of(method: str, deletion: float, insertion: float) -> Line:
        ramp = Curve(np.linspace(0, 1, 11), 2 * deletion * np.linspace(1, 0, 11))
        rise = Curve(np.linspace(0, 1, 11), 2 * insertion * np.linspace(0, 1, 11))
        return Line("net", method, Measured(np.arange(2.0), 0.01, ramp, rise, 2.0), Likeness(0.1, 0.1, 0.1))

    lines = [of("a", 0.3, 0.1), of("b", 0.1, 0.4), of("c", 0.2, 0.45)]
    assert orders(lines) == (
        "The net loses its answer soonest in the order of **b** (area 0.10, halfway after 50 % of the features) and wins it soonest "
        "in that of **c** (0.45, halfway after 50 %); the latest are a (0.30) and a (0.10)."
    )
    assert orders(lines[:1]).endswith("(0.10, halfway after 50 %).")


def test_a_map_that_is_the_same_everywhere_is_the_best_of_nothing() -> None:
    flat = replace(line("b", 0.1), measured=replace(measured(0.0, 1.0), values=np.zeros(2)))
    for told in (summary([line("a", 0.1), flat], "spearman"), orders([line("a", 0.1), flat])):
        assert "**b**" not in told
        assert "nan" not in told
    assert summary([flat], "spearman") == orders([flat]) != ""
    assert table([line("a", 0.1), flat])["deletion"].isna().tolist() == [False, True]


def test_the_table_has_every_number_and_no_empty_column() -> None:
    rows = table([line("a", 0.1)])
    assert rows.iloc[0].tolist() == ["net", "a", 10.0, 0.1, 0.9, 0.5, 0.2, 1.0, 2.0, 0.3, 0.1, "passes"]
    bare = Line("net", "a", line("a", 0.1).measured, Likeness(*[float("nan")] * 3))
    assert list(table([bare])) == ["net", "method", "ms", "deletion", "insertion", "infidelity"]


def test_where_the_own_explanation_is_not_first_it_is_said_how_many_are_before_it() -> None:
    def of(method: str, deletion: float) -> Line:
        return Line("net", method, measured(deletion, 0.9), Likeness(0.1, 0.2, 0.1))

    told = meaning([of("own explanation", 0.2), of("a", 0.1), of("b", 0.3)], 7)
    assert "test sample 7" in told[0]
    assert "does worse by deletion than 1 of the 2 other methods" in told[1]
    assert len(meaning([of("own explanation", 0.1), of("a", 0.2)], 7)) == 1


def test_numbers_are_written_short() -> None:
    assert [share(value) for value in (0.973, -0.2, 1.0, -1.0, 0.0, float("nan"))] == [".97", "−.20", "1.00", "−1.00", ".00", "–"]
    assert [tiny(value) for value in (2.9e-6, 0.0, 1e-12)] == ["3·10⁻⁶", "0", "1·10⁻¹²"]
    assert [duration(value) for value in (0.00019, 0.0041, 0.24, 2.34)] == ["0.19 ms", "4.1 ms", "240 ms", "2.3 s"]


def test_the_sentence_on_shapley_values_has_error_and_speed_up() -> None:
    found = ExactShapley(np.array([1.0, 2.0]), np.array([1.0, 2.000001]), np.array([1.5, 2.0]), 0.001, 0.2, 2)
    said = shapley("explaining teacher", found)
    assert "all 2 orders of the explaining teacher's superfeatures" in said
    assert "**1·10⁻⁶ nats**" in said
    assert "**200 times** as fast" in said
    assert "differ by up to 0.50 nats" in said
    assert set(ATTRIBUTIONS) >= {"own", "grad-cam"}
