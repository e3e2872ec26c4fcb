"""How much more comes out of larger batches."""

from __future__ import annotations

from statistics import median

from bench.common import Table
from bench.fm.models import BATCHES, LETTERS, PROMPTS, TAILS, TOKENS, Models, write
from bench.fm.pair import seconds
from bench.fm.record import Record


def sweep(models: Models, record: Record) -> Table:
    """Writing and scoring by how many at once."""
    table = Table(
        "By batch", ("at once", "tokens/s written", "continuations/s scored"),
        "The random causal model; writing held to a grammar, one prompt; scoring one prompt.",
    )  # fmt: skip
    model = models.load(models.causal)
    prompt, repeats = PROMPTS[0], max(3, record.repeats // 4)
    for count in BATCHES:
        asked = {"n": count, "max_tokens": TOKENS + 2, "temperature": 1.0}
        tails = [TAILS[i % len(TAILS)] + str(i) for i in range(count)]
        wrote = sum(len(s.ids) for s in write(model, prompt, LETTERS, **asked))
        writing = median(
            seconds(lambda a=asked: write(model, prompt, LETTERS, **a)) for _ in range(repeats)
        )
        scoring = median(
            seconds(lambda t=tails: model.score([prompt], [t])) for _ in range(repeats)
        )
        record.figures[f"sweep {count}"] = {
            "tokens_per_s": wrote / writing, "continuations_per_s": count / scoring,
        }  # fmt: skip
        table.add(str(count), f"{wrote / writing:.0f}", f"{count / scoring:.0f}")
    return table
