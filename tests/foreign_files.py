"""Writes ONNX files as other projects would, for tests of the import.

``retold`` is a shipped network in another project's conventions: its first and last layer are
multiplied out with dense matrices that are found by asking, number by number, what each physical
quantity is called there. So nothing of the import's own maps is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

from fmrl_robot.assets import policies_dir
from fmrl_robot.control import locomotion as loco
from fmrl_robot.control.runner import open_policy
from fmrl_robot.robots import GO2
from fmrl_robot.train.importing import import_policy

JOINTS, LEGS = GO2.joint_names, ("FL", "FR", "RL", "RR")
SIZES = {name: size for name, size, _ in loco.OBSERVATIONS}
OURS = {
    "base_ang_vel": "base_angular_velocity",
    "projected_gravity": "projected_gravity",
    "command": "velocity_command",
    "joint_pos": "joint_position",
    "joint_vel": "joint_velocity",
    "actions": "last_action",
    "contact_window": "contact_window",
}
"""Terms as mjlab names them."""
WALK = tuple(term for term in OURS if term != "contact_window")
"""mjlab's velocity task without what no robot measures."""


@dataclass
class Convention:
    """How somebody else's training told it."""

    joints: tuple[str, ...] = JOINTS
    acted: tuple[str, ...] | None = None
    legs: tuple[str, ...] = LEGS
    default: dict[str, float] = field(
        default_factory=lambda: dict(zip(JOINTS, GO2.default, strict=True))
    )
    scale: dict[str, float] = field(default_factory=lambda: dict.fromkeys(JOINTS, 0.25))
    terms: tuple[str, ...] = tuple(OURS)
    term_scale: dict[str, float] = field(default_factory=lambda: dict.fromkeys(OURS, 1.0))

    @property
    def actions(self):
        return self.acted or self.joints

    @classmethod
    def drawn(cls, rng):
        """Everything in another order, pose and scale."""
        return cls(
            joints=tuple(rng.permutation(JOINTS).tolist()),
            acted=tuple(rng.permutation(JOINTS).tolist()),
            legs=tuple(rng.permutation(LEGS).tolist()),
            default={
                j: float(np.round(d + rng.uniform(-0.2, 0.2), 3))
                for j, d in zip(JOINTS, GO2.default, strict=True)
            },
            scale={j: float(np.round(rng.uniform(0.2, 0.6), 3)) for j in JOINTS},
            terms=tuple(rng.permutation(list(OURS)).tolist()),
            term_scale={t: float(np.round(rng.uniform(0.2, 3.0), 3)) for t in OURS},
        )

    def our_observation(self, theirs):
        """What this project shows its policy where they would show ``theirs``."""
        said, start = {}, 0
        for term in self.terms:
            size = SIZES[OURS[term]]
            said[OURS[term]] = theirs[start : start + size] / self.term_scale[term]
            start += size
        position = dict(zip(self.joints, said["joint_position"], strict=True))
        velocity = dict(zip(self.joints, said["joint_velocity"], strict=True))
        action = dict(zip(self.actions, said["last_action"], strict=True))
        ours = dict(zip(JOINTS, GO2.default, strict=True))
        said["joint_position"] = [position[j] + self.default[j] - ours[j] for j in JOINTS]
        said["joint_velocity"] = [velocity[j] for j in JOINTS]
        said["last_action"] = [
            (self.default[j] + self.scale[j] * action[j] - ours[j]) / loco.ACTION_SCALE
            for j in JOINTS
        ]
        if "contact_window" in said:
            window = dict(zip(self.legs, said["contact_window"].reshape(4, -1), strict=True))
            said["contact_window"] = np.concatenate([window[leg] for leg in LEGS])
        return np.concatenate(
            [np.asarray(said[name]) * scale for name, _, scale in loco.OBSERVATIONS if name in said]
        )

    def their_action(self, ours):
        """Shape (12,): their network's output for the targets that ours asks for."""
        target = dict(zip(JOINTS, GO2.default + loco.ACTION_SCALE * ours, strict=True))
        return np.array([(target[j] - self.default[j]) / self.scale[j] for j in self.actions])

    def metadata(self, kp=20.0, kd=0.5):
        """As mjlab writes it: between commas, three decimals."""
        return {
            "run_path": "someone/velocity/1a2b3c",
            "joint_names": ",".join(self.joints),
            "joint_stiffness": csv([kp] * 12),
            "joint_damping": csv([kd] * 12),
            "default_joint_pos": csv([self.default[j] for j in self.joints]),
            "command_names": "twist,contact_window",
            "observation_names": ",".join(self.terms),
            "observation_history_lengths": csv([1] * len(self.terms)),
            "action_scale": csv([self.scale[j] for j in self.actions]),
        }

    def side(self):
        """What that does not say."""
        return {
            "action_joint_names": list(self.actions),
            "leg_order": list(self.legs),
            "observation_scales": [self.term_scale[t] for t in self.terms],
        }


