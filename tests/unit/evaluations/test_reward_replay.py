"""The offline scorer gives the values that were published, and notices when it does not."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from fmrl_robot.errors import ConfigError
from fmrl_robot.evaluations.reward_replay import Recorded, read, replay, rescore
from fmrl_robot.rewards.vlm_rm import VLMRM
from fmrl_robot.types import Predicate, SubGoal, SubGoalKind

GOALS = {
    name: SubGoal(
        id=name, kind=SubGoalKind.REGION, text=text, termination=Predicate("in", ("cube", name))
    )
    for name, text in (("bowl", "the cube is in the bowl"), ("bin", "the cube is in the bin"))
}


class Model:
    model_id = "model"
    scale_and_bias = (20.0, 0.0)

    def embed_texts(self, texts):
        return self.embed_images([np.full((2, 2, 3), sum(map(ord, t)) % 251) for t in texts])

    def embed_images(self, images):
        rng = [np.random.default_rng(int(i.sum())).normal(size=8) for i in images]
        return np.stack([v / np.linalg.norm(v) for v in rng]).astype(np.float32)

    def embed_clips(self, clips):
        return np.stack([self.embed_images(c).mean(0) for c in clips])


def lived():
    """Two sub-goals, the second of them tried twice, as a reward node scores and publishes."""
    reward, rng, published = VLMRM(Model()), np.random.default_rng(0), []
    for name in ("bowl", "bin", "bin"):
        reward.reset(GOALS[name])
        for _ in range(12):
            out = reward.score([rng.integers(0, 255, (2, 2, 3))])[0]
            published.append(
                Recorded(
                    subgoal=GOALS[name],
                    source="vlm_rm",
                    version=reward.version,
                    value=out.value,
                    valid=out.valid,
                    success=out.success,
                    components=dict(out.components),
                    embedding=out.embedding,
                )
            )
    return published


def test_a_replay_gives_every_value_and_verdict_again():
    report = replay(VLMRM(Model()), lived())
    assert report["frames"] == 36
    assert report["values_that_differ"] == report["verdicts_that_differ"] == 0


def test_a_frame_that_was_another_is_noticed():
    recorded = lived()
    recorded[5] = replace(recorded[5], embedding=recorded[20].embedding)
    assert replay(VLMRM(Model()), recorded)["values_that_differ"] > 0


def test_the_same_frames_are_scored_against_another_goal():
    recorded = lived()
    values = rescore(VLMRM(Model()), GOALS["bowl"].text, recorded)
    np.testing.assert_allclose(values[:12], [r.value for r in recorded[:12]], atol=1e-6)
    assert not np.allclose(values[12:24], [r.value for r in recorded[12:24]])


def test_a_recording_of_two_tasks_gives_each_reward_its_own_subgoal(tmp_path):
    """Ids begin anew with every task, and feedback of an action is no reason to give up."""
    pytest.importorskip("fmrl_msgs.msg", reason="needs the ros extra and fmrl_msgs")
    from rclpy.serialization import serialize_message

    from fmrl_msgs.action import ExecuteTask
    from fmrl_nodes.conversions import reward_to_msg, subgoal_to_msg
    from fmrl_robot.view.mcap_log import McapLog

    log, reward, time_ns = McapLog(tmp_path / "run.mcap"), VLMRM(Model()), itertools.count()

    def add(topic, kind, message):
        log.add(topic, f"fmrl_msgs/{kind}", serialize_message(message), next(time_ns))

    feedback = ExecuteTask.Impl.FeedbackMessage()
    add("/execute_task/_action/feedback", "action/ExecuteTask_FeedbackMessage", feedback)
    for goal in GOALS.values():
        goal = replace(goal, id="1")
        reward.reset(goal)
        add("/ns/subgoal", "msg/SubGoal", subgoal_to_msg(goal))
        for out in reward.score([np.full((2, 2, 3), i) for i in range(9)]):
            message = reward_to_msg(
                out, stamp_s=0.0, subgoal_id="1", source="vlm_rm", version=reward.version
            )
            add("/ns/reward", "msg/Reward", message)
    log.close()
    rewards = read(tmp_path)
    assert [r.subgoal.text for r in rewards] == [g.text for g in GOALS.values() for _ in range(9)]
    report = replay(VLMRM(Model()), rewards)
    assert (report["frames"], report["largest_difference"]) == (18, 0.0)


def test_a_folder_without_a_recording_is_named(tmp_path):
    with pytest.raises(ConfigError, match="recording"):
        read(tmp_path)
