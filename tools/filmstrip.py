"""Draw a recorded run as a strip of pictures: ``python tools/filmstrip.py RUN_DIR OUT.png``.

The recorded physics states are rendered again in fine quality; nothing is simulated.
"""

import argparse
from pathlib import Path

import cv2
import mujoco
import numpy as np

from fmrl_robot.registry import SCENES
from fmrl_sim import recorder
from fmrl_sim.render import SceneRenderer


def filmstrip(folder: Path, out: Path, *, columns: int = 4, width: int = 420) -> None:
    """Write ``columns`` moments, evenly spread over what moved, side by side."""
    record = recorder.load(folder)
    scene = SCENES.load(record.scene)(record.robot)
    data = mujoco.MjData(scene.model)
    camera = scene.cameras[0]
    with SceneRenderer(scene.model, width, width * 3 // 4, "fine") as renderer:
        pictures = []
        travelled = np.cumsum(np.abs(np.diff(record.qpos, axis=0, prepend=record.qpos[:1])).sum(1))
        for share in np.linspace(0.0, 1.0, columns):
            row = min(int(np.searchsorted(travelled, share * travelled[-1])), len(travelled) - 1)
            record.restore(scene.model, data, int(row))
            pictures.append(renderer.rgb(data, camera))
    cv2.imwrite(str(out), np.concatenate(pictures, axis=1)[..., ::-1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    filmstrip(given.folder, given.out)
