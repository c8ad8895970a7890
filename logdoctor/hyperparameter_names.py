"""Raw hyperparameter name -> canonical name, and printed value -> number, text, truth value or None.

The one table of spellings. A name is compared without case, blanks and punctuation; a Greek letter beside words and a
remark in parentheses are dropped; of a dotted path the last part is the name, and a word such as ``actor`` before it
qualifies names of which a run has several.
"""

from __future__ import annotations

import re
from functools import lru_cache

from logdoctor.model import Scalar

# canonical name -> spellings, lower case, letters and digits only.
_TABLE = """
learning_rate: lr learningrate baselr lr0 initiallr initlr startlr maxlr peaklr initiallearningrate startinglr
    optimlr baselearningrate optimizerlr learningratelr lrset startinglearningrate lrstart lrinit lrmax
    peaklearningrate
min_learning_rate: minlr lrmin etamin finallr endlr minlearningrate endlearningrate finallearningrate lrend
actor_learning_rate: actorlr pilr policylr lractor lrpi actorlearningrate policylearningrate learningrateactor lra
critic_learning_rate: criticlr qlr vflr valuelr vlr lrcritic lrv lrq criticlearningrate valuelearningrate
    qfunctionlr learningratecritic lrc qlearningrate
baseline_learning_rate: baselinelr baselinelearningrate
lr_decay_steps: lrdecaysteps lrdecayiters decaysteps lrdecayiterations
gamma: gamma discount discountfactor discountrate discountgamma γ
tau: tau softtau targettau softupdatetau softtargettau targetsmoothingcoefficient softupdatecoefficient
    softtargetupdate τ
polyak: polyak
target_update: targetupdate targetupdateinterval targetupdatefreq targetupdatefrequency targetnetworkupdatefreq
    targetnetworkupdate targetnetworkfrequency targetupdatesteps updatetargetevery targetupdateperiod
    targetnetupdatefreq targetupdateevery targetnetworkupdateinterval targetnetworkupdatefrequency targetsync
    targetsyncinterval targetsyncfreq hardupdateinterval targetnetworkupdateperiod updatetargetfreq
    updatetargetinterval targetinterval copytargetevery syncfrequency syncevery
batch_size: batchsize batch bs trainbatchsize trainingbatchsize
minibatch_size: minibatchsize sgdminibatchsize ppominibatchsize
micro_batch_size: microbatchsize microbatch devicebatchsize
per_device_batch_size: perdevicetrainbatchsize perdevicebatchsize pergputrainbatchsize batchsizepergpu samplespergpu
total_batch_size: totalbatchsize globalbatchsize effectivebatchsize totaltrainbatchsize
buffer_size: buffersize memorysize replaysize replaybuffersize buffer replaycapacity memorycapacity buffercapacity
    replaybuffercapacity maxbuffersize replaymemorysize replaymemory maxreplaysize buffercap memorylimit memory
n_step: nstep nstepreturns nstepreturn multistep nstepreturnlength multistepreturns returnsteps nsteptd
n_steps: nsteps rolloutlength rolloutsteps numsteps rolloutfragmentlength stepsperrollout horizonlength
    numstepsperenv unrolllength
max_grad_norm: maxgradnorm gradclip gradientclip clipgrad gradclipnorm clipgradnorm gradientclipping clipnorm
    gradnormclip gradclipval gradientclipval maxnorm gradclipmaxnorm gradientclipnorm gradclipping clipgradients
    maxgradientnorm gradientclipmaxnorm gradnormlimit gradientclippingnorm gradientclippingmaxnorm clipgradientnorm
    gradmaxnorm gradnormmax gradientclipvalue maxgradclip gradclipvalue gradientmaxnorm gradnormclipping
    gradnormmaximum gradclipthreshold clipgradmaxnorm
ent_coef: entcoef entropycoef entropycoeff entropyweight entropybeta entcoeff entropybonus entropycoefficient
    entropyregularization entropylosscoef entropyreg entropyscale entropylossscale entropybonuscoef entropylosscoeff
    betaentropy entropycost
epsilon: epsilon eps explorationepsilon explorationrate ε
epsilon_start: epsilonstart epsstart explorationinitialeps starteps initialepsilon startingepsilon startepsilon
    starte epsilonmax epsinit epsilonbegin initialeps epsilonstartvalue epsilon0 explorationstart epsmax
epsilon_end: epsilonend epsend explorationfinaleps finalepsilon mineps epsilonmin epsfinal ende epsilonfinal epsmin
    minepsilon endepsilon finaleps explorationmin epsilonendvalue endeps
epsilon_decay: epsilondecay epsdecay epsilondecaysteps epsdecaysteps explorationdecay decayepsilon epsilondecayrate
    explorationdecayrate
exploration_fraction: explorationfraction epsfrac epsilonfraction epsilonfrac explorationfrac
n_epochs: nepochs ppoepochs updateepochs numsgditer kepochs optepochs noptepochs ppoepoch epochsperupdate
    numlearningepochs sgditers numppoepochs trainingepochsperupdate
clip_range: cliprange clipparam clipcoef clipratio clipepsilon epsclip ppoclip clipeps policyclip ppocliprange
    ppoclipparam cliprangepolicy
vf_coef: vfcoef valuecoef valuelosscoef vflosscoeff valuefunctioncoef valuelosscoeff vfcoeff criticcoef valueweight
    valuelossweight vlosscoef
gae_lambda: gaelambda lambda lam gaelam lambd λ gaeλ tdlambda
target_kl: targetkl kltarget desiredkl maxkl klthreshold
kl_coef: klcoef initklcoef klcoeff klpenalty klbeta initialklcoef
train_freq: trainfreq trainfrequency updateevery learningfreq trainevery learnevery trainfreqstep trainingfrequency
    learnfrequency
gradient_steps: gradientsteps numgradientsteps gradstepsperupdate updatesperstep numupdatesperstep utdratio
    gradupdatesperstep
learning_starts: learningstarts starttimesteps startsteps randomsteps minreplaysize learningstart updateafter
    minbuffersize startlearning initialrandomsteps warmuptimesteps randomexplorationsteps replaystart
    replaystartsize minreplaybuffersize seedsteps
policy_delay: policydelay policyfreq policyfrequency actorupdatefreq actorupdateinterval policyupdatefreq
    actorupdatefrequency actordelay
exploration_noise: explorationnoise explnoise actionnoise actnoise noisestd actionnoisestd explorationnoisestd
    explorenoise
target_policy_noise: policynoise targetnoise targetpolicynoise
noise_clip: noiseclip targetnoiseclip
reward_scale: rewardscale rewardscaling rewscale rewardscalefactor rewardmultiplier rewscaling scalereward
reward_clip: rewardclip cliprewards rewardclipping cliprew clipreward rewclip
obs_scale: obsscale observationscale statescale inputscale pixelscale
td_target_clip: tdtargetclip targetclip tdclip tdtargetclipping
max_q_value: maxqvalue maxqvalueclip qclip qvalueclip maxq
horizon: horizon maxepisodesteps maxepisodelength episodelength timelimit maxeplen
warmup_steps: warmupsteps warmupiters warmupiterations numwarmupsteps lrwarmupsteps warmup warmupupdates
    lrwarmupiters nwarmup lrwarmup warmupupdate
warmup_ratio: warmupratio warmupfraction lrwarmupfraction lrwarmupratio
warmup_epochs: warmupepochs lrwarmupepochs
max_steps: maxsteps maxiters totaltimesteps maxtimesteps totalsteps numiterations maxiterations trainiters maxupdate
    iterations iters numtrainingsteps totalenvsteps numtimesteps numtrainsteps maxupdates totalframes maxiter
    trainsteps totaliterations updates maxiteration numupdates trainingsteps totaltrainingsteps numframes maxframes
    niters numiters timesteps ntimesteps totaliters
epochs: epochs numepochs numtrainepochs maxepochs maxepoch nepoch totalepochs trainepochs numberofepochs
    trainingepochs
weight_decay: weightdecay wd l2 l2reg l2regularization weightdecayrate l2penalty l2weight l2lambda
dropout: dropout dropoutrate dropoutprob pdrop dropoutp dropoutprobability
optimizer: optimizer optim opt optimmethod opttype optimizername optimizertype optimiser optimizerclass
lr_schedule: lrschedule lrscheduler lrschedulertype scheduler schedule lrdecaystyle learningrateschedule lrpolicy
    learningratepolicy
momentum: momentum mom
beta1: beta1 adambeta1
beta2: beta2 adambeta2
adam_epsilon: adamepsilon adameps
label_smoothing: labelsmoothing
hidden_size: hiddensize hidden hiddendim hiddenunits nhidden hid hiddenlayersize hiddensizes nhiddenunits hiddendims
    hiddenlayers netarch
n_layers: nlayers nlayer numlayers layers numberoflayers depth numhiddenlayers nhiddenlayers sharedtrunk
init_std: initstd initializerrange weightinitstd wout initscale initmethodstd
activation: activation activationfn nonlinearity activationfunction
n_actions: nactions numactions discreteactions numdiscreteactions naction actioncount numberofactions
state_size: statesize statedim obsdim observationsize
seed: seed randomseed rngseed
n_envs: nenvs numenvs nenv numactors numenvironments parallelenvs numprocesses numberofenvs
n_workers: nworkers numworkers workers trainingworkers dataloadernumworkers
accumulation_steps: gradientaccumulationsteps accumulationsteps accumsteps gradaccumsteps gradaccum gradaccumulation
    accumulate accumulategradbatches gradientaccumulation gradaccumulationsteps
updates_per_sample: updatespersample replayratio
expert_ratio_start: expertstart expertratiostart expertratio
expert_ratio_end: expertend expertratioend expertratiomin
discrete_loss_weight: discretelossweight
continuous_loss_weight: continuouslossweight
bc_loss_weight: bcweight bclossweight bccoef bcweightbehavioralcloning
loss_function: loss lossfn lossfunction losstype criterion discreteloss
algorithm: algo algorithm alg algoname algorithmname rlalgorithm
environment: env envid envname environment gymid envtype
dtype: dtype precision torchdtype
mixed_precision: mixedprecision amp useamp
block_size: blocksize sequencelength seqlen seqlength maxseqlen maxseqlength sequencelen contextlength contextsize
vocab_size: vocabsize
"""
_SPELLINGS = {
    name: words.split()
    for name, words in (line.split(":") for line in _TABLE.replace("\n    ", " ").strip().splitlines())
}

