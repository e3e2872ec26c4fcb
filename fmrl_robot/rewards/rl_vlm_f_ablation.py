"""What RL-VLM-F is held to: its experiment as a value, beside the system (rl_vlm_f.py)."""

from __future__ import annotations

from fmrl_robot.ablation import Ablation, Arm, Bar, Measure

_LEARNED = {"by": "rl_vlm_f"}

ABLATION = Ablation(
    question="Is a reward that is learned from comparisons of pictures better to learn from than "
    "scores by the same labeller, and what do wrong answers, forced answers and old rewards cost?",
    paper="On seven tasks (folding cloth, opening a drawer, CartPole and others) a policy that "
    "learns from a vision-language model's preferences does better than one that learns from its "
    "scores, from CLIP or from BLIP-2; the share of right answers grows with how far apart two "
    "pictures are in truth, and near ones are answered by \"no preference\".",
    environment="Go2 in MuJoCo, from standing to sitting in 12 steps of its legs' targets; soft "
    "actor-critic on joints, never pictures; the labeller is the embedded CLIP (5.0 million "
    "numbers); success by the posture's geometry at the end of fresh episodes",
    trial="fmrl_robot.reproduce.trials.rl_vlm_f:trial",
    arms=(
        Arm(name="preferences", words="comparisons, abstentions left out, replay relabelled",
            settings=_LEARNED),
        Arm(name="scores", words="as many single frames scored in tenths by the same labeller",
            settings=_LEARNED | {"learns": "scores"}),
        Arm(name="forced", words="the labeller may not abstain",
            settings=_LEARNED | {"abstains": False}),
        Arm(name="not relabelled", words="what is kept keeps the reward that it had",
            settings=_LEARNED | {"relabel": False}),
        Arm(name="20 % wrong", words="a fifth of the answers is turned round",
            settings=_LEARNED | {"wrong": 0.2}),
        Arm(name="40 % wrong", words="two fifths are", settings=_LEARNED | {"wrong": 0.4}),
        Arm(name="50 % wrong", words="half are: answers say nothing",
            settings=_LEARNED | {"wrong": 0.5}, control=True),
        Arm(name="true answers", words="ground truth compares",
            settings=_LEARNED | {"labeller": "truth"}),
        Arm(name="true reward", words="ground truth rewards, nothing is learned of a reward",
            settings={"by": "truth"}),
    ),
    measures=(
        Measure(name="success", words="episodes that end sitting"),
        Measure(name="right", words="answers that are right, by how far apart in truth"),
        Measure(name="far right", words="of pairs far apart"),
        Measure(name="near abstained", words="abstentions, of pairs near to one another"),
        Measure(name="rank", words="rank correlation of learned reward and truth, fresh states"),
    ),
    bars=(
        Bar(words="Success, comparisons minus answers that say nothing", measure="success",
            arm="preferences", against="50 % wrong", at_least=0.5),
        Bar(words="success, comparisons", measure="success", arm="preferences", at_least=0.8),
        Bar(words="success, comparisons minus scores by the same labeller", measure="success",
            arm="preferences", against="scores", at_least=0.1),
        Bar(words="success, relabelled minus not relabelled", measure="success",
            arm="preferences", against="not relabelled", at_least=0.1),
        Bar(words="what a fifth of wrong answers costs", measure="success",
            arm="preferences", against="20 % wrong", at_most=0.2),
        Bar(words="right answers on pairs far apart", measure="far right", arm="preferences",
            at_least=0.9),
        Bar(words="rank correlation of the learned reward with truth", measure="rank",
            arm="preferences", at_least=0.6),
        Bar(words="the same, of answers that say nothing", measure="rank", arm="50 % wrong",
            at_most=0.3),
    ),
    full={"episodes": 120, "envs": 8, "judged": 48, "states": 128, "learn_every": 2, "pairs": 40},
    quick={"episodes": 2, "envs": 1, "judged": 1, "states": 8, "learn_every": 1, "pairs": 8},
    seeds=3,
    differs=(
        "The labeller embeds pictures and compares logits of one taught sentence; it abstains "
        "within the doubt of its calibration. The paper asks a large model in words.",
        "A score is the labeller's calibrated logit in tenths; it has no trouble with numbers, "
        "which a model that writes them has.",
        "The ensemble reads the labeller's embeddings, not pixels; one task of 12 steps stands for "
        "seven; 280 comparisons or 560 scores in all.",
        "The bars were written before any run; three trials were run on the way to the amounts. In "
        "the one of them that is of the full experiment (comparisons, seed 100) the policy "
        "learned to lie down, and no episode ended sitting.",
    ),
    curve=("environment steps", "success"),
)  # fmt: skip
