"""Scores the newest camera frame against the sub-goal under way; watches, and never gates.

Scoring runs in a worker thread; a frame that comes while one is being scored replaces the one that
waits. Without a model, a frame or a sub-goal the verdict is unknown, and the graph runs on.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from sensor_msgs.msg import Image

from fmrl_msgs import msg as fm
from fmrl_nodes import conversions, qos
from fmrl_nodes.lifecycle import ERROR, STEADY, WARN, Diagnosis, FmrlNode, run
from fmrl_nodes.worker import Worker
from fmrl_robot.errors import FmrlError
from fmrl_robot.registry import REWARDS
from fmrl_robot.rewards.vlm_rm import BASELINES
from fmrl_robot.robots import ROBOTS, robot
from fmrl_robot.types import RewardOut, Success

LATE_S = 1.0
"""A score of a frame older than this says nothing about now."""
HOME_CAMERAS = {"arm": "front", "quadruped": "follow"}


class RewardNode(FmrlNode):
    """Publisher of ``reward``."""

    def __init__(self, **node_arguments: Any) -> None:
        super().__init__("reward_node", **node_arguments)
        spec = robot(self.declare("robot", "panda", "which robot", choices=ROBOTS.names()))
        self._name: str = self.declare("reward", "vlm_rm", "which reward", choices=REWARDS.names())
        self._vision: str = self.declare("vision_model", "embedded", "which vision model")
        self._camera: str = self.declare("camera", HOME_CAMERAS[spec.kind], "which camera")
        self._baseline = BASELINES[spec.kind]
        self._model: Any = None
        self._why = ""
        self._subgoal = fm.SubGoal()
        self._waiting: tuple[Image, float] | None = None
        """The newest frame that is not scored yet, and its stamp in s."""
        self._scores = 0

    def configure(self) -> None:
        """Load the model; without it the node still says that it does not know."""
        self._worker = Worker(self, "reward")
        self._publisher = self.create_publisher(fm.Reward, "reward", qos.EVENT)
        self._usage_publisher = self.create_publisher(fm.FMUsage, "fm_usage", qos.EVENT)
        self.create_timer(1.0, self._publish_usage, clock=STEADY)
        try:
            self._model = REWARDS.load(self._name)(
                vision_model=self._vision, baseline=self._baseline
            )
        except FmrlError as error:
            self._why = f"code={int(error.code)} {error}"
            self.get_logger().error(f"no reward model, success is unknown: {self._why}")
        self.create_subscription(fm.SubGoal, "subgoal", self._on_subgoal, qos.LATCHED)
        self.create_subscription(
            Image, f"camera/{self._camera}/image_raw", self._on_image, qos.SENSOR
        )

    def close(self) -> None:
        """End the worker."""
        if hasattr(self, "_worker"):
            self._worker.close()

    def diagnose(self) -> Diagnosis:
        """Report how many frames were scored since the last report."""
        scores, self._scores = self._scores, 0
        values = {"scores_per_s": scores, "subgoal": self._subgoal.id, "model": self._vision}
        if self._model is None:
            return Diagnosis(level=ERROR, message=f"no model: {self._why}", values=values)
        if self._subgoal.id and not scores:
            return Diagnosis(level=WARN, message="no frame was scored", values=values)
        return Diagnosis(message="scoring" if self._subgoal.id else "idle", values=values)

    def _on_subgoal(self, message: fm.SubGoal) -> None:
        subgoal = conversions.subgoal_from_msg(message)
        self._subgoal = message
        if self._model is not None:
            self._worker.submit(self._model.reset, subgoal, done=lambda finished: finished.result())

    def _on_image(self, message: Image) -> None:
        if not self.active or not self._subgoal.id:
            return
        conversions.check_color(message)
        stamp = conversions.time_from_msg(message.header.stamp)
        if self._model is None:
            self._publish(stamp, RewardOut(value=0.0, valid=False))
            return
        self._waiting = message, stamp
        if not self._worker.busy:
            self._score()

    def _score(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return
        message, stamp = waiting
        subgoal = self._subgoal

        def done(finished: Future[list[RewardOut]]) -> None:
            # Not by its id: the next task's first sub-goal is number 1 again.
            if not finished.cancelled() and subgoal is self._subgoal:
                self._publish(stamp, finished.result()[0])
            self._score()

        image = conversions.color_from_msg(message)
        self._worker.submit(self._model.score, [image], done=done)

    def _publish(self, stamp: float, out: RewardOut) -> None:
        now = conversions.time_from_msg(self.get_clock().now().to_msg())
        staleness = now - stamp
        # A frame of the future is no fresher than one of the past: its clock is another.
        if abs(staleness) > LATE_S:
            out = replace(out, valid=False, success=Success.UNKNOWN, confidence=0.0)
        self._scores += 1
        self._publisher.publish(
            conversions.reward_to_msg(
                out,
                stamp_s=stamp,
                subgoal_id=self._subgoal.id,
                source=self._name,
                version=getattr(self._model, "version", ""),
                staleness_s=max(staleness, 0.0),
            )
        )

    def _publish_usage(self) -> None:
        if not hasattr(self._model, "usage"):
            return
        now = conversions.time_from_msg(self.get_clock().now().to_msg())
        for usage in self._model.usage():
            self._usage_publisher.publish(
                conversions.usage_to_msg(usage, stamp_s=now, node=self.get_name())
            )


def main() -> int:
    """Be the process ``reward_node``."""
    # The machine is shared with a control loop; a model that takes every core delays it.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    return run(RewardNode, niceness=3)


if __name__ == "__main__":
    sys.exit(main())
