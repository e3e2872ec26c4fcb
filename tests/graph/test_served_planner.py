"""The whole graph plans with the causal model behind a server as that does in this process."""

import json

import model_server
import pytest

pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")
pytest.importorskip("fastapi", reason="needs transformers[serving]")

from full_graph import FullGraph

from fmrl_msgs import msg as fm
from fmrl_nodes import qos
from fmrl_robot.assets import policies_dir
from fmrl_robot.commands import plan

pytestmark = pytest.mark.graph

MODEL = policies_dir() / "lm-causal"
TASKS = ("put the red cube in the bowl", "open the drawer", "press the button")


def planned(capsys):
    """Of each task the plan, by the model in this process; nothing moves."""
    for task in TASKS:
        assert plan.main([task, "--language-model", f"transformers:{MODEL}", "--json"]) == 0
        steps = json.loads(capsys.readouterr().out)["subgoals"]
        yield task, [(s["skill"], s["target"]) for s in steps]


def done(folder, language_model):
    """Of each task the plan, and that it was carried out."""
    graph = FullGraph("panda", folder, language_model=language_model)
    plans = []
    graph.node.create_subscription(fm.Plan, "plan", plans.append, qos.LATCHED)
    try:
        graph.ready()
        for task in TASKS:
            result = graph.do(task)
            assert result.success, f"{result.error_msg}: {graph.told()}"
        assert graph.stops == 0
    finally:
        graph.close()
    valid = [p for p in plans if p.status == fm.Plan.VALID]
    return [(p.instruction, [(s.skill, s.target) for s in p.subgoals]) for p in valid]


def test_a_served_model_plans_as_it_does_in_process(tmp_path_factory, capsys):
    near = list(planned(capsys))
    with model_server.serving(MODEL, tmp_path_factory.mktemp("home")) as (_, url):
        far = done(tmp_path_factory.mktemp("far"), f"openai:{MODEL}@{url}?prompts=short")
    assert near == far
    assert [instruction for instruction, _ in near] == list(TASKS)
