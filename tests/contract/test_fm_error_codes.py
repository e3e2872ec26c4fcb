"""Every code that models raise, provoked for real; each message says what, what came, what next.

A code of the planner's range that no model raises is named with the test that provokes it.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import fault_server as fs
import numpy as np
import pytest
import tiny_models

from fmrl_robot.errors import ConfigError, ErrorCode, FmrlError, Retryable, Terminal
from fmrl_robot.fm import Budget, guarded, load_language_model, load_text_embedder, require
from fmrl_robot.fm.scripted import ScriptedLM
from fmrl_robot.methods.psl import PSL
from fmrl_robot.registry import METHODS, VISION_MODELS

ROOT = Path(__file__).parents[2]
PICTURE = np.zeros((8, 8, 3), np.uint8)

ELSEWHERE = {
    ErrorCode.INSTRUCTION_EMPTY: "tests/contract/test_methods.py",
    ErrorCode.SCENE_UNAVAILABLE: "tests/unit/runtime/test_executive.py",
    ErrorCode.REPAIRS_EXHAUSTED: "tests/unit/runtime/test_executive.py",
    ErrorCode.TASK_TIMEOUT: "tests/unit/runtime/test_executive.py",
    ErrorCode.TASK_CANCELLED: "tests/unit/runtime/test_executive.py",
    ErrorCode.GOAL_NOT_REACHED: "tests/unit/runtime/test_executive.py",
    ErrorCode.TASK_BUSY: "tests/graph/test_planner_node.py",
    ErrorCode.CONTROLLER_UNAVAILABLE: "tests/faults/test_killed_nodes.py",
    ErrorCode.LANGUAGE_UNKNOWN: "tests/unit/plancheck/test_language.py",
    ErrorCode.PROPOSALS_SPENT: "tests/unit/runtime/test_steps.py",
    ErrorCode.STEPS_SPENT: "tests/unit/runtime/test_steps.py",
    ErrorCode.QUESTIONS_SPENT: "tests/unit/runtime/test_steps.py",
    ErrorCode.GIVEN_UP: "tests/unit/runtime/test_steps.py",
}
"""Codes of the executive and of the planner node, with the test that provokes each."""


@dataclass(frozen=True)
class Tools:
    """What a provocation may need."""

    causal: str
    """Name of a tiny model of text."""
    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def model(self):
        return load_language_model(self.causal)


@dataclass(frozen=True)
class Case:
    """One way to a code."""

    name: str
    code: ErrorCode
    kind: type[FmrlError]
    provoke: Callable[[Tools], object]
    expected: str
    """Regular expressions of what the message says, in this order."""
    got: str
    next_step: str


def served(*behaviours, settings="total_s=5&attempts=1", model="m", **arguments):
    """Ask a sick server."""

    def ask(_):
        with fs.serving(*behaviours) as server:
            load_language_model(f"openai:{model}@{server.url}?{settings}").generate(
                "put the red cube in the bowl", **arguments
            )

    return ask


def named(name):
    return lambda _: load_language_model(name)


def nobody_listens(_):
    with fs.serving(fs.drop) as server:
        url = server.url
    load_language_model(f"openai:m@{url}?total_s=2&attempts=1").generate("x")


def three_failures_and_one_more(_):
    with fs.serving(fs.status(500)) as server:
        model = load_language_model(f"openai:m@{server.url}?total_s=5&attempts=1&pause_s=60")
        for _ in range(3):
            with suppress(Terminal):
                model.generate("x")
        model.generate("x")


def closed(_):
    with fs.serving(fs.hang()) as server:
        model = load_language_model(f"openai:m@{server.url}?total_s=5")
        model.close()
        model.generate("x")


def another_question(tools):
    tape = tools.folder / "tape.jsonl"
    table = tools.folder / "table.json"
    table.write_text('{"red": "put(red_cube,bowl)"}')
    load_language_model(f"recording:{tape},scripted:{table}").generate("red")
    load_language_model(f"recorded:{tape}").generate("blue")


def broken_tape(tools):
    tape = tools.folder / "tape.jsonl"
    tape.write_text('{"cassette": 1, "model": "m"}\nnonsense\n')
    load_language_model(f"recorded:{tape}")


def no_policies(tools):
    tools.monkeypatch.setenv("FMRL_POLICIES", str(tools.folder))
    load_language_model("embedded")


def spent(tools):
    guarded(tools.model(), None, Budget(tokens=100)).generate("x", max_tokens=50)


CASES = (
    # The question.
    Case("beyond the context", ErrorCode.INSTRUCTION_TOO_LONG, Terminal,
         lambda t: t.model().generate("q" * 600),
         "at most 512 tokens", r"got \d+", "shorten the instruction"),
    Case("beyond the context of a server", ErrorCode.INSTRUCTION_TOO_LONG, Terminal,
         served(fs.status(400, "This model's maximum context length is 4096 tokens.")),
         "fits into the context of openai:m@", "it says: .*4096", "shorten the instruction"),
    Case("the server's model declines", ErrorCode.INSTRUCTION_REFUSED, Terminal,
         served(fs.answer("", refusal="I will not")),
         "expected an answer", "declined: I will not", "ask for something else"),
    Case("the server's filter declines", ErrorCode.INSTRUCTION_REFUSED, Terminal,
         served(fs.answer("", finish="content_filter")),
         "expected an answer", "declined: its filter", "ask for something else"),
    # The answer.
    Case("no end", ErrorCode.MODEL_OUTPUT_MALFORMED, Retryable,
         lambda t: t.model().generate("x", grammar='root ::= "a"{90}', max_tokens=5),
         "expected answers that end", "1 of 1 answers did not end within 5", "allow more tokens"),
    Case("no end at a server", ErrorCode.MODEL_OUTPUT_MALFORMED, Retryable,
         served(fs.answer("put(red", finish="length"), max_tokens=9),
         "expected an answer that ends", r"within 9 tokens: 'put\(red'", "allow more tokens"),
    Case("half an answer", ErrorCode.MODEL_OUTPUT_MALFORMED, Retryable, served(fs.half),
         "expected a whole answer", r"broke off .* after 'put\(red'", "ask again"),
    Case("nothing", ErrorCode.MODEL_OUTPUT_MALFORMED, Retryable, served(fs.empty_body),
         "expected an answer", "got an empty reply", "ask again"),
    Case("no words", ErrorCode.MODEL_OUTPUT_MALFORMED, Retryable, served(fs.answer("")),
         "expected an answer", r"got an empty one \(stop\)", "ask again"),
    Case("no JSON", ErrorCode.MODEL_OUTPUT_MALFORMED, Retryable, served(fs.wrong_json),
         "expected an answer", "got what is no JSON", "base URL"),
    Case("off the grammar", ErrorCode.MODEL_OUTPUT_MALFORMED, Retryable,
         served(fs.answer("Sure!"), grammar='root ::= "yes"'),
         "keeps its grammar", "did not in 3 answers, the last was 'Sure!'", "larger model"),
    Case("off the schema", ErrorCode.MODEL_OUTPUT_MALFORMED, Retryable,
         served(fs.answer("7"), schema={"type": "string"}),
         "keeps its schema", "the last was '7': .* is not of type", "larger model"),
    # The model.
    Case("a sick server", ErrorCode.MODEL_UNAVAILABLE, Terminal, served(fs.status(500, "no GPU")),
         "expected an answer", "500: no GPU.*attempt 1 of 1", "look whether the server runs"),
    Case("no server", ErrorCode.MODEL_UNAVAILABLE, Terminal, nobody_listens,
         "expected an answer", "no connection", "look whether the server runs"),
    Case("a silent server", ErrorCode.MODEL_UNAVAILABLE, Terminal,
         served(fs.hang(), settings="total_s=0.3&attempts=1"),
         "expected an answer", "no first token within", "look whether the server runs"),
    Case("a server left alone", ErrorCode.MODEL_UNAVAILABLE, Terminal, three_failures_and_one_more,
         "expected an answer", "failed 3 times in a row.*500", "wait, or mend it"),
    Case("no credit", ErrorCode.MODEL_UNAVAILABLE, Terminal, served(fs.status(402, "pay first")),
         "expected credit", "answered 402: pay first", "pay in"),
    Case("no such model at a server", ErrorCode.MODEL_UNAVAILABLE, ConfigError,
         served(fs.status(404, "The model `m` does not exist.")),
         "expected the question to be taken", "answered 404: The model `m`",
         "it has good-model, other-model"),
    Case("closed meanwhile", ErrorCode.MODEL_UNAVAILABLE, Terminal, closed,
         "expected an answer", "was closed", "load it anew"),
    Case("openai without a name", ErrorCode.MODEL_UNAVAILABLE, ConfigError, named("openai:"),
         "expected openai:<model>@<base url>", "got no model", "for example"),
    Case("a server elsewhere, forbidden", ErrorCode.MODEL_UNAVAILABLE, ConfigError,
         named("openai:m@https://far.example/v1"),
         "a server on this machine", "got 'https://far.example/v1'", "name one on localhost"),
    Case("a download, forbidden", ErrorCode.MODEL_UNAVAILABLE, ConfigError,
         named("transformers:org/name"),
         "expected the folder of a model", "got 'org/name'", "give a folder"),
    Case("transformers without a name", ErrorCode.MODEL_UNAVAILABLE, ConfigError,
         named("transformers:"),
         "expected transformers:<folder or hub id>", "got no name", "give one"),
    Case("a folder without a model", ErrorCode.MODEL_UNAVAILABLE, ConfigError,
         lambda t: load_language_model(f"transformers:{t.folder}"),
         "expected a language model behind", "could not load it", "give the folder or the hub id"),
    Case("a folder without an embedder", ErrorCode.MODEL_UNAVAILABLE, ConfigError,
         lambda t: load_text_embedder(f"sentence_transformers:{t.folder}"),
         "expected a sentence-transformers model", "could not load it", "give the folder"),
    Case("an embedder without a name", ErrorCode.MODEL_UNAVAILABLE, ConfigError,
         lambda _: load_text_embedder("sentence_transformers:"),
         "expected sentence_transformers:<name or folder>", "got no name", "give one"),
    Case("no table", ErrorCode.MODEL_UNAVAILABLE, ConfigError, named("scripted:none.json"),
         "expected scripted:<JSON or YAML file", "got 'none.json'", "write one such as"),
    Case("no scripted answer", ErrorCode.MODEL_UNAVAILABLE, ConfigError,
         lambda _: ScriptedLM({"red": "x"}).generate("blue"),
         "expected a scripted answer for 'blue'", "has 1 others", "add one"),
    Case("no cassette", ErrorCode.MODEL_UNAVAILABLE, ConfigError,
         lambda t: load_language_model(f"recorded:{t.folder}/none.jsonl"),
         "expected recorded answers", "found none", "record them with recording:"),
    Case("a broken cassette", ErrorCode.MODEL_UNAVAILABLE, ConfigError, broken_tape,
         "expected a question with its answer in line 2", "could not read it", "record anew"),
    Case("another question", ErrorCode.MODEL_UNAVAILABLE, ConfigError, another_question,
         "expected a question that", "got another: ...'blue'", "record it with recording:"),
    Case("recording nobody", ErrorCode.MODEL_UNAVAILABLE, ConfigError, named("recording:x.jsonl"),
         "expected recording:<file.jsonl>,<model name>", "got 'x.jsonl'", "for example"),
    # The budget, the method.
    Case("the budget", ErrorCode.BUDGET_SPENT, Terminal, spent,
         "at most 100 tokens", r"0 are taken .* may take \d+", "raise the budget"),
    Case("no such method", ErrorCode.METHOD_UNKNOWN, ConfigError, lambda _: METHODS.load("pls"),
         "expected one of .*psl, .*saytap", "got 'pls'", "name one of them"),
    Case("a method for another robot", ErrorCode.METHOD_UNKNOWN, ConfigError,
         lambda _: PSL(ScriptedLM({"": "x"})).reset("do it", "go2"),
         "expected a robot of kind arm", "got 'go2'", "choose saytap"),
    # What a person has to mend.
    Case("a key", ErrorCode.CONFIG_INVALID, ConfigError, served(fs.status(401, "who are you")),
         "expected to be let in", "answered 401: who are you", "key_env=NAME"),
    Case("a question refused", ErrorCode.CONFIG_INVALID, ConfigError,
         served(fs.status(400, "what is that")),
         "expected the question to be taken", "answered 400: what is that", "change what it names"),
    Case("no such grammar", ErrorCode.CONFIG_INVALID, ConfigError,
         lambda t: t.model().generate("x", grammar="root := what"),
         "expected a grammar in GBNF", "got 'root := what'", "correct it"),
    Case("no embedded model", ErrorCode.ASSET_MISSING, ConfigError, no_policies,
         "expected the embedded model in", "found none", "run fmrl train lm-embedded"),
    Case("a folder without a CLIP", ErrorCode.ASSET_MISSING, ConfigError,
         lambda t: VISION_MODELS.load("open_clip")(str(t.folder)),
         "expected open_clip_config.json", "found none", "train or copy the model"),
    Case("pictures for a model of text", ErrorCode.CAPABILITY_MISSING, ConfigError,
         lambda t: t.model().generate("x", images=[PICTURE]),
         "expected a model that reads pictures", "reads text only", "choose a vision-language"),
    Case("log-probabilities of a silent server", ErrorCode.CAPABILITY_MISSING, ConfigError,
         served(fs.answer("yes"), logprobs=True),
         "expected a model that can tell log-prob", "it sent none", "choose another"),
    Case("a capability", ErrorCode.CAPABILITY_MISSING, ConfigError,
         lambda t: require(t.model(), "Sees", by="vlm_rm"),
         "vlm_rm needs a model with Sees", "offers Generates", "choose another model"),
)  # fmt: skip


@pytest.fixture(scope="module")
def causal(tmp_path_factory):
    return f"transformers:{tiny_models.causal(tmp_path_factory.mktemp('causal'))}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_failure_has_its_code_and_says_what_came_and_what_next(
    case, causal, tmp_path, monkeypatch
):
    with pytest.raises(FmrlError) as caught:
        case.provoke(Tools(causal, tmp_path, monkeypatch))
    assert caught.value.code == case.code and type(caught.value) is case.kind
    said = f"{case.expected}.*{case.got}.*{case.next_step}"
    assert re.search(said, str(caught.value), re.DOTALL), str(caught.value)


def test_every_code_that_the_models_name_is_provoked_here():
    source = "".join(p.read_text() for p in (ROOT / "fmrl_robot/fm").rglob("*.py"))
    by_default = {FmrlError.default_code, Retryable.default_code}
    named_there = {ErrorCode[name] for name in re.findall(r"ErrorCode\.([A-Z_]+)", source)}
    assert (named_there | by_default) - {c.code for c in CASES} == set()


def test_every_code_of_the_planner_is_provoked_by_a_test():
    planner = {code for code in ErrorCode if code // 100 == 1}
    here = {case.code for case in CASES} & planner
    assert here | set(ELSEWHERE) == planner
    assert not here & set(ELSEWHERE)
    for code, file in ELSEWHERE.items():
        assert f"ErrorCode.{code.name}" in (ROOT / file).read_text(), f"{code!r} in {file}"
