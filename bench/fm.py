"""What our back ends cost beside the plain library call: language, vision, plans.

``python -m bench.fm`` prints tables of one run: every ratio is of pairs measured turn about, its
median beside the least and the greatest. ``--device cuda`` measures in bfloat16, compiled and not.
``--grammar-samples 10000`` only counts how many samples of a random model leave a grammar.

The plain call is what a person would write with transformers or open_clip alone: the same
tokenizer, module, precision and threads, no grammar, no accounting.
"""

from __future__ import annotations

import os

# Read when torch is imported, as fmrl_robot.fm sets it itself.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import tiny_models

from bench.common import Table, machine
from fmrl_robot.errors import FmrlError
from fmrl_robot.fm import load_language_model
from fmrl_robot.fm.usage import AnswerCache
from fmrl_robot.methods.psl import PSL
from fmrl_robot.methods.saytap import SayTap
from fmrl_robot.planners import gait_language, plan_language
from fmrl_robot.registry import VISION_MODELS
from fmrl_robot.reproduce.language import load
from fmrl_robot.reproduce.language_judge import make_scene
from fmrl_robot.types import Scene

PACKAGES = ("torch", "transformers", "xgrammar", "peft", "open_clip_torch", "numpy")
BATCHES = (1, 4, 16, 64)
ARM = "arm: put the red cube in the bowl, then open the drawer and press the button =>"
TOKENS = 32
"""Of an answer of the random model."""
LETTERS = f"root ::= [a-z]{{{TOKENS}}}"
PROMPTS = ("the robot holds the red cube; to tidy up it should first", "a", "then") * 2
TAILS = ("put it in the bowl", "open the drawer", "press the button", "stand still", "go") * 2
BARS = {
    "grammar": ("generation with grammar, of raw at equal tokens, at most", 1.10, max),
    "images": ("images/s of raw at the tower's own size, at least", 0.95, min),
    "online_hz": ("images/s one at a time, at least", 30.0, min),
    "plan_p50_ms": ("median latency of a PSL plan in ms, at most", 300.0, max),
}

Call = Callable[[], Any]


class Pair:
    """Two calls measured turn about."""

    def __init__(self, ours: Call, raw: Call, repeats: int) -> None:
        for warm_up in (ours, raw) * 2:
            warm_up()
        self.ours, self.raw = [], []
        for i in range(repeats):
            order = [(ours, self.ours), (raw, self.raw)]
            for call, times in order if i % 2 else reversed(order):
                times.append(_seconds(call))

    @property
    def ratios(self) -> list[float]:
        """Our seconds over those of the raw call beside it."""
        return [a / b for a, b in zip(self.ours, self.raw, strict=True)]


def _seconds(call: Call) -> float:
    begin = time.perf_counter()
    call()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - begin