_CANONICAL = {spelling: name for name, words in _SPELLINGS.items() for spelling in (name.replace("_", ""), *words)}

#: Names of which a run has one for each network or optimiser.
_QUALIFIED = frozenset(
    {"learning_rate", "weight_decay", "max_grad_norm", "dropout", "optimizer", "hidden_size", "n_layers"}
)
_QUALIFIERS = {
    "actor": "actor", "policy": "actor", "critic": "critic", "value": "critic", "vf": "critic", "baseline": "baseline",
    "cnn": "cnn", "encoder": "encoder", "discriminator": "discriminator", "generator": "generator", "reward": "reward",
    "ref": "ref", "embedding": "embedding", "alpha": "alpha",
}  # fmt: skip
#: Names whose percent is a share: ``50%`` is 0.5.
_SHARES = frozenset(
    {"epsilon", "epsilon_start", "epsilon_end", "expert_ratio_start", "expert_ratio_end", "dropout", "label_smoothing",
     "exploration_fraction", "warmup_ratio"}
)  # fmt: skip
#: Names that are on or off.
_SWITCHES = frozenset({"mixed_precision"})
#: Names that hold words.
_WORDS = frozenset(
    {"optimizer", "activation", "algorithm", "environment", "dtype", "lr_schedule", "loss_function"}
)  # fmt: skip

