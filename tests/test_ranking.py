"""Ranking: who is named at all, in which order and role, and where the sentences come from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from logdoctor.causes._record import Argument, CauseRecord
from logdoctor.model import CodeFact
from logdoctor.ranking import (
    MOST,
    Scored,
    by_group,
    order,
    present_findings,
    rank_causes,
    score_causes,
    with_confidence,
)
from logdoctor.registry import records
from logdoctor.view import RunView
from tests.cause_runs import finding, found, noisy, view

N = 40
RUN = view({"algorithm": "DQN"}, episode_return=noisy(np.full(N, 20.0), 1.0))


def scored(name: str, weight: float, *leads_to: str, group: str = "training") -> Scored:
    record = CauseRecord(id=name, title=name, prior=0.0, leads_to=leads_to, group=group)
    return Scored(record=record, arguments=(Argument(weight=weight, text="because"),), symptoms=())


def test_a_healthy_run_has_no_causes() -> None:
    assert rank_causes(RUN, []) == ()
    assert rank_causes(RUN, [finding("performance-stagnation", "info")]) == ()
    assert rank_causes(RUN, [replace(finding("loss-explosion"), benign=True)]) == ()


def test_of_one_name_the_most_severe_finding_counts() -> None:
    two = [
        finding("loss-explosion", "info"),
        finding("loss-explosion", "critical", 30),
        finding("loss-explosion", "warning"),
    ]
    assert present_findings(two)["loss-explosion"].onset is not None


def test_of_two_near_scores_the_root_stands_before_what_follows() -> None:
    root, effect = scored("root", 1.0, "effect"), scored("effect", 1.8)
    assert [s.record.id for s in order([effect, root])] == ["root", "effect"]


def test_a_far_better_score_stands_first_whatever_the_graph_says() -> None:
    root, effect = scored("root", 1.0, "effect"), scored("effect", 4.0)
    assert [s.record.id for s in order([root, effect])] == ["effect", "root"]


def test_causes_that_lead_to_each_other_keep_their_scores() -> None:
    a, b = scored("a", 1.0, "b"), scored("b", 1.5, "a")
    assert [s.record.id for s in order([a, b])] == ["b", "a"]


def test_groups_do_not_compete() -> None:
    alone = by_group([("training", 3.0)])[0]
    beside = by_group([("training", 3.0), ("recording", 5.0)])
    rivals = by_group([("training", 3.0), ("training", 5.0)])
    assert beside[0] == pytest.approx(alone)
    assert rivals[0] < alone


def test_what_ails_the_training_is_told_before_what_ails_its_record() -> None:
    run = view({"algorithm": "DQN", "learning_rate": 0.5}, episode_return=np.full(N, 20.0), grad_norm=np.zeros(N))
    ranked = rank_causes(run, found("metric-never-recorded", "never-learned", "loss-divergence").values())
    assert [c.id for c in ranked][:2] == ["learning-rate-too-high", "metric-not-recorded"]
    assert ranked[1].confidence > 0.7
    assert ranked[1].role == "contributing"


def test_a_remark_alone_accuses_neither_the_machine_nor_the_record() -> None:
    ranked = rank_causes(RUN, [finding("performance-collapse"), finding("crash", "info")])
    assert "crash" not in [c.id for c in ranked]


def test_a_cause_of_another_family_is_not_named() -> None:
    run = view({}, loss=np.linspace(2.3, 2.2, N), val_loss=np.linspace(2.3, 2.2, N), val_accuracy=np.full(N, 0.1))
    ids = {s.record.id for s in score_causes(run, found("loss-not-learning", "q-divergence"))}
    assert not ids & {"target-network-unstable", "replay-buffer-too-small", "entropy-bonus-too-large", "truncation"}


def test_ranks_roles_and_sentences() -> None:
    run = view(
        {"algorithm": "DQN", "learning_rate": 0.2, "tau": 1.0},
        episode_return=np.full(N, 20.0),
        q_max=np.geomspace(1, 1e7, N),
    )
    ranked = rank_causes(run, [finding("q-divergence", line=20), finding("never-learned")])
    assert [c.rank for c in ranked] == list(range(1, len(ranked) + 1))
    assert len(ranked) <= MOST
    assert ranked[0].role == "root"
    assert {c.id for c in ranked[:2]} == {"learning-rate-too-high", "target-network-unstable"}
    assert ranked[1].role == "contributing"
    assert all(c.for_ and c.would_settle for c in ranked)
    assert "LD-q-divergence" in ranked[0].explains
    assert all(len(set(c.for_)) == len(c.for_) for c in ranked)


def test_an_alternative_brings_no_changes() -> None:
    run = view({"algorithm": "DQN", "learning_rate": 0.2}, episode_return=np.full(N, 20.0))
    for cause in rank_causes(run, found("q-divergence", "never-learned", "performance-collapse").values()):
        assert cause.changes or cause.role != "root"
        assert not (cause.changes and cause.role == "alternative")


def test_code_confirms_or_weakens_a_cause_and_is_cited() -> None:
    fact = CodeFact(
        id="clip-call-commented-out",
        file="train.py",
        line=88,
        text="# clip_grad_norm_(...)",
        what="The clip call is commented out.",
        supports={"gradient-clipping-missing": 1.0},
    )
    with_code = RunView(RUN.run, settings=RUN.given, source_facts=(fact,))
    before, after = ({s.record.id: s for s in score_causes(r, found("gradient-explosion"))} for r in (RUN, with_code))
    name = "gradient-clipping-missing"
    assert after[name].score == pytest.approx(before[name].score + 1.0)
    assert any("train.py:88" in a.text for a in after[name].arguments)


def test_code_by_itself_accuses_nobody() -> None:
    fact = CodeFact(id="x", file="t.py", line=1, text="", what="No zero_grad.", supports={"gradients-not-cleared": 2.5})
    assert rank_causes(RunView(RUN.run, source_facts=(fact,)), []) == ()


def test_what_broke_first_is_a_point_for_what_explains_it() -> None:
    early = [finding("kl-blow-up", line=12), finding("performance-collapse", line=30)]
    late = [finding("kl-blow-up", line=30), finding("performance-collapse", line=12)]
    name = "policy-update-too-large"
    run = view({"algorithm": "PPO"}, episode_return=np.full(N, 20.0))
    first, second = ({s.record.id: s for s in score_causes(run, present_findings(f))} for f in (early, late))
    assert any("broke first: kl-blow-up at line 12" in a.text for a in first[name].arguments)
    assert not any("broke first: kl-blow-up" in a.text for a in second[name].arguments)


def test_confidences_are_probabilities_in_order_of_the_evidence() -> None:
    weak, strong = (
        rank_causes(
            view({"algorithm": "DQN", "learning_rate": rate}, episode_return=np.full(N, 20.0)),
            found("never-learned", *more).values(),
        )
        for rate, more in ((0.008, ()), (0.5, ("loss-explosion", "loss-divergence")))
    )
    both = [next(c.confidence for c in ranked if c.id == "learning-rate-too-high") for ranked in (weak, strong)]
    assert 0 < both[0] < both[1] < 1


def test_the_confidence_of_a_finding_is_measured_not_claimed() -> None:
    claimed = replace(finding("never-learned"), confidence=0.01)
    (measured,) = with_confidence([claimed])
    assert 0.5 < measured.confidence < 1
    (remark,) = with_confidence([replace(finding("never-learned", "info"), confidence=0.01)])
    assert remark.confidence == 0.01


def test_the_graph_names_only_what_exists() -> None:
    causes = records("logdoctor.causes", "CAUSE")
    rules = {rule.name for rule in records("logdoctor.rules", "RULE").values()}
    for cause in causes.values():
        assert set(cause.leads_to) <= rules | set(causes), cause.id
        assert cause.id not in cause.leads_to
        assert cause.group in {"training", "recording", "operations"}


VOCABULARY = (
    "learning-rate-too-high learning-rate-too-low learning-rate-decayed-too-early learning-rate-warmup-missing "
    "target-network-unstable discount-too-high reward-scale-too-large gradient-clipping-missing "
    "zero-initialised-layer dead-relu vanishing-gradients unnormalised-inputs insufficient-exploration "
    "exploration-not-decaying entropy-bonus-too-large policy-collapse policy-update-too-large "
    "replay-buffer-too-small sign-error label-noise overfitting numeric-overflow bad-batch metric-not-recorded "
    "metric-frozen throughput-degradation data-loader-stall training-stopped-silently wrong-checkpoint-resumed "
    "natural-variance "
)


def test_the_whole_vocabulary_is_there() -> None:
    assert set(VOCABULARY.split()) <= set(records("logdoctor.causes", "CAUSE"))


def test_order_and_confidence_agree_or_the_text_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    from logdoctor import ranking

    run = view({"algorithm": "DQN"}, episode_return=np.full(N, 20.0))
    entries = [
        scored("effect", 2.6, group="training"),
        scored("root", 2.0, "effect", group="training"),
        scored("weak", 1.0, "weaker", group="training"),
        scored("weaker", 1.4, group="training"),
    ]
    monkeypatch.setattr(ranking, "score_causes", lambda _view, _present: entries)
    ranked = rank_causes(run, [finding("performance-collapse")])
    assert [c.id for c in ranked] == ["root", "effect", "weaker", "weak"]
    assert ranked[0].confidence < ranked[1].confidence
    assert f"shows more clearly: effect ({ranked[1].confidence:.0%}".replace("%", "") in ranked[0].for_[-1]
    rest = [c.confidence for c in ranked[1:]]
    assert rest == sorted(rest, reverse=True)


def test_nothing_is_said_where_order_and_confidence_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    from logdoctor import ranking

    entries = [scored("effect", 1.0), scored("root", 2.0, "effect")]
    monkeypatch.setattr(ranking, "score_causes", lambda _view, _present: entries)
    ranked = rank_causes(RUN, [finding("performance-collapse")])
    assert not any("told before" in text for c in ranked for text in c.for_)


def test_an_alarm_that_no_cause_explains_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    from logdoctor import ranking

    monkeypatch.setattr(ranking, "score_causes", lambda _view, _present: [])
    assert rank_causes(RUN, [finding("performance-collapse")]) == ()
