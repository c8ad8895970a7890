"""Rules on losses: where they speak, and the healthy curves that they leave in peace."""

from __future__ import annotations

import numpy as np
import pytest

from tests.runs import event, found, learns, noise, series_of, view_of

N = 120


def falling(start=3.6, end=0.4, count=N, size=0.01, seed=0):
    return end + (start - end) * np.exp(-4 * np.linspace(0, 1, count)) + noise(count, size, seed)


# ---------------------------------------------------------------------------------------------------- not finite
def test_nan_that_stays_is_critical_and_dated_to_its_first_row():
    loss = falling()
    loss[70:] = np.nan
    finding = found(view_of(series_of("loss", loss)), "LD202")["loss-not-finite"]
    assert finding.severity == "critical"
    assert finding.onset.line == 71
    assert finding.figures["nonfinite_rows"] == 50


def test_a_mean_over_no_episode_yet_is_no_fault():
    ret = learns()
    ret[:10] = np.nan
    assert not found(view_of(series_of("episode_return", ret)), "LD202")


def test_a_skipped_update_is_told_and_no_alarm():
    loss = falling()
    loss[60] = np.inf
    finding = found(view_of(series_of("loss", loss)), "LD202")["loss-not-finite"]
    assert finding.severity == "info"


def test_a_zero_beside_a_nan_gradient_is_a_hidden_nan():
    loss, norm = falling(), 1 + noise(N, 0.05)
    loss[80:], norm[80:] = 0.0, np.nan
    finding = found(view_of(series_of("loss", loss), series_of("grad_norm", norm)), "LD105")["hidden-nan"]
    assert (finding.severity, finding.onset.line) == ("critical", 81)


# ---------------------------------------------------------------------------------------------------- explosion
def test_a_loss_that_explodes_and_stays_is_dated_to_the_jump():
    loss = np.abs(falling(end=0.5))
    loss[70:] = 15.0 + noise(N - 70, 0.2)
    finding = found(view_of(series_of("loss", loss)), "LD201")["loss-explosion"]
    assert finding.severity == "critical"
    assert abs(finding.onset.line - 71) <= 1


def test_a_critic_that_grows_with_the_return_is_explained_and_not_accused():
    critic = np.geomspace(0.1, 20, N) * (1 + noise(N, 0.05))
    findings = found(view_of(series_of("critic_loss", critic), series_of("episode_return", learns())), "LD2")
    assert findings["loss-grows-with-return"].benign
    assert {name for name, f in findings.items() if f.severity != "info"} == set()


def test_a_loss_of_value_learning_counts_only_when_the_agent_suffers():
    loss = np.concatenate([np.full(60, 0.1), np.full(60, 8.0)]) * (1 + noise(N, 0.05))
    fallen = learns()
    fallen[60:] = np.linspace(fallen[59], 0, 60)
    assert "loss-explosion" in found(view_of(series_of("loss", loss), series_of("episode_return", fallen)), "LD201")
    assert not found(view_of(series_of("loss", loss), series_of("episode_return", learns())), "LD201")


def test_a_turn_is_a_divergence_and_a_spike_that_recovers_is_not():
    turned = np.concatenate([falling(count=60, end=1.0), np.linspace(1.1, 2.9, 60)])
    finding = found(view_of(series_of("loss", turned)), "LD203")["loss-divergence"]
    assert 58 <= finding.onset.line <= 90
    spiky = falling(end=1.0)
    spiky[50] = 5.0
    findings = found(view_of(series_of("loss", spiky)), "LD20")
    assert "loss-divergence" not in findings
    assert findings["loss-spikes"].severity == "info"


# ---------------------------------------------------------------------------------------------------- not learning
def test_a_loss_that_never_falls():
    flat = 3.58 - np.linspace(0, 0.02, N) + noise(N, 0.005)
    finding = found(view_of(series_of("loss", flat)), "LD205")["loss-not-learning"]
    assert finding.severity == "critical"
    assert "ln 36" in finding.analysis


