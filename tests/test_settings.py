"""Settings: precedence, and errors that name the place and the near miss."""

from __future__ import annotations

import pytest

from logdoctor.errors import SettingsError
from logdoctor.manual import rules
from logdoctor.settings import Settings, load_settings


def load(tmp_path, text="", environ=None, name="logdoctor.toml", **flags):
    if text:
        (tmp_path / name).write_text(text, encoding="utf-8")
    return load_settings(start=tmp_path, environ=environ or {}, **flags)


def test_flags_win_over_environment_over_file(tmp_path):
    text = 'fail-on = "warning"\nminimum-coverage = 0.9\nignore = ["LD2"]\n'
    assert load(tmp_path, text).fail_on == "warning"
    assert load(tmp_path, text, {"LOGDOCTOR_FAIL_ON": "never"}).fail_on == "never"
    assert load(tmp_path, text, {"LOGDOCTOR_FAIL_ON": "never"}, fail_on="critical").fail_on == "critical"
    assert load(tmp_path, text, {"LOGDOCTOR_MINIMUM_COVERAGE": "0.25"}).minimum_coverage == 0.25
    assert load(tmp_path, text).ignore == ("LD2",)


def test_own_file_wins_over_pyproject_and_the_nearest_directory_wins(tmp_path):
    load(tmp_path, '[tool.logdoctor]\nfail-on = "never"\n', name="pyproject.toml")
    inner = tmp_path / "runs" / "deep"
    inner.mkdir(parents=True)
    assert load_settings(start=inner, environ={}).fail_on == "never"
    (tmp_path / "logdoctor.toml").write_text('fail_on = "warning"\n', encoding="utf-8")
    assert load_settings(start=inner, environ={}).fail_on == "warning"
    (inner / "logdoctor.toml").write_text('fail_on = "critical"\n', encoding="utf-8")
    assert load_settings(start=inner, environ={}).fail_on == "critical"


def test_a_pyproject_without_our_table_is_passed_over(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n', encoding="utf-8")
    assert load_settings(start=tmp_path, environ={}) == Settings()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('fail-onn = "never"', "did you mean 'fail-on'"),
        ('fail-on = "sometimes"', "critical, warning, never"),
        ("minimum-coverage = 7", "from 0 to 1"),
        ("allow-empty = 3", "true or false"),
        ('select = ["LD9999"]', "names no rule"),
        ("select = 3", "list of names"),
        ("[rules.q-divergance]\nfactor = 2", "did you mean 'q-divergence'"),
        ("[rules.q-divergence]\nfactr = 2", "did you mean 'factor'"),
        ('[rules.q-divergence]\nfactor = "big"', "must be a number"),
        ("rules = 3", "must be a table"),
        ("this is not toml", "not valid TOML"),
    ],
)
def test_mistakes_are_named(tmp_path, text, says):
    with pytest.raises(SettingsError, match=r"\w") as caught:
        load(tmp_path, text)
    assert says in str(caught.value)
    if "names no rule" not in says:
        assert "logdoctor.toml" in str(caught.value)


def test_a_missing_settings_file_is_an_error(tmp_path):
    with pytest.raises(SettingsError, match="does not exist"):
        load_settings(tmp_path / "none.toml", environ={})


def test_wrong_environment_names_the_variable(tmp_path):
    with pytest.raises(SettingsError, match="LOGDOCTOR_FAIL_ON"):
        load(tmp_path, environ={"LOGDOCTOR_FAIL_ON": "x"})


def test_thresholds_by_name_or_id(tmp_path):
    rule = next(rule for rule in rules().values() if rule.thresholds)
    name = rule.thresholds[0].name
    by_name = load(tmp_path, f"[rules.{rule.name}]\n{name.replace('_', '-')} = 3\n")
    assert by_name.thresholds == {rule.name: {name: 3.0}}
    by_id = load(tmp_path, f"[rules.{rule.id}]\n{name} = 3\n")
    assert by_id.thresholds == by_name.thresholds


def test_selection_by_id_prefix_name_and_tag():
    rule = next(iter(rules().values()))
    assert Settings().selected(rule)
    assert Settings(select=(rule.id[:3],)).selected(rule)
    assert Settings(select=(rule.name,)).selected(rule)
    assert not Settings(ignore=(rule.id,)).selected(rule)
    assert not Settings(select=("LD999",)).selected(rule)
    for tag in rule.tags:
        assert Settings(select=(tag,)).selected(rule)


def test_comma_separated_and_repeated_patterns(tmp_path):
    ids = list(rules())[:3]
    assert load(tmp_path, select=(f"{ids[0]},{ids[1]}", ids[2])).select == tuple(ids)
