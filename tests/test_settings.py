"""Settings: every view has an address, and every recipe that the controls can make survives the way there and back."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from explorer.state import settings
from explorer.state.setting_types import Choice, Number, Setting, Several, Text
from explorer.state.settings import BY_KEY, RECIPE_SETTINGS, SETTINGS
from ked.errors import shortened
from ked.recipe import Recipe
from ked.runs.presets import RECIPES
from ked.settings import PARAMETERS

TEXTS = {
    "run": st.sampled_from(["", "digits-preset", "digits-0a1b2c3d"]),
    "beside": st.sampled_from(["", "digits-0a1b2c3d"]),
    "coalition": st.text("01", max_size=16),
    "donors": st.lists(st.sampled_from(["self", "mean", "blur", "17"]), max_size=16).map(",".join),
    "compare": st.lists(st.sampled_from(["digits-preset", "wine-0a1b2c3d"]), max_size=6).map(",".join),
    "search": st.text(st.characters(blacklist_categories=["Cc", "Cs"]), max_size=80),
    "tick": st.sampled_from(["", "teacher-3", "student-ked+fitnet-12"]),
    "teacher_hidden": st.lists(st.integers(1, 99_999), min_size=1, max_size=6).map(lambda widths: ",".join(map(str, widths))),
}
TEXTS |= {"hide": st.sampled_from(["", "controls", "controls,navigation"]), "follow": st.sampled_from(["", "abcdefgh"])}
TEXTS |= {"guesses": st.text("-abc", max_size=5), "done": st.text("12345", max_size=5)}
TEXTS["student_hidden"] = TEXTS["teacher_hidden"]
TEXTS |= dict.fromkeys(("of_data", "of_tag", "cell"), TEXTS["search"])
DEFAULTS = {name: setting.default for name, setting in SETTINGS.items()}


def values_of(setting: Setting) -> st.SearchStrategy[Any]:
    """Anything that the setting's control can be brought to."""
    if isinstance(setting, Choice):
        return st.deferred(lambda: st.sampled_from(list(setting.options)))  # of the test's own home: runs bring data sets along
    if isinstance(setting, Several):
        some = st.sets(st.sampled_from(list(setting.options)), min_size=1)
        return some.map(lambda names: tuple(name for name in setting.options if name in names))
    if isinstance(setting, Text):
        return TEXTS[setting.name]
    assert isinstance(setting, Number)
    if setting.whole:
        return st.integers(int(setting.low), int(setting.high))
    return st.floats(setting.low, setting.high).map(lambda value: float(f"{value:.10g}"))


def view(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: values_of(SETTINGS[name]) for name in names or SETTINGS})


# The address


@given(view())
def test_every_view_comes_back_from_its_address(values: dict[str, Any]) -> None:
    assert settings.from_url(settings.to_url(values)) == (values, [])


def test_the_defaults_leave_the_address_empty() -> None:
    assert settings.to_url(DEFAULTS) == {}
    assert settings.from_url({}) == (DEFAULTS, [])


def test_one_changed_setting_is_one_short_parameter() -> None:
    texts = {"beside": "digits-0a1b", "compare": "digits-0a1b,wine-preset", "search": "mü 0.3", "of_data": "own/data.csv"}
    texts |= {"of_tag": "for the paper", "run": "digits-0a1b", "tick": "teacher-3", "coalition": "1101", "teacher_hidden": "32,32"}
    texts["student_hidden"] = "7"
    texts |= {"hide": "controls", "follow": "abcdefgh", "guesses": "ba---", "done": "12", "donors": "self,17", "cell": "T = 1, τ = 4"}
    for name, setting in SETTINGS.items():
        other = texts[name] if isinstance(setting, Text) else _another(setting)
        assert settings.to_url(DEFAULTS | {name: other}) == {setting.key: setting.format(other)}
        assert settings.from_url({setting.key: setting.format(other)})[0] == DEFAULTS | {name: other}


def _another(setting: Setting) -> Any:
    """A value that is not the default."""
    if isinstance(setting, Number):
        return type(setting.default)(setting.low if setting.default != setting.low else setting.high)
    options = [*setting.options]  # type: ignore[attr-defined]
    return tuple(options[-2:]) if isinstance(setting, Several) else next(option for option in options if option != setting.default)


REFUSED = {
    "m": ["0", "17", "-1", "3.5", "four", "", "nan", "1e1", "9" * 5000],
    "mu": ["-0.1", "1.1", "nan", "inf", "high", ""],
    "lr": ["0", "-0.001", "1", "1e400"],
    "seeds": ["0", "21"],
    "ep": ["0", "501", "-3"],
    "seed": ["-1", "1000001"],
    "data": ["mnist2", "", "../digits", "Digits"],
    "engine": ["leiden"],
    "scale": ["none"],
    "reduce": ["mean"],
    "methods": ["", "plain,", "plain,magic", "PLAIN"],
    "th": ["", "0", "500,0", "500;500", "1,2,3,4,5,6,7", "123456", "-5", "5,", " 5"],
    "sh": ["a"],
    "t": ["Teacher-3", "a b", "x" * 61],
    "run": ["../../etc", "/etc/passwd", "A", "ab", "digits_preset", "x" * 81, "digits-preset\n"],
    "on": ["2", "abc", "0" * 17, ""],
    "student": ["teacher"],
    "donors": ["", "self,", "noise", "self;mean", "-1", ",".join(["self"] * 17)],
    "what": ["drawing"],
    "vs": ["-2", "x"],
    "compare": ["../../etc", "digits-preset,", "digits-preset;wine", ",", ",".join(["digits-preset"] * 7)],
    "beside": ["../../etc", "A"],
    "q": ["a\nb", "x" * 81],
    "state": ["running"],
    "order": ["worst"],
    "only": ["", "teacher"],
    "study": ["", "nonsense"],
    "size": ["large"],
    "ns": ["1", "21"],
    "cell": ["a\nb", "x" * 81],
    "show": ["none"],
    "node": ["-2", "x"],
    "sf": ["65"],
    "i": ["-1"],
    "c": ["-2"],
    "p": ["0"],
}
NAMED = {"m": "from 1 to 16", "mu": "from 0 to 1", "th": "500,500", "methods": "plain, kd", "data": "digits", "on": "1101"}


