"""Gives a running graph one task after another, each in a scene of its own, and notes what came.

``python -m fmrl_nodes.episodes EPISODES.json RESULTS.jsonl`` reads a list of objects with the keys
``seed``, ``options`` (of the scene), ``instruction`` and ``timeout_s``. Every episode begins with
``sim/reset``, so that the record of the simulator holds one episode for each. What the graph says
of itself is only noted; a judge reads the record.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import rclpy
from rcl_interfaces.srv import SetParameters
from rclpy.executors import ExternalShutdownException
from rclpy.parameter import Parameter

from fmrl_msgs import msg as fm
from fmrl_msgs.srv import ResetSim
from fmrl_nodes import conversions, qos
from fmrl_nodes.ask import Asker
from fmrl_robot.commands.plan import describe_subgoal
from fmrl_robot.files import read_list
from fmrl_robot.runtime.ros_rules import check_namespace

ANSWER_S = 10.0
"""How long a service may take."""
SETTLE_S = 1.0
"""From a reset to the task: things come to rest, and cameras look again."""
_NOTHING: dict[str, Any] = {"success": False, "error_code": 0, "starts": [], "plan": []}


class Episodes(Asker):
    """Resets, asks, notes."""

    def __init__(self, namespace: str = "") -> None:
        super().__init__(namespace)
        self._set = self.create_client(SetParameters, "sim_node/set_parameters")
        self._reset = self.create_client(ResetSim, "sim/reset")
        self._starts: list[float] = []
        self.create_subscription(fm.SubGoal, "subgoal", self._on_subgoal, qos.SUBGOAL)

    def _on_subgoal(self, message: fm.SubGoal) -> None:
        self._starts.append(conversions.time_from_msg(message.header.stamp))

    def _call(self, client: Any, request: Any) -> Any:
        if not client.wait_for_service(timeout_sec=ANSWER_S):
            raise RuntimeError(f"expected the service {client.srv_name}; is the simulator up?")
        answer = client.call_async(request)
        if not self.until(answer.done, ANSWER_S):
            raise RuntimeError(f"expected an answer of {client.srv_name} within {ANSWER_S} s")
        return answer.result()

    def restart(self, seed: int, options: dict[str, Any]) -> None:
        """Put the simulator into a scene and wait until it has come to rest.

        Raises:
            RuntimeError: the simulator refuses the scene or does not answer.
        """
        value = Parameter("scene_options", value=json.dumps(options) if options else "")
        self._call(self._set, SetParameters.Request(parameters=[value.to_parameter_msg()]))
        answer = self._call(self._reset, ResetSim.Request(seed=seed))
        if not answer.success:
            raise RuntimeError(f"expected a reset to seed {seed}, got {answer.message}")
        self.until(lambda: False, SETTLE_S)

    def run(self, episode: dict[str, Any]) -> dict[str, Any]:
        """Carry out one episode; return it with what the graph answered."""
        self.restart(int(episode["seed"]), dict(episode.get("options", {})))
        missing = self.ready(60.0, rearm=True)
        if missing:
            return {**episode, **_NOTHING, "error_msg": missing}
        self.say(f"seed {episode['seed']}: {episode['instruction']}")
        began = time.monotonic()
        self._starts.clear()
        result = self.ask(episode["instruction"], "", float(episode.get("timeout_s", 120.0)))
        seconds = time.monotonic() - began
        # What was let go comes to rest before the next reset ends the record of this one.
        self.until(lambda: False, SETTLE_S)
        if result is None:
            return {**episode, **_NOTHING, "error_msg": "no answer"}
        steps = conversions.plan_from_msg(result.plan).subgoals
        return {
            **episode,
            "success": result.success,
            "error_code": result.error_code,
            "error_msg": result.error_msg,
            "replans": result.replans,
            "seconds": round(seconds, 2),
            "starts": list(self._starts),
            "plan": [describe_subgoal(step) for step in steps],
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the episodes of a file; the exit code is 0 when every one was carried out."""
    parser = argparse.ArgumentParser(prog="python -m fmrl_nodes.episodes", description=__doc__)
    parser.add_argument("episodes", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--namespace", type=check_namespace, default="", help="of the robot")
    given = parser.parse_args(arguments)
    episodes = read_list(given.episodes)
    rclpy.init()
    node = Episodes(given.namespace)
    try:
        missing = node.ready(90.0, rearm=True)
        if missing:
            node.say(missing)
            return 2
        with given.results.open("a") as file:
            for episode in episodes:
                file.write(json.dumps(node.run(episode)) + "\n")
                file.flush()
    except (KeyboardInterrupt, ExternalShutdownException, RuntimeError) as error:
        node.say(f"ended early: {error or type(error).__name__}")
        return 2
    finally:
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