_FILLER = re.compile(r"^(?:and|setting|set|using|with|the)\s+", re.IGNORECASE)
_REMARK = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_GREEK = re.compile(r"[α-ωΑ-Ω]")
_NOT_WORD = re.compile(r"[^0-9a-zα-ω]+")
_NUMBER = re.compile(r"[-+−]?(?:\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_UNIT = re.compile(
    r"\s*(?P<unit>%|[kKMB](?![a-zA-Z])|)\s*(?:(?:transitions?|steps?|frames?|layers?|iterations?|updates?|epochs?|samples?|tokens?"
    r"|experiences?|episodes?|envs?|actions?|units?|-steps?|batches)\b)?\s*$",
    re.IGNORECASE,
)
_SCALE = {"k": 1e3, "m": 1e6, "b": 1e9}
_NONE = frozenset({"none", "null", "n/a", "nil", "off", "disabled", "unlimited", "no limit", "-", "--"})
_TRUTH = {"true": True, "yes": True, "on": True, "enabled": True, "false": False, "no": False}


@lru_cache(maxsize=4096)
def canonical(raw: str) -> str | None:
    """Return the canonical name for ``raw`` (a printed name or a dotted path), or None when it is not in the table."""
    bare = _FILLER.sub("", raw.strip().strip("\"'"))
    parts = [bare] if re.search(r"\s", bare) else [p for p in re.split(r"[./]", bare) if p]
    if not parts:
        return None
    name = _look_up(parts[-1])
    if name in _QUALIFIED:
        words = {w for part in parts[:-1] for w in re.split(r"[_\s-]+", part.lower())}
        for word, qualifier in _QUALIFIERS.items():
            if word in words:
                return f"{qualifier}_{name}"
    return name