def csv(values):
    """As mjlab writes lists; lists within them between semicolons."""
    return ",".join(
        ";".join(f"{v:.3f}" for v in value) if isinstance(value, (list, tuple)) else f"{value:.3f}"
        for value in values
    )


def matrix(function, size):
    """Matrix and offset of an affine function of ``size`` numbers."""
    offset = function(np.zeros(size))
    return np.array([function(row) - offset for row in np.eye(size)]).T, offset


def retold(told, file, **metadata):
    """Write the shipped network of contact patterns, or without window the walker, so told."""
    name = "go2-saytap" if "contact_window" in told.terms else "go2-velocity"
    model = onnx.load(str(policies_dir() / name / "policy.onnx"))
    weights = {w.name: numpy_helper.to_array(w).astype(np.float64) for w in model.graph.initializer}
    size = sum(SIZES[OURS[term]] for term in told.terms)
    turn, shift = matrix(told.our_observation, size)
    weights["0.bias"] = weights["0.bias"] + weights["0.weight"] @ shift
    weights["0.weight"] = weights["0.weight"] @ turn
    turn, shift = matrix(told.their_action, 12)
    weights["6.bias"] = turn @ weights["6.bias"] + shift
    weights["6.weight"] = turn @ weights["6.weight"]
    for tensor in model.graph.initializer:
        tensor.CopyFrom(
            numpy_helper.from_array(weights[tensor.name].astype(np.float32), tensor.name)
        )
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = size
    return save(model, {**told.metadata(), **metadata}, file)


def linear(inputs, outputs, file, metadata, seed=0, **changes):
    """Write one random layer; ``changes`` spoil it."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(inputs, outputs)).astype(np.float32) / inputs
    weights = changes.get("weights", lambda w: w)(weights)
    names = ["obs", *changes.get("more_inputs", ())]
    rows = changes.get("rows", ())
    shape = [changes.get("batch", 1), *(rows or (inputs,))]
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["obs"], ["flat"]),
            helper.make_node("MatMul", ["flat" if rows else "obs", "w"], ["actions"]),
        ],
        "linear",
        [
            helper.make_tensor_value_info(name, changes.get("dtype", TensorProto.FLOAT), shape)
            for name in names
        ],
        [helper.make_tensor_value_info("actions", TensorProto.FLOAT, [1, outputs])],
        [numpy_helper.from_array(weights, "w")],
    )
    return save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)]), metadata, file
    )


def save(model, metadata, file):
    model.ir_version = 8
    del model.metadata_props[:]
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    onnx.save(model, str(file))
    return file


def side_file(folder, **values):
    file = folder / "side.yaml"
    file.write_text(yaml.safe_dump(values))
    return file


def taken(file, folder, spec=GO2, **side):
    """Import; the folder is new each time."""
    told = side_file(file.parent, **side) if side else None
    return import_policy(file, spec, f"p{len(list(folder.iterdir()))}", folder, side=told)


def asked(file, rows):
    session = open_policy(file)
    name = session.get_inputs()[0].name
    return np.array([session.run(None, {name: row[None]})[0][0] for row in rows])


def walk_metadata(terms=WALK, **changes):
    told = Convention(terms=tuple(terms))
    return {
        **told.metadata(),
        "command_names": "twist" if "command" in terms else "",
        **changes,
    }


def walk_file(folder, terms=WALK, **changes):
    """A random velocity policy of one layer, under mjlab's metadata."""
    size = sum(SIZES[OURS[term]] for term in terms)
    return linear(size, 12, folder / "walk.onnx", walk_metadata(terms, **changes))


def today(**changes):
    """What mjlab writes today for its velocity task without ``base_lin_vel``."""
    metadata = {
        **walk_metadata(),
        "observation_terms_scale": csv([1.0] * 6),
        "observation_terms_flatten_history_dim": csv([True] * 6),
        "observation_terms_history_length": csv([0] * 6),
        "observation_terms_clip": csv([[-np.inf, np.inf]] * 6),
        "observation_terms_sensor_name": "robot/imu_ang_vel,,,,,",
        "observation_terms_sensor_site": "imu,,,,,",
        "observation_terms_sensor_body": "base_link,,,,,",
        **changes,
    }
    del metadata["observation_history_lengths"]
    return metadata