@pytest.mark.parametrize(
    "why",
    ["loaded", "mid-run", "low start"],
)
def test_a_trained_model_may_start_near_its_best(why):
    flat = (3.1 if why != "low start" else 1.1) + noise(N, 0.01)
    step = np.arange(5000, 5000 + N) if why == "mid-run" else None
    events = [event("model-load", 1)] if why == "loaded" else []
    findings = found(view_of(series_of("loss", flat, step=step), events=events), "LD204", "LD205")
    assert all(f.severity == "info" for f in findings.values())


def test_a_plateau_far_from_done_is_found_even_when_it_breaks_later():
    loss = np.concatenate([np.linspace(3.6, 2.9, 10), np.full(70, 2.88), np.linspace(2.8, 1.4, 40)]) + noise(N, 0.01)
    finding = found(view_of(series_of("loss", loss)), "LD204")["loss-plateau"]
    assert finding.figures["share_of_run"] >= 0.5
    assert not found(view_of(series_of("loss", falling())), "LD204")


@pytest.mark.parametrize(
    ("level", "perplexity", "fires"), [(18.5, True, True), (18.5, False, False), (10.3, True, False)]
)
def test_a_loss_above_any_guess_is_critical_where_the_perplexity_proves_its_unit(level, perplexity, fires):
    loss = level + noise(14, 0.2)
    beside = [series_of("perplexity", np.exp(loss))] if perplexity else []
    findings = found(view_of(series_of("loss", loss), *beside), "LD205")
    assert ("loss-not-learning" in findings) is fires
    if fires:
        assert findings["loss-not-learning"].severity == "critical"
        assert "The model is worse than one that knows nothing" in findings["loss-not-learning"].summary


def test_a_few_rows_that_stand_still_are_no_plateau():
    loss = np.array([0.945, 0.879, 0.864, 0.866, 0.867, 0.871, 0.859, 0.846, 0.851, 0.824, 0.820, 0.802, 0.793,
                     0.784, 0.786, 0.779, 0.777, 0.772, 0.768, 0.766])  # fmt: skip
    assert not found(view_of(series_of("loss", loss)), "LD204")


def test_guessing_is_recognised_for_any_number_of_classes():
    for classes in (2, 10, 100):
        loss = np.log(classes) + np.abs(noise(60, 0.01))
        accuracy = 1 / classes + noise(60, 0.02 / classes)
        view = view_of(series_of("loss", loss), series_of("accuracy", accuracy))
        finding = found(view, "LD207")["loss-at-chance"]
        assert abs(finding.figures["classes"] - classes) <= 0.1 * classes


def test_a_hard_task_above_chance_is_not_called_guessing():
    loss = np.linspace(4.6, 2.3, 60) + noise(60, 0.02)
    accuracy = np.linspace(0.01, 0.48, 60) + noise(60, 0.005)
    assert not found(view_of(series_of("loss", loss), series_of("accuracy", accuracy)), "LD207")


def test_an_exact_zero_is_a_fault_and_a_rounded_one_is_not():
    masked = falling()
    masked[60:] = 0.0
    assert "loss-exactly-zero" in found(view_of(series_of("loss", masked)), "LD208")
    tiny = np.round(np.geomspace(1, 1e-6, N), 4)
    assert not found(view_of(series_of("loss", tiny)), "LD208")


def test_a_loss_that_falls_with_the_return_is_no_success():
    ret = learns()
    ret[50:] = np.linspace(ret[49], -20, 70)
    view = view_of(series_of("loss", np.geomspace(2, 0.02, N)), series_of("episode_return", ret))
    assert "loss-falls-while-performance-falls" in found(view, "LD210")


# ---------------------------------------------------------------------------------------------------- generalisation
def held_out(turn, count=60):
    val = falling(3.0, 0.9, count, size=0.01, seed=4)
    if turn:
        val[25:] = np.linspace(val[24], turn * val[24], count - 25) + noise(count - 25, 0.01)
    return val