def _look_up(text: str) -> str | None:
    words = _REMARK.sub(" ", text.lower())
    bare = _NOT_WORD.sub("", words)
    plain = _GREEK.sub("", bare)
    found = _CANONICAL.get(bare) or _CANONICAL.get(plain) if plain else _CANONICAL.get(bare)
    if found is None:  # "micro batch size B", "num_layers L"
        found = _CANONICAL.get(_NOT_WORD.sub("", re.sub(r"\s[a-z]{1,2}\s*$", "", words.rstrip())))
    if found is None:
        pieces = [p for p in re.split(r"[^0-9a-zα-ω]+", words) if p]
        leading = next((at for at, piece in enumerate(pieces) if piece not in _QUALIFIERS), len(pieces))
        rest = _CANONICAL.get("".join(pieces[leading:])) if leading else None
        if rest in _QUALIFIED:
            return "_".join([*(_QUALIFIERS[piece] for piece in pieces[:leading]), rest])
    return found


def snake(raw: str) -> str:
    """Return ``raw`` as a snake-case name (for names that are not in the table)."""
    words = _REMARK.sub(" ", raw.strip().strip("\"'"))
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", words)
    return re.sub(r"[^0-9a-zα-ω]+", "_", words.lower()).strip("_")


def value_of(text: str, name: str | None = None) -> Scalar:
    """Return what a printed value stands for.

    ``Every 1000 steps`` is 1000, ``3-step`` is 3, ``1,500,000 transitions`` is 1500000, ``10.0 (max norm)`` is 10.0;
    ``None``, ``off`` and ``disabled`` are None where ``name`` is a number. Anything else stays text.
    """
    cleaned = text.strip().strip(",;").strip()
    if len(cleaned) > 1 and cleaned[0] == cleaned[-1] and cleaned[0] in "\"'":
        return _number(cleaned[1:-1].strip(), name) if name not in _WORDS else cleaned[1:-1]
    bare = re.sub(r"\s*\([^()]*\)\s*$", "", cleaned)
    bare = re.sub(r"^(?:every|each|~|≈)\s*", "", bare, flags=re.IGNORECASE)
    low = bare.lower()
    if low in _TRUTH:
        return _TRUTH[low]
    if low in _NONE:
        return False if low in {"off", "disabled"} and (name is None or name in _WORDS | _SWITCHES) else None
    return _number(bare, name, cleaned)


def _number(text: str, name: str | None, shown: str | None = None) -> Scalar:
    match = _NUMBER.match(text)
    tail = _UNIT.match(text, match.end()) if match else None
    if not match or not tail or name in _WORDS:
        return shown if shown is not None else text
    digits = match.group().replace(",", "").replace("_", "").replace("−", "-")
    unit = tail["unit"].lower()
    try:
        value: float | int = int(digits)
    except ValueError:
        value = float(digits)
    if unit in _SCALE:
        scaled = value * _SCALE[unit]
        return int(scaled) if scaled.is_integer() else scaled
    return value / 100 if unit == "%" and name in _SHARES else value