class Bench:
    """One run: what was asked for, tables, and figures by name."""

    def __init__(self, given: argparse.Namespace, folder: Path) -> None:
        self.given, self.folder = given, folder
        self.device = torch.device(given.device)
        self.figures: dict[str, Any] = {}
        self.bars: dict[str, list[float]] = {name: [] for name in BARS}
        words = tiny_models.tokenizer(vocab_size=1024)
        self.causal = tiny_models.causal(
            folder / "causal", words=words, hidden_size=256, intermediate_size=1024,
            num_hidden_layers=4, num_attention_heads=8, num_key_value_heads=8,
            vocab_size=given.vocabulary, initializer_range=0.02,
        )  # fmt: skip

    def model(self, name: str, **options: Any) -> Any:
        """A model that keeps no answers."""
        model = load_language_model(name, device=self.given.device, **options)
        model._answers = AnswerCache(0)
        return model

    def models(self) -> dict[str, Any]:
        """The embedded planner and a random causal model, compiled besides on a GPU."""
        tiny = f"transformers:{self.causal}"
        found = {"embedded": self.model("embedded"), "causal": self.model(tiny)}
        if self.device.type == "cuda":
            found["causal, compiled"] = self.model(tiny, compiled=True)
        return found

    def pair(self, name: str, ours: Call, raw: Call, repeats: int = 0) -> Pair:
        """Measure and keep."""
        pair = Pair(ours, raw, repeats or self.given.repeats)
        self.figures[name] = {
            "ours_s": median(pair.ours), "raw_s": median(pair.raw), "ratio": median(pair.ratios),
            "least": min(pair.ratios), "greatest": max(pair.ratios),
        }  # fmt: skip
        print(f"{name}: {median(pair.ratios):.3f}", file=sys.stderr, flush=True)
        return pair

    # --- language ---------------------------------------------------------------------------------

    def generation(self) -> Table:
        """Answers of equal length, with and without grammar, of one prompt."""
        table = Table("Generation", ("", "tokens", "ours, ms", "raw, ms", "ours of raw"))
        for name, model in self.models().items():
            prompt = ARM if name == "embedded" else PROMPTS[0]
            grammar = plan_language.GRAMMAR if name == "embedded" else LETTERS
            for held in (None, grammar):
                for n in (1, 8):
                    self._generation(table, name, model, prompt, held, n)
        return table

    def _generation(
        self, table: Table, name: str, model: Any, prompt: str, grammar: str | None, n: int
    ) -> None:
        ids = model.tokenizer
        sampled = {"temperature": 0.01} if n > 1 else {}
        asked = {"n": n, "max_tokens": TOKENS + 2, **sampled}
        if grammar is None and name != "embedded":
            # A random model does not end by itself: the sentence ends where the raw one is cut.
            asked["max_tokens"] = TOKENS
        count = 0

        def ours() -> None:
            nonlocal count
            wrote = model._writer.write(model.read(prompt), _wanted(asked, grammar))
            texts = [sample.text for sample in wrote]
            count = max(len(sample.ids) for sample in wrote)
            assert len(texts) == n

        ours()
        raw_options = {"do_sample": n > 1, "num_return_sequences": n, "max_new_tokens": count}
        if n > 1:
            raw_options |= {"temperature": 0.01, "top_k": 0, "top_p": 1.0}

        def raw() -> None:
            with torch.inference_mode():
                inputs = _raw_inputs(model, prompt)
                prefix = inputs.get("decoder_input_ids", inputs["input_ids"]).shape[1]
                output = model.module.generate(**inputs, **raw_options)
                ids.batch_decode(output[:, prefix:], skip_special_tokens=True)
                assert output.shape[1] - prefix == count, "the raw call wrote fewer tokens"

        kind = "with grammar" if grammar else "free"
        pair = self.pair(f"{name}, {kind}, n={n}", ours, raw)
        if grammar:
            self.bars["grammar"].append(median(pair.ratios))
        table.add(
            f"{name}, {kind}, {n} at once", str(count * n), _ms(pair.ours), _ms(pair.raw),
            _ratio(pair.ratios),
        )  # fmt: skip

    def scoring(self) -> Table:
        """Ten continuations of one prompt and of six."""
        table = Table(
            "Scoring",
            ("", "rows", "ours, ms", "one call a row, ms", "ours of it", "one padded call, ms",
             "ours of it"),
            "The loop and the padded call are transformers alone; both read the prompt once a row.",
        )  # fmt: skip
        for name, model in self.models().items():
            for prompts in (PROMPTS[:1], PROMPTS):
                asked = [TAILS] * len(prompts)
                rows = [
                    (model.encode_prompt(p), model.encode(c))
                    for p, several in zip(prompts, asked, strict=True)
                    for c in several
                ]
                label = f"{name}, {len(prompts)} x {len(TAILS)}"
                ours = lambda m=model, p=prompts, a=asked: m.score(p, a)  # noqa: E731
                loop = self.pair(
                    f"score {label} against a loop", ours, lambda m=model, r=rows: _loop(m, r)
                )
                batch = self.pair(
                    f"score {label} against a batch", ours, lambda m=model, r=rows: _batch(m, r)
                )
                table.add(
                    label, str(len(rows)), _ms(loop.ours), _ms(loop.raw), _ratio(loop.ratios),
                    _ms(batch.raw), _ratio(batch.ratios),
                )  # fmt: skip
        return table

    # --- vision -----------------------------------------------------------------------------------

    def images(self) -> Table:
        """Frames of the tower's own size, and frames that have to be resized."""
        table = Table(
            "Images",
            ("images at once", "ours, images/s", "raw, images/s", "ours of raw",
             "raw, channels last", "ours of it", "ours from 224 px"),
            "Raw is open_clip's encode_image on a float batch that lies ready, in torch's order "
            "and in channels last; ours begins with frames of bytes.",
        )  # fmt: skip
        rng = np.random.default_rng(0)
        for compiled in (False, True) if self.device.type == "cuda" else (False,):
            vision = VISION_MODELS.load("embedded")(device=self.given.device, compiled=compiled)
            for count in BATCHES:
                self._images(table, vision, rng, count, compiled)
        return table

    def _images(self, table: Table, vision: Any, rng: Any, count: int, compiled: bool) -> None:
        model, encode = vision._model, vision._encode_image
        frames = [rng.integers(0, 256, (128, 128, 3), dtype=np.uint8) for _ in range(count)]
        large = [rng.integers(0, 256, (224, 224, 3), dtype=np.uint8) for _ in range(count)]
        ready = torch.randn(count, 3, 128, 128, device=self.device, dtype=vision._dtype)

        def raw(batch: torch.Tensor) -> Call:
            call = encode if compiled else model.encode_image

            def run() -> None:
                with torch.inference_mode():
                    call(batch, normalize=True).float().cpu().numpy()

            return run

        label = f"{count}{', compiled' if compiled else ''}"
        ours = lambda: vision.embed_images(frames)  # noqa: E731
        repeats = self.given.repeats * max(1, 16 // count)
        plain = self.pair(f"images {label}", ours, raw(ready), repeats)
        last = raw(ready.contiguous(memory_format=torch.channels_last))
        pair = self.pair(f"images {label}, channels last", ours, last, repeats)
        resized = self.pair(
            f"images {label}, from 224 px", lambda: vision.embed_images(large), ours
        )
        self.bars["images"].append(1 / median(plain.ratios))
        if count == 1:
            self.bars["online_hz"].append(1 / median(plain.ours))
        table.add(
            label, _rate(count, plain.ours), _rate(count, plain.raw),
            _ratio([1 / r for r in plain.ratios]), _rate(count, pair.raw),
            _ratio([1 / r for r in pair.ratios]), _rate(count, resized.ours),
        )  # fmt: skip

    # --- plans ------------------------------------------------------------------------------------

    def plans(self) -> Table:
        """Every instruction written by hand, from the sentence to sub-goals."""
        table = Table("Plans of the embedded planner", ("", "plans", "p50, ms", "p95, ms"))
        model = self.model("embedded")
        for kind, planner, robot in (
            ("arm", PSL(model), "panda"), ("quadruped", SayTap(model), "go2"),
        ):  # fmt: skip
            seconds: list[float] = []
            for case in load(f"seen_{kind}"):
                scene = (
                    make_scene(case.get("scene", []), case.get("absent", []))
                    if robot == "panda"
                    else Scene(stamp_s=0.0)
                )
                begin = time.perf_counter()
                try:
                    planner.reset(case["text"], robot)
                    planner.propose(scene)
                except FmrlError:
                    pass  # a refusal is an answer as well
                seconds.append(time.perf_counter() - begin)
            p50, p95 = (1e3 * float(np.percentile(seconds, q)) for q in (50, 95))
            self.figures[f"plan {kind}"] = {"p50_ms": p50, "p95_ms": p95, "plans": len(seconds)}
            table.add(kind, str(len(seconds)), f"{p50:.0f}", f"{p95:.0f}")
            if kind == "arm":
                self.bars["plan_p50_ms"].append(p50)
        return table

    # --- batches ----------------------------------------------------------------------------------

    def sweep(self) -> Table:
        """How much more comes out of larger batches."""
        table = Table(
            "By batch", ("at once", "tokens/s written", "continuations/s scored"),
            "The random causal model; writing held to a grammar, one prompt; scoring one prompt.",
        )  # fmt: skip
        model = self.model(f"transformers:{self.causal}")
        prompt, repeats = PROMPTS[0], max(3, self.given.repeats // 4)
        for count in BATCHES:
            asked = {"n": count, "max_tokens": TOKENS + 2, "temperature": 1.0}
            wanted = _wanted(asked, LETTERS)
            tails = [TAILS[i % len(TAILS)] + str(i) for i in range(count)]
            wrote = sum(len(s.ids) for s in model._writer.write(model.read(prompt), wanted))
            writing = median(
                _seconds(lambda w=wanted: model._writer.write(model.read(prompt), w))
                for _ in range(repeats)
            )
            scoring = median(
                _seconds(lambda t=tails: model.score([prompt], [t])) for _ in range(repeats)
            )
            self.figures[f"sweep {count}"] = {
                "tokens_per_s": wrote / writing, "continuations_per_s": count / scoring,
            }  # fmt: skip
            table.add(str(count), f"{wrote / writing:.0f}", f"{count / scoring:.0f}")
        return table

    def held(self) -> Table:
        """Each bar with the worst figure that was measured for it."""
        table = Table("Bars", ("", "bar", "worst measured", ""))
        for name, (what, bar, worse) in BARS.items():
            if not self.bars[name]:
                continue
            worst = worse(self.bars[name])
            fine = worst <= bar if worse is max else worst >= bar
            table.add(what, f"{bar:g}", f"{worst:.3g}", "holds" if fine else "missed")
        return table


def _wanted(asked: dict[str, Any], grammar: str | None) -> Any:
    from fmrl_robot.fm.transformers_lm.generation import Wanted

    return Wanted(grammar=grammar, **asked)


def _raw_inputs(model: Any, prompt: str) -> dict[str, torch.Tensor]:
    """Tokens as the library alone would be given them."""
    device, loaded = model.module.device, model._loaded
    if not loaded.seq2seq:
        return dict(model.tokenizer(prompt, return_tensors="pt").to(device))
    inputs = dict(loaded.encoder_tokenizer(prompt, return_tensors="pt").to(device))
    inputs.pop("token_type_ids", None)
    head = [loaded.start_id, *model.tokenizer.encode(prompt, add_special_tokens=False)]
    return inputs | {"decoder_input_ids": torch.tensor([head], device=device)}


def _loop(model: Any, rows: Sequence[tuple[list[int], list[int]]]) -> list[float]:
    """As one would write it first: a call a continuation."""
    return [score for row in rows for score in _batch(model, [row])]


def _batch(model: Any, rows: Sequence[tuple[list[int], list[int]]]) -> list[float]:
    """As one would write it second: prompts with continuations, padded on the right."""
    device, loaded = model.module.device, model._loaded
    heads = [[loaded.start_id, *p] if loaded.seq2seq else p for p, _ in rows]
    whole = [torch.tensor([*h, *c]) for h, (_, c) in zip(heads, rows, strict=True)]
    ids = torch.nn.utils.rnn.pad_sequence(whole, batch_first=True).to(device)
    if loaded.seq2seq:
        texts = [model.tokenizer.decode(p) for p, _ in rows]
        read = loaded.encoder_tokenizer(texts, return_tensors="pt", padding=True).to(device)
        inputs = {k: read[k] for k in ("input_ids", "attention_mask")} | {"decoder_input_ids": ids}
    else:
        mask = torch.nn.utils.rnn.pad_sequence(
            [torch.ones_like(w) for w in whole], batch_first=True
        )
        inputs = {"input_ids": ids, "attention_mask": mask.to(device)}
    with torch.inference_mode():
        logprobs = model.module(**inputs).logits[:, :-1].float().log_softmax(-1)
    chosen = logprobs.gather(-1, ids[:, 1:, None])[:, :, 0]
    return [
        float(row[len(h) - 1 : len(h) - 1 + len(c)].sum())
        for row, h, (_, c) in zip(chosen, heads, rows, strict=True)
    ]


def grammar_samples(count: int, folder: Path) -> Table:
    """Count how many samples of models with random weights leave what they are held to."""
    from fmrl_robot.fm.grammar import accepts

    table = Table(
        "Samples held to a grammar",
        ("model, grammar", "samples", "ended", "left it", "of 100 that were not held to it"),
        "An answer that was cut off has to be the beginning of a sentence.",
    )  # fmt: skip
    embedded = load_language_model("embedded")
    torch.manual_seed(0)
    with torch.no_grad():
        for name, weights in embedded.module.named_parameters():
            if not name.startswith("encoder."):
                weights.normal_(std=0.02)
    cases = [
        ("causal, letters", _tiny(folder, "bytes"), 'root ::= ("put(" | "é" | " ") [a-c]{1,6} ")"'),
        ("causal, plans", _tiny(folder, "bytes"), plan_language.GRAMMAR),
        ("sentencepiece, gaits", _tiny(folder, "pieces"), gait_language.GRAMMAR),
        ("embedded, plans", embedded, plan_language.GRAMMAR),
    ]
    for name, model, grammar in cases:
        ended = left = done = 0

        def leaves(sample: Any, grammar: str = grammar) -> bool:
            fits = accepts if sample.ended else _begins
            return not fits(grammar, sample.text)

        def write(n: int, seed: int, held: str | None, model: Any = model) -> list[Any]:
            asked = {"n": n, "max_tokens": 60, "temperature": 2.0, "seed": seed}
            return model._writer.write(model.read("arm: say =>"), _wanted(asked, held))

        while done < count // len(cases):
            samples = write(min(100, count // len(cases) - done), done, grammar)
            done += len(samples)
            ended += sum(sample.ended for sample in samples)
            left += sum(map(leaves, samples))
            print(f"{name}: {done} samples, {left} left", file=sys.stderr, flush=True)
        free = sum(map(leaves, write(100, 0, None)))
        table.add(name, str(done), str(ended), str(left), str(free))
    return table


def _tiny(folder: Path, kind: str) -> Any:
    words = tiny_models.sentencepiece_like() if kind == "pieces" else None
    return load_language_model(f"transformers:{tiny_models.causal(folder / kind, words=words)}")


def _begins(grammar: str, text: str) -> bool:
    """Whether a text can still become a sentence; what it broke off within may be half a letter."""
    import xgrammar

    from fmrl_robot.fm.grammar import _compiled_for_bytes

    matcher = xgrammar.GrammarMatcher(_compiled_for_bytes(grammar))
    return matcher.accept_string(text.rstrip("\ufffd"))


def _ms(seconds: Sequence[float]) -> str:
    return f"{1e3 * median(seconds):.1f}"


def _rate(count: int, seconds: Sequence[float]) -> str:
    return f"{count / median(seconds):.0f}"


def _ratio(ratios: Sequence[float]) -> str:
    return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--vocabulary", type=int, default=32_000, help="of the random model")
    parser.add_argument("--grammar-samples", type=int, default=0)
    parser.add_argument("--only", choices=("generation", "scoring", "images", "plans", "sweep"))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    about = machine(PACKAGES) | {"device": given.device, "threads": given.threads}
    with tempfile.TemporaryDirectory() as name:
        if given.grammar_samples:
            tables = [grammar_samples(given.grammar_samples, Path(name))]
            figures: dict[str, Any] = {}
        else:
            bench = Bench(given, Path(name))
            parts = ("generation", "scoring", "images", "plans", "sweep")
            asked = [given.only] if given.only else parts
            tables = [*(getattr(bench, part)() for part in asked), bench.held()]
            figures = bench.figures
    for table in tables:
        print(table.markdown())
    print(json.dumps(about))
    if given.json:
        rows = {t.title: [t.columns, *t.rows] for t in tables}
        given.json.write_text(
            json.dumps({"machine": about, "figures": figures, "tables": rows}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