def test_overfitting_is_dated_to_the_best_evaluation():
    view = view_of(series_of("loss", np.geomspace(3, 0.05, 60)), series_of("val_loss", held_out(1.6)))
    finding = found(view, "LD701")["overfitting"]
    assert finding.severity == "warning"
    assert abs(finding.onset.line - 25) <= 3


def test_overconfidence_without_wrong_answers_is_no_alarm():
    accuracy, val_accuracy = np.linspace(0.5, 0.99, 60), np.linspace(0.5, 0.97, 60)
    view = view_of(
        series_of("loss", np.geomspace(3, 0.2, 60)), series_of("val_loss", held_out(1.2)),
        series_of("accuracy", accuracy), series_of("val_accuracy", val_accuracy),
    )  # fmt: skip
    assert found(view, "LD701")["overfitting"].severity == "info"


def test_a_noisy_evaluation_of_a_fitted_model_is_left_in_peace():
    val = np.concatenate([falling(1, 0.08, 40, 0.005), 0.08 + np.abs(noise(20, 0.01, 9))])
    assert not found(view_of(series_of("loss", np.geomspace(2, 0.02, 60)), series_of("val_loss", val)), "LD701")


def test_a_gap_the_wrong_way_round_counts_only_when_the_training_set_is_not_fitted():
    wrong = view_of(series_of("loss", np.linspace(2.3, 2.0, 40)), series_of("val_loss", np.linspace(2.2, 1.6, 40)))
    assert "validation-below-training" in found(wrong, "LD702")
    step = np.arange(2500.0, 2540.0)
    later = view_of(
        series_of("loss", wrong.get("loss").value, step=step),
        series_of("val_loss", wrong.get("val_loss").value, step=step),
    )
    assert not found(later, "LD702")  # its first row is not where training began, so nothing is known of the fit
    dropout = view_of(series_of("loss", np.linspace(2.3, 0.2, 40)), series_of("val_loss", np.linspace(2.2, 0.12, 40)))
    assert not found(dropout, "LD702")


def test_a_wide_gap_in_accuracy_the_wrong_way_round_is_told_even_when_the_loss_falls():
    view = view_of(
        series_of("loss", np.linspace(2.3, 1.0, 40)),
        series_of("val_loss", np.linspace(2.2, 0.4, 40)),
        series_of("accuracy", np.linspace(0.1, 0.7, 40)),
        series_of("val_accuracy", np.linspace(0.2, 0.95, 40)),
    )
    assert "validation-below-training" in found(view, "LD702")


# ---------------------------------------------------------------------------------------------------- language models
def test_the_loss_scale_may_look_for_its_level_at_the_start():
    scale = np.full(N, 4096.0)
    scale[:6] = [65536, 32768, 16384, 8192, 4096, 4096]
    assert not found(view_of(series_of("loss_scale", scale), series_of("loss", falling())), "LD901")
    scale[60:] = 4096.0 / 2.0 ** np.minimum(12, np.arange(60) // 3)
    finding = found(view_of(series_of("loss_scale", scale), series_of("loss", falling())), "LD901")["loss-scale-falls"]
    assert finding.severity == "critical"


def test_length_that_pays_is_no_hacking_when_the_held_out_score_rises_with_it():
    length, reward = np.linspace(200, 600, 60) + noise(60, 5), np.linspace(0.2, 0.7, 60) + noise(60, 0.01)
    flat, rises = np.full(60, 0.4) + noise(60, 0.002), np.linspace(0.3, 0.7, 60)
    made = [series_of("completion_length", length), series_of("reward", reward)]
    assert "length-hacking" in found(view_of(*made, series_of("val_accuracy", flat)), "LD904")
    assert not found(view_of(*made, series_of("val_accuracy", rises)), "LD904")