@pytest.mark.parametrize("key", REFUSED)
def test_a_text_that_means_nothing_is_ignored_with_a_notice(key: str) -> None:
    for text in REFUSED[key]:
        values, notices = settings.from_url({"seeds": "3", key: text} if key != "seeds" else {key: text})
        assert values == DEFAULTS | ({"seeds": 3} if key != "seeds" else {})
        (notice,) = notices
        assert notice.startswith(f"{key}={shortened(text[:40])} was ignored: {BY_KEY[key].label} takes ")
        assert NAMED.get(key, "") in notice
        assert len(notice) < 320


def test_a_choice_names_its_options_in_the_notice() -> None:
    for setting in SETTINGS.values():
        if isinstance(setting, Choice | Several):
            (notice,) = settings.from_url({setting.key: "no such thing"})[1]
            assert all(option in notice for option in setting.options)


@given(st.dictionaries(st.sampled_from(sorted(BY_KEY)), st.text(max_size=12)))
def test_no_address_is_ever_an_error(query: dict[str, str]) -> None:
    values, notices = settings.from_url(query)
    assert len(notices) <= len(query)
    assert settings.from_url(settings.to_url(values)) == (values, [])
    settings.to_recipe(values)


def test_what_is_no_setting_of_ours_is_left_alone() -> None:
    assert settings.from_url({"utm_source": "a-link", "m2": "9"}) == (DEFAULTS, [])


def test_methods_come_once_and_in_the_tables_order() -> None:
    assert settings.from_url({"methods": "ked,plain,ked"})[0]["methods"] == ("plain", "ked")


# Recipes


def _of_other_nets(net: str) -> set[str]:
    """Settings that count for nothing with this form of net."""
    return {"methods", "teacher_net"} | (set() if net == "mlp" else {"grouping", "activation", "scale", "engine"})


def _weights(widths: str) -> int:
    return sum(fan_in * fan_out for fan_in, fan_out in pairwise(map(int, widths.split(","))))


@given(view(*(name for name in RECIPE_SETTINGS if name in SETTINGS)))  # test_settings_declared.py says what is missing
def test_settings_and_recipe_are_two_forms_of_the_same(values: dict[str, Any]) -> None:
    wanted = DEFAULTS | values
    assume(not any(_weights(wanted[name]) * wanted["seeds"] > PARAMETERS for name in ("teacher_hidden", "student_hidden")))
    recipe = settings.to_recipe(wanted)
    described = settings.of_recipe(recipe)
    assert {name for name in values if described[name] != values[name]} <= _of_other_nets(values["net"])
    assert settings.to_recipe(DEFAULTS | settings.of_recipe(recipe)) == recipe


@pytest.mark.parametrize("name", RECIPES)
def test_a_presets_recipe_is_reached_by_the_controls(name: str) -> None:
    recipe = RECIPES[name]
    values, notices = settings.from_url(settings.to_url(DEFAULTS | settings.of_recipe(recipe)))
    assert notices == []
    assert settings.to_recipe(values) == recipe


def test_the_defaults_are_the_settings_of_the_digits_preset() -> None:
    recipe = settings.to_recipe(DEFAULTS)
    preset = RECIPES["digits"]
    assert set(recipe.methods) <= set(preset.methods)
    assert recipe.without(methods=preset.methods, dataset=preset.dataset) == preset


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0), ("epochs", 5000), ("teacher_epochs", 0), ("superfeatures", 40), ("seeds", 50), ("seed", 2**31 - 1),
        ("lr", 1e-7), ("lr", 1.0), ("temperature", 0.1), ("tau", 1000.0),
    ],
)  # fmt: skip
def test_a_recipe_from_the_command_line_that_no_control_reaches_becomes_the_nearest_one(field: str, value: Any) -> None:
    values = settings.of_recipe(Recipe.make(**{field: value}))
    setting = SETTINGS[field]
    assert isinstance(setting, Number)
    assert values[field] == min(max(value, setting.low), setting.high)
    assert settings.from_url(settings.to_url(DEFAULTS | values)) == (DEFAULTS | values, [])


# The declarations


def test_a_setting_explains_itself(one_sentence: Callable[[str], str]) -> None:
    for setting in SETTINGS.values():
        assert one_sentence(setting.help)
        assert setting.label.strip()
        assert setting.default in ("", setting.parse(setting.format(setting.default)) if setting.default != "" else "")


def test_keys_are_short_and_unique() -> None:
    keys = [setting.key for setting in SETTINGS.values()]
    assert len(keys) == len(set(keys)) == len(BY_KEY)
    assert all(key.isalnum() and len(key) <= 7 for key in keys)
