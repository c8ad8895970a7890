"""Raw metric name -> canonical name, goal, unit and phase.

The look-up is by what a name means and not by who printed it: phase words and group prefixes are taken off, blanks and
punctuation are dropped, and the rest is looked up in :data:`ALIASES`. A name that is not there keeps its own words in
snake case, so an unknown metric is still a series.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from logdoctor.model import Goal


def words(text: str) -> frozenset[str]:
    """Return the words of ``text``: a table that reads like one."""
    return frozenset(text.split())


# canonical name -> spellings, lower case, without blanks, underscores, dashes and dots.
_SPELLINGS: dict[str, str] = {
    "loss": (
        "lossaverage xent crossent nll nllloss negloglikelihood allloss totloss "
        "minibatchloss steploss loss totalloss avgloss averageloss meanloss lmloss reducedtrainloss cost crossentropy "
        "crossentropyloss celoss lpix objective learn total trainingloss trainloss batchloss epochloss "
        "perdida perda perte perdita verlust потери потеря "
        "losstotal 损失 損失 损失值 loss值 总损失 平均损失 손실"
    ),
    "policy_loss": (
        "策略损失 policy policygradientloss policyloss pgloss losspi meansurrogateloss surrogateloss surrogate "
        "lossclip losspolicyavg policyavg piloss actionloss pologradloss pilosses policylossavg lossp "
        "polloss polilcyloss polyloss policyentropyloss1"
    ),
    "value_loss": (
        "价值损失 valueloss vloss vfloss lossv meanvaluefunctionloss meanvalueloss valuefunctionloss lossvf "
        "valueavg lossvalueavg baselineloss vfunctionloss lossvalue valloss1 valuefnloss"
    ),
    "critic_loss": (
        "criticloss qloss lossq qfloss qf1loss closscritic valuecriticloss losscritic qfunctionloss critic1loss qf1"
    ),
    "actor_loss": "actorloss lossactor",
    "td_error": "tderror tderr tderrors abstderror tderrorq1 meantderror",
    "d_loss": "dloss discreteloss",
    "c_loss": "closs continuousloss",
    "bc_loss": "bcloss behaviourcloningloss behaviorcloningloss",
    "accuracy": (
        "acc accuracy acc@1 prec@1 prec1 acc1 top1 top1acc accuracytop1 acctop1 trainacc trainingaccuracy "
        "minibatchaccuracy trainaccuracy meanacc meantokenaccuracy accpose aacc rewardsaccuracies categoricalaccuracy "
        "sparsecategoricalaccuracy binaryaccuracy accuracytop@1 top1accuracy tokenaccuracy meanaccuracy "
        "meanclassaccuracy exactitud exactitude acuracia genauigkeit accuratezza точность "
        "avgacc avgaccuracy macc 准确率 精度 正解率 準確率 正确率 정확도"
    ),
    "accuracy_top5": "acc@5 prec@5 acc5 top5 top5acc accuracytop5 acctop5 top5accuracy prec5",
    "error": (
        "minibatchrmse errs errrate "
        "err error errtop1 top1err top1error classerror wer cer mae meanabsoluteerror rmse mse logloss "
        "mape smape rmsle meanabsolutepercentageerror "
        "mlogloss binarylogloss bpb bitsperbyte errorrate meansquarederror merror"
    ),
    "quality": (
        "ndcg ndcg@1 ndcg@3 ndcg@5 ndcg@10 ndcg@20 mrr hit@1 hit@10 hr@10 recall@10 recall@20 pcc pearson "
        "spearman corrcoef kappa mcc dicecoeff dicecoefficient dicescore diceavg f1macro macrof1 microf1 f1micro "
        "ap map map@.5 map50 map@.5:.95 map5095 bboxmap miou iou dice meandice auc f1 f1score fscore bleu "
        "dsc "
        "psnr ssim elo averageglobalforegrounddice lpipsinv meaniou decodeaccseg bleu4 rougel"
    ),
    "perplexity": "ppl perplexity",
    "fid": "fid fid50k fid50kfull",
    "episode_return": (
        "mean/medianreward averageundiscountedreturnpertrainingepisode lastmeanrewardperepisode eprewmean "
        "eprewardmean epreturnmean episoderewardmean episodereturnmean episodicreturn episodicreturns "
        "episodereturn averageepret averagereturn avgreturn meanreward meanrewards meanrew totalreward "
        "totalrewards episodereward eprew epreward rew return returns score scores avgreward "
        "averagereward avgrewards episoderewards epret meanreturn cumulativereward avgscore averagescore "
        "mean100episodereward meanepisodereward avgepisodereward meanepisodereturn meanscore rewardmean "
        "episoderewardtotal episoderewardsmean returnaverage "
        "runningreward meanepreturn returnmean epreturn epscore avgepreward eplastreward episodereturns "
        "eprewavg eprewsmean episodescore sumreward rewardsum averageepisoderewards averageepisodereward "
        "meanepisoderewards averagerewards"
    ),
    "episode_length": (
        "episodet episodesteps eplenmean eplen episodelenmean episodelength episodelengths "
        "meanepisodelength meanlen avgeplen avgepisodelength nbepisodesteps averageepisodelength "
        "episodelen avglen epsteps eplength meaneplength eplengthmean episodiclength averageeplen "
        "averageeplength length len avglength meanlength"
    ),
    "success_rate": (
        "successrate success winrate winningrate iswinner solverate successratio meansuccess successpct successrates"
    ),
    "reward": (
        "reward rewards rwrd rwd avgrwd stepreward rewardavg 奖励 報酬 平均奖励 总奖励 "
        "recompensa recompense belohnung ricompensa награда"
    ),
    "dqn_reward": "dqn dqnrwd dqnreward",
    "dqn_reward_100k": "dqn100k rwd100k",
    "dqn_reward_1m": "dqn1m rwd1m",
    "dqn_reward_5m": "dqn5m rwd5m",
    "reward_slope": "rwdslope rewardslope",
    "dqn_slope": "dqnslope slpm dqn5mslope slope",
    "dqn_trend": "dqntrend",
    "subj_reward": "subj",
    "obj_reward": "obj",
    "exp_reward": "exp",
    "q": "qvaluerange qrange",
    "stats": "stats trainingstats",
    "q_value": (
        "meanq qmean averageq avgq q1value q1 qvalues qf1values averageq1vals averageqvals averagevvals "
        "averagevalue vpredmean qvalue meanqvalue avgqvalue avgmaxq meanmaxq q1mean qavg valuemean "
        "meanvalue averageq1 qvalmean currentq currentq1mean qpolicy"
    ),
    "q_max": "qmax maxq maxqvalue",
    "q_min": "qmin minq minqvalue",
    "q_std": "qstd stdq",
    "target_q": "targetq targetqmean qtarget tgtq meantargetq targetqvalue qtargetmean",
    "agreement": "agree% agree agreepct agreement agreementpct agreementrate",
    "spin_agreement": "spinagr% spinagr spinneragreepct spinagreement",
    "epsilon": (
        "epsilon epsi eps fafo explorationrate meaneps timespentexploring %timespentexploring "
        "explorationepsilon exploration ε"
    ),
    "expert_ratio": "xprt expert% expertratio expertpct",
    "action_std": (
        "actionstd std meanactionnoisestd meanactionstd meannoisestd actionnoisestd policystd stdmean logstdexp"
    ),
    "ent_coef": "entcoef entropycoef alpha temperature entcoefficient logalphaexp alphavalue",
    "entropy": (
        "熵 entropy policyentropy meanentropy actorentropy entropyavg policyentropyavg entropymean "
        "avgentropy averageentropy ent"
    ),
    "entropy_loss": "entropyloss entloss lossent meanentropyloss lossentropy actorentropyloss",
    "kl": (
        "approxkl approxklavg oldapproxkl kl meankl ppokl objectivekl klloss approxklv1 kldiv "
        "kldivergence klmean policyapproxklavg kldist"
    ),
    "clip_fraction": ("clipfraction clipfrac clipfracavg pgclipfrac policyclipfracavg clippedfraction clipfracs"),
    "explained_variance": "explainedvariance evtdlambefore vfexplainedvar explainedvar ev",
    "grad_norm": (
        "gradnorm gnorm norm totalgradnorm grnorm grad gradientnorm globalgradnorm gradnormtotal "
        "totalnorm gradl2norm gradnormavg globalnorm"
    ),
    "clip_delta": "clipδ clipdelta clip∆",
    "learning_rate": (
        "tasadeaprendizaje taxadeaprendizado taxadeaprendizagem tauxdapprentissage lernrate скоростьобучения "
        "baselearningrate "
        "学习率 学習率 当前学习率 "
        "lr learningrate lr0 optim0lr0 baselr rate stepsize learningratepg0 lrpg0 currentlr lastlr"
    ),
    "lr_multiplier": "lrm lrmultiplier lrscale",
    "loss_scale": "lossscale ampscale scale lossscaling gradscale scaler",
    "skipped": "numberofskippediterations skipped overflow skippediterations skippedsteps",
    "nan_iterations": "numberofnaniterations naniterations",
    "fps": "fps sps fpstotal fpsmean framespersecond stepspersec",
    "steps_per_second": (
        "it/sec environmentstepspersecond learnerstepspersecond "
        "averagetrainingstepspersecond steps/s stepspersecond steps/sec globalstep/sec "
        "trainstepspersecond it/s its iter/s iterationspersecond batch/s globalsteppersec "
        "batchespersecond batches/s updates/s ups iters/s"
    ),
    "samples_per_second": (
        "samp/s samples/s samples/sec samplespersecond trainsamplespersecond imgs/sec img/s images/s "
        "images/sec speedsamples/s runningavgsamplespersec imgs/s examples/sec examples/s pos/s sentences/s "
        "positions/s "
        "samplespersec currsamplespersec ips"
    ),
    "tokens_per_second": (
        "tok/s tok/sec tokens/s tokens/sec tokenspersecond tps tokens/s/device wps words/s tokenspersec "
        "tokpersec tgs wordspersec throughput tokenpersecond wordspersecond"
    ),
    "step_time": (
        "dt msperstep ms/step ms/batch s/it sec/it steptime itertime iterationtime batchtime timeperiter "
        "timeperstep elapsedtimeperiteration elapsedtimeperiterationms stepavg sec/iter trainsteptiming "
        "timeperbatch s/iter seconds/step timeiter sec/step us/step s/step timethisiters secperstep "
        "sec/tick batchcost avgbatchcost"
    ),
    "data_time": (
        "readercost avgreadercost datacost datatime data dataloading dataloadtime loadtime datawait itertimedata"
    ),
    "mfu": "mfu bf16mfu fp16mfu modelflopsutilization",
    "memory": (
        "memory maxmem gpumem mem gpumemory peakmem peakmemory reserved ram maxmemory vram allocated "
        "peakgpumemory cpumem"
    ),
    "buffer_size": "buffer buffersize replaysize replaybuffersize memsize",
    "feature_l2_norm": (
        "featurel2norm cnnfeaturesl2norm cnnfeaturel2norm featurenorm featuresl2norm "
        "cnnfeaturestatsl2norm featurestatsl2norm"
    ),
    "log_prob_mean": "logprobmean logprobabilitiesmean logprobsmean meanlogprob logpmean",
    "log_prob_std": "logprobstd logprobabilitiesstd logprobsstd",
    "advantage_mean": "advantagemean advantagesmean meanadvantage advmean advantagesmeanvalue",
    "advantage_std": "advantagestd advantagesstd advstd",
    "advantage_positive": "advantagepositive positiveadvantage",
    "advantage_negative": "advantagenegative",
    "reward_margin": "rewardsmargins rewardmargin margins",
    "clients": "clnt clnts clients",
    "level": "levl avglevel level",
    "inference_time": "avginf inftime avginfms inftimems",
    "max_return": (
        "episoderewardmax maxepret epreturnmax maxreward maxreturn episodereturnmax max100episodereward rewmax"
    ),
    "min_return": (
        "min/maxreward episoderewardmin minepret epreturnmin minreward minreturn episodereturnmin "
        "min100episodereward rewmin"
    ),
    "eval_return": "averageundiscountedreturnperevaluationepisode evalmeanreward",
    "return_std": "episoderewardsstd stdepret stdofreward stdreward eprewstd rewstd rewardstd returnstd stdreturn",
    "best_return": "bestreward bestepisodereward bestmeanreward bestreturn bestscore",
}

#: Words that tell the phase a value belongs to; ``val`` is the held-out one.
PHASES = {
    "train": "train", "training": "train", "learn": "train", "fit": "train", "trn": "train",
    "val": "val", "valid": "val", "validation": "val", "validating": "val",
    "validate": "val", "dev": "val", "heldout": "val",
    "vali": "val", "cv": "val",
    "eval": "eval", "evaluation": "eval", "evaluate": "eval", "evaluating": "eval", "test": "test", "testing": "test",
    "训练": "train", "訓練": "train", "学習": "train", "验证": "val", "驗證": "val", "検証": "val",
    "测试": "test", "測試": "test",
    "entrenamiento": "train", "treino": "train", "treinamento": "train", "entrainement": "train", "обучение": "train",
    "validacion": "val", "validacao": "val", "validazione": "val", "validierung": "val", "валидация": "val",
    "prueba": "test", "teste": "test", "тест": "test", "훈련": "train", "학습": "train", "검증": "val",
    "テスト": "test", "训练集": "train", "验证集": "val", "测试集": "test", "评估": "eval", "評価": "eval",
}  # fmt: skip


def fold(text: str) -> str:
    """Return ``text`` without accents; letters of other scripts stay what they are."""
    if text.isascii():
        return text
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", bare).replace("ı", "i")


_ACCENTS = re.compile("(?<=[A-Za-z])[\u0300-\u036f]+")

# counter name (as above) -> (rank, unit); the smallest rank is the best x axis (research: env steps first, then steps).
_COUNTERS: dict[str, tuple[int, str]] = {}


def _counters(rank: int, unit: str, words: str) -> None:
    for word in words.split():
        _COUNTERS[fold(word)] = (rank, unit)


_counters(
    0,
    "env steps",
    "totalt actorsteps totaltimesteps timestepstotal totalenvinteracts envstep envsteps numenvstepssampled "
    "numenvstepssampledlifetime agentsteps totalsteps totalenvsteps nbsteps timesteps timestep "
    "cumsteps environmentsteps environmentstep environmentinteractions "
    "numenvsteps totalnumsteps envinteractions numtimesteps timestepssofar tenv totalnumtimesteps "
    "agenttimestepstotal",
)
_counters(0, "frames", "frame frames totalframes numframes framesteps")
_counters(
    1,
    "steps",
    "# globalstep globalsteps step steps currentsteps completedstep trainerglobalstep microstep "
    "trainstep trainingstep globaliter totalstep step# ステップ 步 步数 "
    "paso pasos passo passos etape schritt krok adim шаг",
)
_counters(
    2,
    "iterations",
    "its "
    "iter iters iteration iterations itr it trainingiteration learningiteration niter iternum globaliteration curiter "
    "iteracion iteraciones iteracao iteracoes iterazione iteracja итерация итерации "
    "iterat iterate iterates acciter 迭代 迭代次数 次迭代",
)
_counters(
    3,
    "updates",
    "更新 "
    "learnersteps update updates up numupdates nupdates ngradientupdates gradientsteps trainnumupdates upd nbupdates",
)
_counters(4, "batches", "batch batches minibatch batchidx batchid batchi superbatch")
_counters(4, "images x 1000", "kimg")
_counters(5, "samples", "nsamp consumedsamples consumedtrainsamples samplesseen nsamples sen examplecounter")
_counters(5, "tokens", "consumedtokens tokensseen totaltokens")
_counters(
    6,
    "epochs",
    "epoca epocas epoque epoques epoche epochen epoka donem эпоха эпохи "
    "epoch epochs ep trainingepoch ephoc epo epok epochnum エポック 轮 轮次 周期 에폭",
)
_counters(7, "rounds", "round rounds boostinground generation generations gen")
_counters(7, "ticks", "tick")
_counters(
    8,
    "episodes",
    "episodenum actorepisodes episode episodes episodessofar epsofar episodestotal nep n/ep "
    "episodio episodios epizod эпизод "
    "numepisodes episodecount totalepisodes eps# episodenumber 回合 エピソード",
)
_counters(9, "games", "game games")
_counters(9, "trials", "trial trials")

# Further counters that no one would choose as the x axis but that are no metrics either.
_MINOR = words(
    "iterationssincerestore timestepssincerestore episodesthisiter timestepsthisiter serialtimesteps "
    "episodesthisiteration totalnumepisodes numsteps totalepochs totaliters maxsteps "
    "totalstepsplanned percentage progress rank localrank globalrank worldsize pid jobid numstepstrained "
    "id secs vnum numstepssampled numagentstepssampled numagentstepstrained numenvstepstrained"
)

#: Clocks: elapsed wall time, never a metric.
_TIMES = words(
    "cumtime diagnosticscumtime "
    "timeelapsed elapsed elapsedtime passedtime walltime wall timetotals traintime totaltime "
    "timesincerestore timestamp timetotal t runtime cumulativetime trainwall elapsedseconds "
    "totalseconds wallclock timeelapseds duration trainruntime evalruntime totaltimestr "
    "时间 用时 耗时 時間 traintimetotal timesofar tstart timecost timeconsumption walltimes costtime timeconsumed "
    "trainingtimeconsumed timetaken"
)
_ETAS = words("eta remaining remainingtime etaseconds timeleft timeremaining estimatedtime lefttime")

ALIASES: dict[str, str] = {
    re.sub(r"[\s_\-.]+", "", fold(word)): name for name, words in _SPELLINGS.items() for word in words.split()
}
# Short words that mean this only when written with a capital: ``Obj`` is a reward, ``obj`` the loss of a detector.
_CAPITAL = frozenset({"obj", "subj", "exp", "dqn"})

_UP = re.compile(
    r"return|reward|score|elbo|acc|quality|dice|auc|f1|bleu|psnr|ssim|success|win|explained_variance|agreement|per_second|fps|mfu|iou|(?:^|_)m?ap(?:_|$)|precision|recall|margin|advantage_mean"
)
_DOWN = re.compile(
    r"loss|error|(?:^|_)err|perplexity|(?:^|_)(?:mae|mse|rmse|fid|wer|cer|bpb|cost|kid|kl|nll|ppl)(?:_|$)|step_time|data_time|td_error|memory|collision|skipped"
)
_NO_GOAL = frozenset(
    {"reward_slope", "policy_loss", "actor_loss", "entropy_loss", "loss_scale", "kl", "learning_rate", "reward_scale"}
)

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
_PARENS = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]")
_UNIT_WORD = re.compile(r"^(?:ms|s|sec|seconds|us|min|mb|gb|gib|mib|%|percent|kb|k|m)$", re.IGNORECASE)
_WORDS = re.compile(r"[^\W_]+(?:[@./%](?=[^\W_]))?", re.UNICODE)
_SNAKE = re.compile(r"[^0-9a-zA-Zα-ωΑ-Ω\u0400-\u04ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_GROUPS = words(
    "rollout time train eval val test loss losses metrics metric stats stat perf performance info "
    "optim throughput charts env debug misc main policy critic actor objective learner default "
    "sampler system results result validation episode rewards training valid"
)


class Name(NamedTuple):
    """What a raw metric name means. ``phase`` is ``""``, ``train``, ``val``, ``eval`` or ``test``."""

    name: str
    goal: Goal
    unit: str | None
    phase: str
    known: bool


class CounterName(NamedTuple):
    """What a counter counts; a smaller rank is the better x axis."""

    rank: int
    unit: str


def squash(raw: str) -> str:
    """Return ``raw`` in lower case without blanks, underscores, dashes and dots."""
    return re.sub(r"[\s_\-.]+", "", fold(raw.lower()))


_PER = words("sec s ms us min seconds n timing it samples tokens time/batch")


@lru_cache(maxsize=8192)
def counter(raw: str) -> CounterName | None:
    """Return what ``raw`` counts when it is the name of a counter, else None."""
    head, _, last = raw.strip().rpartition("/")
    if last.lower().startswith(("max", "total")) and (of := _COUNTERS.get(squash(head))):
        return CounterName(*of)  # ``global_step/max_steps: 10/500``
    if head.lower() in _PER:
        return CounterName(*_COUNTERS[squash(raw)]) if squash(raw) in _COUNTERS else None
    found = _COUNTERS.get(squash(last))
    if found is None and not head and (whose := _WHOSE.match(last)):
        found = _COUNTERS.get(squash(whose["what"]))
    if found is None and not head:
        bare, phase = split_phase(last)
        found = _COUNTERS.get(squash(bare)) if phase else None
        if found and found[0] >= EPISODES and phase != "train":
            return None  # ``Test Episodes: 10`` is how many, not which
    return CounterName(*found) if found else None


# ``Epoch Step``, ``optimizer step``: any of these counts; ``episode steps`` is a length
_WHOSE = re.compile(
    r"^(?:epoch|optim(?:i[sz](?:er|ation))?|cur(?:rent)?|grad(?:ient)?|inner|outer|meta|local|trainer|accum(?:ulation)?)"
    r"[ _](?P<what>step|iter(?:ation)?|update|batch)$",
    re.IGNORECASE,
)
EPOCHS, EPISODES = 6, 8


@lru_cache(maxsize=8192)
def identity(raw: str) -> str:
    """Return what makes two counters the same one: all epochs are one counter, phase words do not count."""
    found = counter(raw)
    if found is None:
        return ""
    if found.rank == EPOCHS:
        return "epoch"
    return squash(split_phase(raw.rsplit("/", 1)[-1])[0])


@lru_cache(maxsize=8192)
def is_clock(raw: str) -> bool:
    """Whether ``raw`` names elapsed or remaining time or a counter without interest, which is never a metric."""
    last = squash(_PARENS.sub("", raw).rsplit("/", 1)[-1])
    return last in _TIMES or last in _ETAS or last in _MINOR or last.endswith(("runtime", "walltime"))


@lru_cache(maxsize=8192)
def is_elapsed(raw: str) -> bool:
    """Whether ``raw`` names elapsed wall time."""
    return squash(_PARENS.sub("", raw).rsplit("/", 1)[-1]) in _TIMES


def snake(raw: str) -> str:
    """Return ``raw`` in snake case; percent signs and signs become words."""
    text = fold(raw).replace("Δ", " delta ").replace("δ", " delta ").replace("%", " pct ").replace("'s ", " ")
    text = _SNAKE.sub("_", _CAMEL.sub("_", text)).strip("_").lower()
    return text or "value"


def goal_of(name: str) -> Goal:
    """Return whether more (``max``) or less (``min``) of a canonical metric is better, ``none`` when neither is."""
    base = name.removeprefix("val_").removeprefix("test_").removeprefix("train_")
    if base in _NO_GOAL or base.endswith(("_std", "_norm", "_scale")):
        return "none"
    if _DOWN.search(base):
        return "min"
    return "max" if _UP.search(base) else "none"


def split_phase(raw: str) -> tuple[str, str]:
    """Return ``raw`` without its phase word, and the phase (``""`` when there is none)."""
    on = _ON.match(raw)
    if on:
        what = _OF_MODEL.sub("", on["what"])
        return split_phase(what)[0], PHASES[on["phase"].lower()]
    possessive = re.match(r"^(\w+?)(?:_\d+)?'s\s+(?=\w)", raw)
    if possessive and possessive.group(1).lower() in PHASES:
        return raw[possessive.end() :], PHASES[possessive.group(1).lower()]
    parts = re.split(r"([\s_/.\-]+)", raw.strip())
    words = parts[0::2]
    for index in (0, len(words) - 1):
        phase = PHASES.get(fold(words[index].lower()).strip("[]():0123456789"))
        if phase and index and words[index].lower() in ("dev", "fit", "learn"):
            continue
        if phase and len(words) > 1 and not (index and words[0].lower() in ("n", "num", "time")):
            rest = parts[2:] if index == 0 else parts[: 2 * index - 1]
            bare = re.sub(r"^\d+[\s_\-]+(?=[^\W\d])", "", "".join(rest).strip(" _/.-"))
            return bare, phase
    match = _GLUED_PHASE.match(raw)
    if match:
        return raw[match.end() :], PHASES[(match[1] or match[2]).lower()]
    if len(words) > 2 and words[0].lower() in _AVERAGES and (phase := PHASES.get(words[1].lower())):
        return "".join(parts[4:]), phase
    return raw, ""


# ``Accuracy on Test-Set``
_ON = re.compile(
    r"^(?P<what>[A-Za-z][\w ]*?)\s+(?:on|over|for)\s+(?:the\s+)?(?:all\s+)?(?:[\d,]+\s+)?"
    r"(?P<phase>train(?:ing)?|val(?:id(?:ation)?)?|test|dev)[\s_\-]?(?:set|data|dataset|images|samples|examples)$",
    re.IGNORECASE,
)
_OF_MODEL = re.compile(r"\s+of\s+(?:the\s+)?(?:network|model|net|classifier)$", re.IGNORECASE)
_GLUED_PHASE = re.compile(
    r"^(?:([Tt]rain|[Vv]alid|[Vv]al|[Tt]est)(?=[A-Z])|(?=[^\x00-\x7f])(?:当前|整体|总体|本轮)?(训练|訓練|学習|验证|驗證|検証|测试|測試|テスト|评估|評価|훈련|학습|검증)(?:集|时|の)?上?的?)(?=[^\s_/])"
)
_AVERAGES = words("average avg mean overall epoch current running batch")  # ``Average Train Loss``


def _bare(text: str) -> str:
    return text.strip().lower()


def _lookup(text: str) -> str | None:
    key = squash(text)
    if key in _CAPITAL and text[:1].islower():
        return None
    if key in ALIASES:
        return ALIASES[key]
    if "%" in key:
        return ALIASES.get(key.replace("%", ""))
    return None


def _units(raw: str) -> tuple[str, str | None]:
    """Take bracketed remarks off a name: ``elapsed time per iteration (ms)`` -> name and ``ms``."""
    unit: str | None = None
    for inside in _PARENS.findall(raw):
        if _UNIT_WORD.match(inside.strip()):
            unit = inside.strip()
    return _PARENS.sub("", raw).strip() or raw.strip(), unit


@lru_cache(maxsize=16384)
def canonical(raw: str, title: str = "", phase: str = "") -> Name:
    """Return the canonical name of a metric.

    Args:
        raw: the name as printed, group prefix included (``train/loss``).
        title: the block title that the line stood under; joined where the key does not say enough alone.
        phase: the phase that the line or its block names; a phase inside ``raw`` wins.
    """
    base, unit = _units(raw.strip())
    base = _FOLDS.sub("", _SAYING.sub("", base)) or base
    shares = _SHARE.match(base)
    if shares:
        return Name(_share_name(shares), "none", None, phase, True)
    base, own = split_phase(base)
    own = own or next((PHASES[word] for word in map(_bare, _PARENS.findall(raw)) if word in PHASES), "")
    of_title = PHASES.get(fold(title.strip().lower()), "") if title else ""
    if of_title:  # ``Validation:`` above ``loss: 0.5`` names its phase and no part of a model
        title, phase = "", phase or of_title
    where = own or phase
    if own in ("eval", "test") and _OVER_EPISODES.match(base):
        return _finish("episode_return", unit, own, True)
    if own and base in _PARTS:
        return _finish(_PARTS[base], unit, own, True)
    if squash(base) in ("val", "valid", "validation", "test", "heldout"):
        return _finish("loss", unit, "val", True)
    if squash(base) in ("train", "training", "trn") and not title:
        return _finish("loss", unit, "train", True)
    found = _resolve(base, title)
    if found is None:
        found = _derived(base, title)
    if found is None and base.lower() != raw.strip().lower():
        found = _resolve(raw.strip(), "")
    known = found is not None
    name = found or _joined(base, title)
    return _finish(name, unit, where, known)


_SHARE = re.compile(
    r"^(?P<what>.*?)[\s_]*(?:dist(?:ribution)?|hist(?:ogram)?|counts?)?_share_(?P<index>\d+)$", re.IGNORECASE
)
_DERIVED = re.compile(r"^(?P<base>.+)_(?P<suffix>min|max|avg|std|\d+)$")


_FOLDS = re.compile(r"^cv_agg's\s+")  # of the folds of a cross-validation
_SAYING = re.compile(r"[\s_]+(?:is|was|are|of|equals)$", re.IGNORECASE)  # ``loss is: 2.5``
_OVER_EPISODES = re.compile(
    r"^(?:over|on|of|mean|avg|average)?\s*\d+\s*(?:episodes?|trials?|runs?|games?)$", re.IGNORECASE
)
_PARTS = {"p": "policy_loss", "v": "value_loss"}  # ``val=1.9 (p=1.6 v=0.3)``: the parts of a self-play loss


def _share_name(match: re.Match[str]) -> str:
    what = snake(match["what"])
    middle = "action_share" if what in ("greedy", "replay", "policy", "expert", "behaviour", "behavior") else "share"
    return f"{what}_{middle}_{match['index']}"


def _derived(base: str, title: str) -> str | None:
    """Resolve what the reader itself appended: the ends of a range, a running average, a spread, parts of a cell."""
    match = _DERIVED.match(base)
    if match is None:
        return None
    if squash(match["base"]) == "range" and title and "feature" in title.lower():
        return f"feature_{match['suffix']}"
    found = _resolve(match["base"], title)
    if found == "q_value" and match["suffix"] in ("min", "max"):
        return f"q_{match['suffix']}"
    return f"{found}_{match['suffix']}" if found else None


def _resolve(base: str, title: str) -> str | None:
    """Look a name up by its whole path, its last part, then together with its title."""
    generic = squash(base) in _GENERIC
    if title:
        clean, _ = _units(title)
        clean, _ = split_phase(clean)
        found = _with_title(clean, base)
        if found or generic:
            return found
    found = _lookup(base)
    if found:
        return found
    if "/" in base:
        head, _, last = base.rpartition("/")
        if squash(last) not in _GENERIC - _WHOLE:
            return _lookup(head.rsplit("/", 1)[-1] + last) or _lookup(last)
        return _lookup(head.rsplit("/", 1)[-1] + last)
    averaged = _AVERAGED.match(base)
    return _lookup(averaged["what"]) if averaged else None


_AVERAGED = re.compile(r"^(?:average|avg\.?|mean)[\s_]+(?P<what>.+)$", re.IGNORECASE)
#: Names that mean what they usually mean only in the company of metrics of reinforcement learning.
AMBIGUOUS = {
    "score": "quality", "scores": "quality", "avgscore": "quality", "averagescore": "quality", "meanscore": "quality",
    "alpha": "", "temperature": "", "std": "", "obj": "", "subj": "", "exp": "",
}  # fmt: skip
_OF_AGENTS = re.compile(
    r"episode|return|reward|policy|value_loss|critic|actor|td_error|^q_|target_q|entropy|clip_fraction|explained|epsilon"
    r"|success_rate|advantage|agreement|dqn|action"
)


def _plain(raw: str) -> str:
    return squash(split_phase(_units(raw.strip())[0])[0])


def of_agents(raw: str, title: str = "", phase: str = "") -> bool:
    """Whether a metric is one of reinforcement learning, whatever log it stands in."""
    return _plain(raw) not in AMBIGUOUS and bool(_OF_AGENTS.search(canonical(raw, title, phase).name))


_OF_EPISODES = words("steps numsteps avgsteps averagesteps meansteps")


def of_episodes(raw: str, name: Name) -> Name:
    """Return what a mean number of steps is among metrics of reinforcement learning: the length of an episode."""
    if name.known or _plain(re.sub(r"_std$", "", raw)) not in _OF_EPISODES:
        return name
    spread = "_std" if raw.endswith("_std") else ""
    return _finish(f"episode_length{spread}", name.unit, name.phase, True)


def elsewhere(raw: str, name: Name, measured: bool) -> Name:
    """Return what an ambiguous name means in a log without metrics of reinforcement learning.

    Args:
        raw: the name as printed.
        name: what it would mean among them.
        measured: a loss is printed as well; without one a score may be the loss, so that no direction is the good one.
    """
    other = AMBIGUOUS.get(_plain(raw))
    usual = ALIASES.get(_plain(raw))
    if other is None or usual is None or not name.name.endswith((usual, "eval_return", "eval_episode_length")):
        return name  # its title says more
    if other and not measured:
        return _finish("score", name.unit, name.phase, False)._replace(goal="none")
    return _finish(other or snake(split_phase(raw)[0]), name.unit, name.phase, bool(other))


_GENERIC = words(
    "total totalloss loss mean std min max avg average median positive negative range norm sum value "
    "maxabsolute minabsolute shape count p v totalnorm gradnorm gradientnorm l2norm action loss1"
)
_WHOLE = frozenset({"loss", "totalloss", "total"})
_FILLER = words(
    "stats statistics summary metrics the of before after from clipping training update debug flow "
    "info values value current results result report losses final"
)


def _with_title(title: str, key: str) -> str | None:
    if squash(key) in ("totalloss", "loss", "total"):
        whole = _lookup(title)
        if whole and whole.endswith("loss"):
            return whole
    words = [w for w in _SNAKE.sub(" ", _CAMEL.sub(" ", title)).lower().split() if w not in _FILLER]
    found = _lookup("".join(words) + key)
    if found:
        return found
    low = squash(key)
    joined = "".join(words)
    if "logprob" in joined and low in ("mean", "std"):
        return f"log_prob_{low}"
    if "advantage" in joined and low in ("mean", "std", "positive", "negative"):
        return f"advantage_{low}"
    if "feature" in joined and low in ("mean", "std", "min", "max", "l2norm"):
        return {"l2norm": "feature_l2_norm"}.get(low, f"feature_{low}")
    if "gradient" in joined and low == "totalnorm":
        return "grad_norm"
    return None


def _joined(base: str, title: str) -> str:
    key = snake(base)
    if not title:
        return key
    clean, _ = _units(title)
    words = [word for word in snake(clean).split("_") if word not in _FILLER]
    words += [word for word in key.split("_") if word not in words]
    return "_".join(words)[:80]


def _finish(name: str, unit: str | None, phase: str, known: bool) -> Name:
    if phase in ("val", "eval", "test"):
        if name in ("episode_return", "reward"):
            name = "eval_return"
        elif name == "episode_length":
            name = "eval_episode_length"
        elif not name.startswith(("val_", "test_", "eval_")):
            name = f"val_{name}"
    return Name(name, goal_of(name), unit, phase, known)
