"""Diagnoses made by hand, so that outputs can be tested without reading a log."""

from __future__ import annotations

import math
from dataclasses import replace

from logdoctor.model import (
    Cause,
    Change,
    Check,
    Clock,
    Curve,
    Diagnosis,
    Event,
    Evidence,
    Finding,
    Healthy,
    Issue,
    Link,
    Masked,
    Metric,
    Phase,
    Place,
    Reading,
    Segment,
    Setting,
    SourceInfo,
    Story,
    Watch,
)

NASTY = "x | `y` ```` <b>z</b> @someone #12 [/bold] \x1b[31mred\x1b[0m \u202e http://evil.example </script> ${{ x }}"


def _evidence(line: int, step: float, metric: str, value: float, note: str = "") -> Evidence:
    return Evidence(line=line, step=step, metric=metric, value=value, note=note, text=f"  {step} {value}")


def _curve(metric: str, values: list[float]) -> Curve:
    n = len(values)
    return Curve(
        metric=metric,
        step=tuple(float(i * 1_000_000) for i in range(n)),
        value=tuple(values),
        line=tuple(range(10, 10 + n)),
    )


def _metric(name: str, raw: str, values: list[float]) -> Metric:
    finite = [v for v in values if math.isfinite(v)]
    return Metric(
        name=name,
        raw_name=raw,
        unit=None,
        count=len(values),
        missing=0,
        nonfinite=len(values) - len(finite),
        first=values[0],
        last=values[-1],
        min=min(finite),
        max=max(finite),
        min_line=10,
        max_line=59,
        first_line=10,
        last_line=110,
    )


REWARD = [900.0 + 20 * i for i in range(45)] + [1780.0 - 200 * i for i in range(8)] + [190.0] * 48
LOSS = [0.03] * 50 + [1.2, 11.324914] + [0.04] * 49


def sick() -> Diagnosis:
    """A run that was well, broke after its learning rate was raised, and stayed dead."""
    explosion = Finding(
        id="LD201",
        name="loss-explosion",
        title="Loss explodes",
        severity="critical",
        confidence=0.98,
        summary="Loss rose to 11.324914 at frame 50,731,928 (line 1300), 378 times its earlier median 0.03.",
        metrics=("loss",),
        onset=Place(line=1297, step=50_595_696),
        figures={"baseline": 0.03, "peak": 11.324914, "ratio": 377.5},
        evidence=(
            _evidence(1211, 47_175_232, "loss", 0.03, "level before"),
            _evidence(1297, 50_595_696, "loss", 1.214407, "onset, +3,948 %"),
            _evidence(1300, 50_731_928, "loss", 11.324914, "peak"),
        ),
        analysis="One batch moved the weights out of the range in which the loss was measured.",
    )
    dead = Finding(
        id="LD304",
        name="gradient-dead",
        title="The gradient died and stays dead",
        severity="critical",
        confidence=0.9,
        summary="GradNorm died at frame 53,000,000 (line 1361): below 0.01 in 1,875 of the 1,876 rows to the end.",
        metrics=("grad_norm",),
        onset=Place(line=1361, step=53_000_000),
        explained_by=("LD201",),
        evidence=(_evidence(1361, 53_000_000, "grad_norm", 0.004, "dead from here"),),
    )
    remark = Finding(
        id="LD307",
        name="clip-limit-differs",
        title="Clip limit differs",
        severity="info",
        confidence=0.8,
        summary="The measured clip limit is 1.00, the banner says 10.0 (line 49).",
    )
    cause = Cause(
        id="learning-rate-too-high",
        title="Learning rate too high",
        rank=1,
        confidence=0.86,
        for_=("The learning rate was raised to 0.0003 at line 1215, 3.4M frames before the onset.",),
        against=("GradNorm was clipped at 10.",),
        would_settle=("The same run from line 1211 with 0.0002.",),
        changes=(
            Change(
                parameter="learning_rate",
                from_=0.0003,
                to=0.0001,
                why="Below the rate that was stable for 47M frames.",
                tradeoff="Learning is slower.",
                reference="Mnih et al. 2015, https://www.nature.com/articles/nature14236",
                where="line 1215",
                arithmetic="0.0003 / 3 = 0.0001",
            ),
        ),
        mechanism=("1 - (1 - 0.005)^100 = 0.394",),
        explains=("LD201",),
    )
    minor = Cause(
        id="gradient-clipping-missing",
        title="Clipping too weak",
        rank=2,
        confidence=0.3,
        role="alternative",
        for_=("GradNorm reached 533.",),
    )
    return Diagnosis(
        source=SourceInfo(path="runs/log_a.txt", bytes=793_880, lines=3363, sha256="ab" * 32),
        reading=Reading(
            format="columns",
            rows=3058,
            metric_lines=3058,
            unread_lines=0,
            coverage=1.0,
            clocks=(Clock(name="Frame", unit="frames", primary=True),),
            segments=(
                Segment(index=0, first_line=62, last_line=3363, first_step=0, last_step=118_900_000, begins="banner"),
            ),
            issues=(Issue(line=1406, text="26 fields under a 24-column header"),),
            masked=(
                Masked(reason="frozen", first_line=1453, last_line=1460, rows=8, text="the frame counter stands still"),
            ),
        ),
        verdict="critical",
        headline=(
            "Loss exploded to 378 times its median at frame 50.6M, 3.4M frames after the learning rate was raised; "
            "the policy never recovered."
        ),
        hyperparameters=(Setting(name="learning_rate", raw_name="Learning Rate", value=0.00015, line=23),),
        events=(Event(line=1215, step=47_175_232, kind="hyperparameter-change", name="learning_rate", value=0.0003),),
        metrics=(
            _metric("dqn_reward_1m", "DQN1M", REWARD),
            _metric("loss", "Loss", LOSS),
            _metric("grad_norm", "GradNorm", [1.0, 0.0]),
        ),
        findings=(explosion, dead, remark),
        causes=(cause, minor),
        phases=(
            Phase(
                name="learning",
                first_step=0,
                last_step=47_175_232,
                first_line=62,
                last_line=1211,
                summary="DQN1M rose from 900 to 1,780.",
            ),
            Phase(
                name="dead",
                first_step=53_000_000,
                last_step=118_900_000,
                first_line=1361,
                last_line=3363,
                summary="No gradient.",
            ),
        ),
        watch=(
            Watch(
                metric="dqn_reward_1m",
                condition=">=",
                value=1780.0,
                within_steps=2_000_000,
                sign="recovery",
                otherwise="halve the learning rate again",
                why="the best value before the break",
            ),
            Watch(
                metric="loss",
                condition=">",
                value=1.0,
                within_steps=None,
                sign="failure",
                otherwise="stop and clip at 1.0",
            ),
        ),
        healthy=(Healthy(metric="loss", why="finite in all 3,058 rows"),),
        checks=(
            Check(id="LD201", name="loss-explosion", state="fired"),
            Check(id="LD701", name="overfitting", state="not-applicable", why="no val_loss in this log"),
        ),
        story=Story(
            chain=(
                Link(
                    finding="learning_rate",
                    place=Place(line=1215, step=47_175_232),
                    text="the learning rate was raised to 0.0003",
                ),
                Link(finding="LD201", place=Place(line=1297, step=50_595_696), text="loss left its level of 0.03"),
                Link(finding="LD304", place=Place(line=1361, step=53_000_000), text="the gradient died"),
            ),
            why_now=("The rate had been 0.0002 for 47M frames without trouble.",),
            decision="stop, and restart from the checkpoint before frame 47.2M (line 1211)",
            decision_why="the gradient has been zero since line 1361",
            restart_from=Place(line=1211, step=47_175_232),
            go=False,
            go_why="the fault stands",
            prognosis=("Left as it is, nothing changes any more.",),
            next_checkpoint="frame 49.2M, 2M after the restart",
            wasted_steps=68_300_000.0,
            wasted_hours=12.0,
            wasted_why="57 % of the run",
            expectations=(("Immediate (first 500k frames)", ("GradNorm between 0.4 and 2.6",)),),
            not_checked=("Generalisation: no validation metric in this log (LD701).",),
            limits=("Causes in the code were not looked at.",),
        ),
        curves=(_curve("dqn_reward_1m", REWARD), _curve("loss", LOSS)),
        performance="dqn_reward_1m",
        family="dqn",
    )


