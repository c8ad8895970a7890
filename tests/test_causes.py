"""Each cause on a run that shows it: what is named first, with which figures, and what speaks against it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from logdoctor import diagnose
from logdoctor.causes._facts import facts
from logdoctor.model import Event
from logdoctor.ranking import order, rank_causes, score_causes
from logdoctor.view import RunView
from tests.cause_runs import finding, found, noisy, view
from tests.runs import run_of, series_of

N = 60
FLAT = noisy(np.full(N, 20.0), 1.0)
RISE = noisy(100 * (1 - np.exp(-np.linspace(0, 5, N))), 2.0)
FALL = noisy(np.concatenate([np.linspace(0, 100, 30), np.linspace(95, 10, 30)]), 2.0)
LN10 = math.log(10)
DQN = {"algorithm": "DQN"}
CHANCE = 0.1 + 0.002 * np.array([(i * 7) % 5 - 2 for i in range(N)])


def first(run: RunView, *names: str) -> str:
    ranked = order(score_causes(run, found(*names)))
    return ranked[0].record.id if ranked else ""


def classifier(loss: object, accuracy: object = CHANCE, **settings: object) -> RunView:
    return view(settings, loss=loss, val_loss=np.asarray(loss) + 0.003, val_accuracy=accuracy)  # type: ignore[arg-type]


CASES: dict[str, tuple[Callable[[], RunView], tuple[str, ...], str]] = {
    "rate far above the range": (
        lambda: view({**DQN, "learning_rate": 0.2}, episode_return=FLAT, q_max=noisy(np.linspace(0, 50, N), 5)),
        ("never-learned",),
        "learning-rate-too-high",
    ),
    "rate far below the range": (
        lambda: view({**DQN, "learning_rate": 1e-7}, episode_return=FLAT, q_max=noisy(np.zeros(N), 0.01)),
        ("never-learned",),
        "learning-rate-too-low",
    ),
    "values never left their initialisation": (
        lambda: view(DQN, episode_return=FLAT, q_max=np.linspace(0.01, 0.03, N)),
        ("never-learned",),
        "learning-rate-too-low",
    ),
    "loss falls steadily and goes nowhere": (
        lambda: classifier(np.linspace(2.31, 2.30, N)),
        ("loss-not-learning",),
        "learning-rate-too-low",
    ),
    "classifier worse than a guess": (
        lambda: classifier(noisy(np.r_[25.0, np.full(N - 1, 2.4)], 0.02)),
        ("loss-at-chance", "never-learned"),
        "learning-rate-too-high",
    ),
    "rate spent early": (
        lambda: view(
            {},
            loss=noisy(np.full(N, 2.2), 0.02),
            learning_rate=np.r_[np.linspace(1e-3, 0, 10), np.zeros(N - 10)],
            val_accuracy=np.full(N, 0.24),
        ),
        ("learning-rate-decayed-early", "loss-plateau"),
        "learning-rate-decayed-too-early",
    ),
    "no target network": (
        lambda: view(
            {**DQN, "tau": 1.0}, episode_return=FLAT, q_max=np.geomspace(1, 1e7, N), loss=np.geomspace(1, 1e9, N)
        ),
        ("q-divergence",),
        "target-network-unstable",
    ),
    "gamma near 1": (
        lambda: view(
            {**DQN, "gamma": 0.99999}, episode_return=FALL, q_max=np.linspace(1, 900, N), loss=np.linspace(1, 60, N)
        ),
        ("q-divergence", "performance-collapse"),
        "discount-too-high",
    ),
    "errors of the size of the reward at once": (
        lambda: view(
            DQN, episode_return=FLAT, q_max=np.linspace(0.01, 1e4, N), loss=noisy(np.linspace(600, 900, N), 9)
        ),
        ("q-divergence",),
        "reward-scale-too-large",
    ),
    "value loss that the critic never explains": (
        lambda: view(
            {},
            episode_return=FLAT,
            kl=np.full(N, 1e-6),
            explained_variance=np.zeros(N),
            value_loss=noisy(np.full(N, 9e4), 900),
            policy_loss=np.zeros(N),
            entropy_loss=np.full(N, -0.68),
        ),
        ("explained-variance-low",),
        "reward-scale-too-large",
    ),
    "no clipping, one huge gradient": (
        lambda: view(
            {**DQN, "max_grad_norm": None},
            episode_return=FALL,
            grad_norm=np.r_[np.ones(30), np.full(30, 4e4)],
            clip_delta=np.ones(N),
        ),
        ("gradient-explosion", "clipping-inactive"),
        "gradient-clipping-missing",
    ),
    "equal outputs from the first record on": (
        lambda: classifier(np.r_[LN10, noisy(np.full(N - 1, LN10), 0.002)], np.full(N, 0.1)),
        ("loss-at-chance",),
        "zero-initialised-layer",
    ),
    "all Q rise together": (
        lambda: view(
            DQN,
            d_loss=np.linspace(0.2, 0.5, N),
            c_loss=np.linspace(0.8, 0.01, N),
            agreement=noisy(np.full(N, 45.0), 1),
            reward=FLAT,
            q_min=np.linspace(0, 2.0, N),
            q_max=np.linspace(0, 2.6, N),
        ),
        ("head-not-learning",),
        "zero-initialised-layer",
    ),
    "deep sigmoid network": (
        lambda: classifier(noisy(np.full(N, 2.31), 0.003), activation="sigmoid", n_layers=10),
        ("loss-not-learning",),
        "vanishing-gradients",
    ),
    "plateau at the guess, then an escape": (
        lambda: classifier(
            np.r_[noisy(np.full(25, 2.305), 0.004), np.linspace(2.2, 1.0, N - 25)],
            np.r_[np.full(25, 0.1), np.linspace(0.1, 0.6, N - 25)],
        ),
        ("loss-plateau",),
        "vanishing-gradients",
    ),
    "inputs two thousand times too large": (
        lambda: classifier(np.r_[1.5e7, noisy(np.full(N - 1, 2.303), 0.003)], input_scale=2000.0),
        ("loss-at-chance",),
        "unnormalised-inputs",
    ),
    "greedy from the start": (
        lambda: view(DQN, reward=np.full(N, -0.6), epsilon=np.zeros(N), q_max=np.linspace(0, 1, N)),
        ("exploration-absent",),
        "insufficient-exploration",
    ),
    "epsilon in per cent that stays at 80": (
        lambda: view(DQN, reward=FLAT, epsilon=np.full(N, 80.0), q_max=np.linspace(0, 9, N)),
        ("never-learned",),
        "exploration-not-decaying",
    ),
    "entropy bonus of 1": (
        lambda: view(
            {"ent_coef": 1.0},
            episode_return=FLAT,
            kl=np.full(N, 1e-3),
            entropy_loss=np.full(N, -1.0985),
            clip_fraction=np.zeros(N),
            policy_loss=np.zeros(N),
        ),
        ("policy-near-uniform",),
        "entropy-bonus-too-large",
    ),
    "entropy falls to zero in the middle": (
        lambda: view(
            {"ent_coef": 0.0, "learning_rate": 3e-4},
            episode_return=FLAT,
            entropy=np.r_[np.linspace(0.69, 0.0, 30), np.zeros(30)],
            log_prob_std=np.r_[np.linspace(0.2, 0.0, 30), np.zeros(30)],
            log_prob_mean=np.zeros(N),
            advantage_mean=FLAT,
        ),
        ("entropy-collapse", "deterministic-policy"),
        "policy-collapse",
    ),
    "sixty epochs and a clip range of two": (
        lambda: view(
            {"n_epochs": 60, "clip_range": 2.0, "learning_rate": 3e-4},
            episode_return=FALL,
            kl=np.full(N, 4.0),
            clip_fraction=np.zeros(N),
            policy_loss=np.zeros(N),
        ),
        ("kl-blow-up", "performance-collapse"),
        "policy-update-too-large",
    ),
    "a buffer of five batches": (
        lambda: view(
            {**DQN, "buffer_size": 320, "batch_size": 64, "learning_rate": 2.5e-4},
            episode_return=FALL,
            q_max=np.linspace(0, 40, N),
        ),
        ("performance-collapse",),
        "replay-buffer-too-small",
    ),
    "a loss that is maximised": (
        lambda: view(
            {},
            loss=np.geomspace(2.3, 900, N),
            val_loss=np.geomspace(2.3, 950, N),
            val_accuracy=np.linspace(0.1, 0.0, N),
        ),
        ("loss-divergence",),
        "sign-error",
    ),
    "better on held-out data than in training": (
        lambda: view(
            {},
            loss=np.linspace(2.31, 2.05, N),
            val_loss=np.linspace(2.25, 1.7, N),
            val_accuracy=np.r_[np.linspace(0.15, 0.69, 20), np.linspace(0.68, 0.5, 40)],
        ),
        ("validation-below-training",),
        "label-noise",
    ),
    "validation rises while training falls": (
        lambda: view(
            {},
            loss=np.geomspace(2.3, 0.01, N),
            val_loss=np.r_[np.linspace(2.3, 0.5, 20), np.linspace(0.5, 1.4, 40)],
            val_accuracy=np.r_[np.linspace(0.1, 0.8, 20), np.full(40, 0.8)],
        ),
        ("overfitting",),
        "overfitting",
    ),
    "NaN out of the blue": (
        lambda: view(
            {}, loss=np.r_[noisy(np.linspace(2, 1, 30), 0.02), np.full(30, np.nan)], val_loss=np.linspace(2, 1, N)
        ),
        ("loss-not-finite",),
        "numeric-overflow",
    ),
    "one batch a hundred thousand times too large": (
        lambda: view(
            {**DQN, "learning_rate": 5e-4},
            episode_return=FALL,
            loss=np.r_[noisy(np.full(30, 0.3), 0.01), 9e4, np.geomspace(2e3, 30, 29)],
            q_max=np.linspace(0, 9, N),
        ),
        ("loss-explosion",),
        "bad-batch",
    ),
    "the same batch again and again": (
        lambda: view(
            {},
            loss=np.r_[np.linspace(3.5, 1.2, 20), np.geomspace(0.2, 0.007, 40)],
            val_loss=np.r_[np.linspace(3.5, 1.1, 20), np.linspace(1.6, 2.7, 40)],
        ),
        ("overfitting",),
        "data-loader-stall",
    ),
    "features of ten billion": (
        lambda: view(
            {},
            feature_l2_norm=np.geomspace(15, 7e12, N),
            critic_loss=noisy(np.full(N, 900.0), 90),
            actor_loss=-np.geomspace(10, 3e12, N),
            episode_return=FALL,
        ),
        ("feature-norm-explosion",),
        "feature-normalisation-missing",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_cause_named_first(name: str) -> None:
    run, findings, expected = CASES[name]
    assert first(run(), *findings) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("metric-never-recorded", "metric-not-recorded"),
        ("metric-frozen", "metric-frozen"),
        ("throughput-degradation", "throughput-degradation"),
        ("loader-stall", "data-loader-stall"),
        ("updates-stopped", "training-stopped-silently"),
        ("step-goes-back", "wrong-checkpoint-resumed"),
        ("out-of-memory", "out-of-memory"),
        ("memory-growth", "memory-leak"),
        ("crash", "crash"),
    ],
)
def test_a_finding_that_is_its_own_explanation(rule: str, expected: str) -> None:
    assert first(view(DQN, episode_return=RISE), rule) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("truncation", "truncation"),
        ("zero-variance-groups", "groups-without-contrast"),
        ("reward-hacking-kl", "reward-hacking"),
    ],
)
def test_findings_of_language_models(rule: str, expected: str) -> None:
    assert first(view({"algorithm": "GRPO"}, reward=FLAT), rule) == expected


def test_a_temperature_that_runs_away() -> None:
    run = view(
        {"algorithm": "SAC"},
        episode_return=FLAT,
        ent_coef=np.geomspace(0.1, 900, N),
        critic_loss=np.geomspace(1, 1e6, N),
    )
    assert first(run, "temperature-runaway", "critic-loss-explosion") == "temperature-runaway"


def test_a_rate_raised_by_key_is_named_with_its_line() -> None:
    event = Event(
        line=40, step=30_000.0, kind="hyperparameter-change", name="learning_rate", value=0.003, text="adjusted"
    )
    run = view(
        {**DQN, "learning_rate": 0.0003}, [event], episode_return=FALL, loss=np.r_[np.full(30, 0.1), np.full(30, 9.0)]
    )
    (cause, *_) = rank_causes(run, found("loss-explosion").values())
    assert cause.id == "learning-rate-too-high"
    assert any("line 40" in text for text in cause.for_)
    assert (cause.changes[0].from_, cause.changes[0].to) == (0.003, 0.0003)


# -------------------------------------------------------------------------- the changes of the hand-written reports
SEED = {
    **DQN,
    "learning_rate": 0.003,
    "tau": 0.012,
    "n_step": 8,
    "gamma": 0.995,
    "batch_size": 16384,
    "training_steps_per_sample": 8,
    "accumulation_steps": 1,
}


def diverging() -> RunView:
    q = np.r_[np.full(30, 290.0), np.geomspace(330, 2000, 30)]
    return view(SEED, reward=FALL, q_max=q, grad_norm=noisy(np.full(N, 6.0), 1), steps_per_second=np.full(N, 48.0))


def changes() -> dict[str, tuple[object, object, str]]:
    ranked = rank_causes(diverging(), [finding("q-divergence", line=45), finding("gradient-swings", "warning", 41)])
    return {c.parameter: (c.from_, c.to, c.arithmetic) for cause in ranked for c in cause.changes}


def test_changes_take_their_numbers_from_the_run() -> None:
    made = changes()
    assert made["learning_rate"][:2] == (0.003, 0.001)
    assert made["tau"][:2] == (0.012, 0.005)
    assert made["n_step"][:2] == (8, 5)
    assert made["accumulation_steps"][:2] == (1, 4)


def test_the_arithmetic_is_written_out_and_right() -> None:
    made = changes()
    assert f"{1 - 0.988**100:.1%}" in made["tau"][2]
    assert f"{1 - 0.995**100:.1%}" in made["tau"][2]
    assert f"{0.995**8:.3f}" in made["n_step"][2]
    assert f"{16384 * 4:,}" in made["accumulation_steps"][2]


def test_samples_per_second_are_steps_times_batch() -> None:
    ranked = rank_causes(diverging(), [finding("q-divergence", line=45), finding("gradient-swings", "warning", 41)])
    lines = [line for cause in ranked for line in cause.mechanism]
    assert any(f"{48 * 16384:,}" in line for line in lines)


def test_no_change_names_a_setting_that_already_has_the_value() -> None:
    run = view({**DQN, "tau": 0.005}, reward=FALL, q_max=np.geomspace(1, 1e7, N), loss=np.geomspace(1, 1e9, N))
    ranked = rank_causes(run, found("q-divergence").values())
    assert not [c for cause in ranked for c in cause.changes if c.parameter == "tau"]


def test_no_advice_from_another_field() -> None:
    for cause in rank_causes(diverging(), found("q-divergence").values()):
        text = " ".join((c.parameter + c.why) for c in cause.changes)
        assert "prompt" not in text
        assert "token" not in text


# ------------------------------------------------------------------------------------------------ evidence against
def test_a_setting_inside_its_range_speaks_against_the_cause() -> None:
    run = view({**DQN, "learning_rate": 2.5e-4}, episode_return=FLAT)
    scored = {s.record.id: s for s in score_causes(run, found("loss-explosion"))}
    texts = [a.text for a in scored["learning-rate-too-high"].arguments if a.weight < 0]
    assert any("within the range in use" in text for text in texts)


def test_one_infinite_gradient_that_recovers_is_no_overflow() -> None:
    norm = noisy(np.full(N, 8.0), 0.2)
    norm[30] = np.inf
    scored = {
        s.record.id: s.score for s in score_causes(view(DQN, reward=RISE, grad_norm=norm), found("gradient-not-finite"))
    }
    assert scored["numeric-overflow"] < scored.get("gradient-clipping-missing", 0) + 1
    assert scored["numeric-overflow"] < -1


def test_growth_before_the_nan_is_a_divergence() -> None:
    loss = np.r_[np.geomspace(1, 1e9, 40), np.full(20, np.nan)]
    scored = {s.record.id: s.score for s in score_causes(view({}, loss=loss, val_loss=RISE), found("loss-not-finite"))}
    assert scored["numeric-overflow"] < -1


def test_a_capacity_is_not_read_from_how_full_the_buffer_is() -> None:
    run = view({**DQN, "buffer_size": 1616}, episode_return=FALL)
    scored = {s.record.id: s for s in score_causes(run, found("performance-collapse"))}
    assert not any("1616" in a.text for a in scored["replay-buffer-too-small"].arguments)


def test_an_uncommitted_policy_of_tiny_updates_is_not_the_bonus() -> None:
    run = view(
        {},
        episode_return=FLAT,
        kl=np.full(N, 1e-8),
        entropy_loss=np.full(N, -0.6931),
        clip_fraction=np.zeros(N),
        policy_loss=np.zeros(N),
    )
    assert first(run, "policy-near-uniform", "never-learned") == "learning-rate-too-low"


# ----------------------------------------------------------------------------------------------------------- facts
def test_a_jump_is_found_where_it_is() -> None:
    loss = np.r_[noisy(np.full(30, 0.3), 0.01), 30.0, np.full(29, 0.3)]
    jump = facts(view({}, loss=loss)).jump("loss")
    assert jump is not None
    assert (jump.index, jump.line) == (30, 41)
    assert jump.ratio == pytest.approx(100, rel=0.05)
    assert jump.after == pytest.approx(1, rel=0.05)


def test_a_loss_that_does_not_come_back_is_told_from_one_that_does() -> None:
    start = np.linspace(3.5, 0.4, 30)
    stays, returns = np.r_[start, 15.0, np.full(29, 2.9)], np.r_[start, 15.0, np.linspace(2.0, 0.4, 29)]
    assert facts(view({}, loss=stays)).relearning("loss") is not None
    assert facts(view({}, loss=returns)).relearning("loss") is None


def test_classes_come_from_the_accuracy_and_the_loss_of_a_guess() -> None:
    assert facts(classifier(noisy(np.full(N, 2.31), 0.01))).classes == 10
    assert facts(view({}, loss=np.linspace(math.log(65), 1.4, N))).classes == 65
    assert facts(view({}, loss=np.linspace(0.3, 0.1, N), val_accuracy=np.linspace(0.9, 0.97, N))).classes is None


def test_facts_do_not_keep_a_run_alive() -> None:
    import gc
    import weakref

    run = view({}, loss=RISE)
    facts(run).level("loss")
    gone = weakref.ref(run)
    del run
    gc.collect()
    assert gone() is None


# ------------------------------------------------------------------------- verdicts that were wrong once (regression)
def test_memorised_labels_that_help_no_other_data_are_noise_and_no_overfitting() -> None:
    wrong = view(
        {},
        loss=np.geomspace(2.8, 0.01, N),
        val_loss=np.r_[noisy(np.full(20, 2.42), 0.01), np.linspace(2.5, 6, 40)],
        val_accuracy=noisy(np.full(N, 0.11), 0.01),
    )
    assert first(wrong, "overfitting") == "label-noise"


def test_a_small_training_set_that_did_teach_something_is_overfitting() -> None:
    small = view(
        {},
        loss=np.geomspace(1.0, 0.001, N),
        val_loss=np.r_[np.linspace(1.9, 0.87, 20), np.linspace(0.88, 1.3, 40)],
        val_accuracy=np.r_[np.linspace(0.4, 0.69, 20), np.full(40, 0.69)],
    )
    assert first(small, "overfitting") == "overfitting"


def test_a_start_above_a_guess_that_is_worked_off_slowly_is_a_small_step() -> None:
    slow = classifier(np.linspace(3.01, 2.45, N), np.linspace(0.08, 0.12, N))
    assert first(slow, "loss-at-chance", "never-learned") == "learning-rate-too-low"


def test_still_weights_are_told_from_a_frozen_metric() -> None:
    loss = noisy(np.full(N, 2.36), 0.01)
    still = view({}, loss=loss, val_loss=np.r_[2.55, 2.5, 2.45, np.full(N - 3, 2.36)], val_accuracy=np.full(N, 0.204))
    ids = [c.id for c in rank_causes(still, found("metric-frozen", "loss-plateau").values())]
    assert ids.index("learning-rate-decayed-too-early") < 3
    assert "training-stopped-silently" in ids[:2]
    lively = view({}, loss=np.geomspace(2.3, 0.1, N), val_loss=np.r_[2.0, 1.5, np.full(N - 2, 1.1)])
    assert first(lively, "metric-frozen") == "metric-frozen"


def test_nan_weights_do_not_freeze_a_metric() -> None:
    broken = view(
        {},
        loss=np.r_[noisy(np.linspace(2, 1, 30), 0.02), np.full(30, np.nan)],
        val_accuracy=np.r_[RISE[:30] / 120, np.full(30, 0.1)],
    )
    assert first(broken, "loss-not-finite", "evaluation-frozen") == "numeric-overflow"


def test_a_policy_that_commits_itself_to_what_is_worse_than_chance() -> None:
    run = view(
        {}, episode_return=noisy(np.linspace(0.25, 0.03, N), 0.004), entropy=np.linspace(1.386, 0.79, N),
        kl=np.full(N, 1e-6), advantage_mean=noisy(np.zeros(N), 0.01), log_prob_mean=np.linspace(-1.38, -0.7, N),
    )  # fmt: skip
    assert first(run, "performance-collapse") == "sign-error"


@pytest.mark.parametrize("top", [1.12, 2.0, 4.0])
def test_a_loss_that_rises_is_no_matter_of_small_steps(top: float) -> None:
    risen = diagnose(run_of(series_of("loss", noisy(400 * np.linspace(1, top, 40), 0.8))))
    ids = [cause.id for cause in risen.causes]
    assert risen.verdict == "critical"
    assert ids[0] in {"learning-rate-too-high", "sign-error"}
    assert "learning-rate-too-low" not in ids[:2]


def test_a_log_that_begins_in_mid_run_says_little_of_labels() -> None:
    def sure(first: int) -> float:
        step = np.arange(first, first + 20)
        series = [
            series_of(name, noisy(np.full(20, level), 0.005), step=step)
            for name, level in (("loss", 0.64), ("val_loss", 0.54), ("accuracy", 0.6), ("val_accuracy", 0.85))
        ]
        return next(cause.confidence for cause in diagnose(run_of(*series)).causes if cause.id == "label-noise")

    assert sure(500) < 0.65 < sure(1)