def well() -> Diagnosis:
    """A healthy run."""
    base = sick()
    return replace(
        base,
        verdict="healthy",
        headline="Nothing is wrong: DQN1M rose from 900 to 1,780 over 118.9M frames.",
        findings=(),
        causes=(),
        phases=(),
        watch=base.watch[:1],
        curves=base.curves,
        story=Story(
            decision="continue", decision_why="nothing to change", go=True, go_why="nothing speaks against a longer run"
        ),
    )


def unclear() -> Diagnosis:
    """A log that was read, and that cannot carry a judgement."""
    base = sick()
    return replace(
        base,
        verdict="inconclusive",
        headline="No judgement: 4 rows, and at least 10 are needed.",
        findings=(),
        causes=(),
        phases=(),
        watch=(),
        healthy=(),
        curves=(),
        performance=None,
        story=Story(limits=("Run it on a log of at least 10 rows.",)),
    )


def hostile() -> Diagnosis:
    """The sick run with hostile text wherever text from a log may stand."""
    base = sick()
    finding = replace(
        base.findings[0],
        summary=NASTY,
        title=NASTY,
        analysis=NASTY,
        evidence=tuple(replace(e, note=NASTY, text=NASTY) for e in base.findings[0].evidence),
    )
    change = replace(
        base.causes[0].changes[0],
        parameter=NASTY,
        from_=NASTY,
        to=NASTY,
        why=NASTY,
        tradeoff=NASTY,
        reference=NASTY,
        where=NASTY,
    )
    return replace(
        base,
        headline=NASTY,
        source=replace(base.source, path=NASTY),
        findings=(finding, *base.findings[1:]),
        metrics=tuple(replace(m, raw_name=NASTY) for m in base.metrics),
        hyperparameters=(Setting(name="x", raw_name=NASTY, value=NASTY, line=3),),
        causes=(replace(base.causes[0], title=NASTY, for_=(NASTY,), mechanism=(NASTY,), changes=(change,)),),
        story=replace(
            base.story, decision=NASTY, why_now=(NASTY,), chain=tuple(replace(x, text=NASTY) for x in base.story.chain)
        ),
        watch=tuple(replace(w, otherwise=NASTY) for w in base.watch),
        healthy=(Healthy(metric="loss", why=NASTY),),
    )
