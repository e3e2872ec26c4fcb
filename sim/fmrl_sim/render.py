"""Pictures of a scene: RGB and depth in one pass, and which pixel belongs to which body.

The fast look has no shadows and no multisampling, which on a CPU rasteriser is 8 to 15 times
faster; policies, rewards and perception see that one. The fine look is for videos and pages.
"""

from __future__ import annotations

import atexit
import copy
import weakref
from dataclasses import dataclass
from typing import Literal

import cv2
import mujoco
import numpy as np
import numpy.typing as npt

from fmrl_robot.errors import ConfigError
from fmrl_robot.types import FloatArray, Image
from fmrl_sim.coarse import coarsen
from fmrl_sim.gl import offscreen_context
from fmrl_sim.ground_truth import button_pressed

IMAGE_SIZE = 224
"""Edge of a camera picture in pixels."""
LAMP_OFF, LAMP_ON = (0.30, 0.32, 0.30, 1.0), (0.75, 1.00, 0.95, 1.0)

Depth = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """What a camera saw at one moment."""

    rgb: Image
    """Shape (height, width, 3)."""
    depth: Depth
    """Distance along the optical axis in m, shape (height, width)."""


class SceneRenderer:
    """Renders one model; belongs to the thread that made it."""

    def __init__(
        self,
        model: mujoco.MjModel,
        width: int = IMAGE_SIZE,
        height: int = IMAGE_SIZE,
        look: Literal["fast", "fine"] = "fast",
        cell_m: float = 0.0,
    ) -> None:
        """Set up; ``cell_m`` above 0 joins the vertices of meshes within cells of that size."""
        # A copy, because look, buffer size, lamp and triangles are written into it.
        self._model = copy.copy(model)
        if cell_m > 0:
            coarsen(self._model, cell_m)
        self.width, self.height = width, height
        quality = self._model.vis.quality
        quality.shadowsize, quality.offsamples = (0, 0) if look == "fast" else (4096, 4)
        self._model.vis.global_.offwidth, self._model.vis.global_.offheight = width, height
        self._gl = offscreen_context(width, height)
        self._scene = mujoco.MjvScene(self._model, maxgeom=2000)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = look == "fine"
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = look == "fine"
        self._option = mujoco.MjvOption()
        self._context = mujoco.MjrContext(self._model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._context)
        self._context.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR
        self._rect = mujoco.MjrRect(0, 0, width, height)
        fields = ("mat_rgba", "light_diffuse", "light_pos", "cam_pos", "cam_quat", "cam_fovy")
        self._plain = {field: getattr(self._model, field).copy() for field in fields}
        self._ambient = np.array(self._model.vis.headlight.ambient)
        self._closed = False
        atexit.register(_close, weakref.ref(self))
        self._lamp = -1
        if mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT.value, "button_slide") >= 0:
            self._lamp = int(model.material("button_lamp").id)

    def vary(self, rng: np.random.Generator, camera_m: float = 0.012) -> None:
        """Draw other lights, colours and a slightly moved camera for the frames that follow."""
        model, plain = self._model, self._plain
        tint = plain["mat_rgba"][:, :3] + 0.03 * rng.normal(size=(model.nmat, 3))
        model.mat_rgba[:, :3] = np.clip(tint, 0.0, 1.0)
        model.light_diffuse[:] = plain["light_diffuse"] * rng.uniform(0.75, 1.25)
        model.vis.headlight.ambient = np.clip(self._ambient * rng.uniform(0.8, 1.2), 0.0, 1.0)
        for field, spread in (("light_pos", 0.15), ("cam_pos", camera_m)):
            moved = plain[field] + spread * rng.normal(size=plain[field].shape)
            getattr(model, field)[:] = moved

    def paint(self, material: str, rgb: FloatArray) -> None:
        """Give a material another colour (3,) for the frames that follow."""
        self._model.mat_rgba[self._model.material(material).id, :3] = rgb

    def cover(self, texture: str, pixels: Image) -> None:
        """Give a texture another picture (edge, edge, 3), stretched over it, from now on."""
        found = self._model.texture(texture)
        size = (int(found.width[0]), int(found.height[0]))
        stretched = cv2.resize(pixels, size, interpolation=cv2.INTER_NEAREST)
        start = int(found.adr[0])
        self._model.tex_data[start : start + stretched.size] = stretched.reshape(-1)
        self._gl.make_current()
        mujoco.mjr_uploadTexture(self._model, self._context, found.id)

    def turn(self, camera: str, rotation_rad: FloatArray, zoom: float = 1.0) -> None:
        """Turn a camera away from where the scene put it, by a rotation vector (3,)."""
        index, angle = self._model.camera(camera).id, float(np.linalg.norm(rotation_rad))
        turned, small = np.zeros(4), np.zeros(4)
        mujoco.mju_axisAngle2Quat(small, rotation_rad / max(angle, 1e-9), angle)
        mujoco.mju_mulQuat(turned, self._plain["cam_quat"][index], small)
        self._model.cam_quat[index] = turned
        self._model.cam_fovy[index] = self._plain["cam_fovy"][index] * zoom

    def frame(self, data: mujoco.MjData, camera: str) -> Frame:
        """Return what ``camera`` sees."""
        self._draw(data, camera)
        rgb = np.empty((self.height, self.width, 3), np.uint8)
        raw = np.empty((self.height, self.width), np.float32)
        mujoco.mjr_readPixels(rgb, raw, self._rect, self._context)
        return Frame(rgb=np.flipud(rgb).copy(), depth=np.flipud(self._metres(raw)).copy())

    def rgb(self, data: mujoco.MjData, camera: str) -> Image:
        """Return the colours that ``camera`` sees, shape (height, width, 3)."""
        self._draw(data, camera)
        rgb = np.empty((self.height, self.width, 3), np.uint8)
        mujoco.mjr_readPixels(rgb, None, self._rect, self._context)
        return np.flipud(rgb).copy()

    def bodies(self, data: mujoco.MjData, camera: str) -> npt.NDArray[np.int32]:
        """Return the body id behind each pixel, -1 for none, shape (height, width)."""
        flags = self._scene.flags.copy()
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = True
        self._scene.flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = True
        self._draw(data, camera)
        np.copyto(self._scene.flags, flags)
        rgb = np.empty((self.height, self.width, 3), np.uint8)
        mujoco.mjr_readPixels(rgb, None, self._rect, self._context)
        ids = np.flipud(rgb).astype(np.int32) @ np.array([1, 1 << 8, 1 << 16])
        table = np.full(self._scene.ngeom + 1, -1, np.int32)
        for geom in self._scene.geoms[: self._scene.ngeom]:
            if geom.segid >= 0 and geom.objtype == mujoco.mjtObj.mjOBJ_GEOM.value:
                table[geom.segid + 1] = self._model.geom_bodyid[geom.objid]
        return table[ids]

    def _draw(self, data: mujoco.MjData, camera: str) -> None:
        camera_id = mujoco.mj_name2id(self._model, mujoco.mjtObj.mjOBJ_CAMERA.value, camera)
        if camera_id < 0:
            known = [self._model.camera(i).name for i in range(self._model.ncam)]
            raise ConfigError(f"expected one of the cameras {known}, got {camera!r}")
        if self._lamp >= 0:
            lit = button_pressed(self._model, data)
            self._model.mat_rgba[self._lamp] = LAMP_ON if lit else LAMP_OFF
            self._model.mat_emission[self._lamp] = 1.0 if lit else 0.0
        view = mujoco.MjvCamera()
        view.type, view.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, camera_id
        everything = mujoco.mjtCatBit.mjCAT_ALL.value
        self._gl.make_current()
        mujoco.mjv_updateScene(self._model, data, self._option, None, view, everything, self._scene)
        mujoco.mjr_render(self._rect, self._scene, self._context)

    def _metres(self, raw: Depth) -> Depth:
        """Undo the reversed-z projection."""
        near = self._model.vis.map.znear * self._model.stat.extent
        far = self._model.vis.map.zfar * self._model.stat.extent
        return (near * far / (near + raw.astype(np.float64) * (far - near))).astype(np.float32)

    def close(self) -> None:
        """Free what the graphics library holds."""
        if not self._closed:
            self._closed = True
            # Else it would free what has the same numbers in another renderer's context.
            self._gl.make_current()
            self._context.free()
            self._gl.free()

    def __del__(self) -> None:
        if hasattr(self, "_closed"):
            self.close()

    def __enter__(self) -> SceneRenderer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _close(renderer: weakref.ref[SceneRenderer]) -> None:
    """Close what nobody closed, before the graphics library goes."""
    found = renderer()
    if found is not None:
        found.close()


def intrinsics(model: mujoco.MjModel, camera: str, width: int, height: int) -> FloatArray:
    """Return the pinhole matrix K of a camera in pixels, shape (3, 3).

    As in ROS, pixel (0, 0) is the middle of the first pixel, so the picture's middle lies at half
    of ``width - 1``.
    """
    fovy = np.deg2rad(model.camera(camera).fovy[0])
    focal = height / (2.0 * np.tan(fovy / 2.0))
    cx, cy = (width - 1) / 2.0, (height - 1) / 2.0
    return np.array([[focal, 0.0, cx], [0.0, focal, cy], [0.0, 0.0, 1.0]])


def optical_pose(data: mujoco.MjData, camera: str) -> tuple[FloatArray, FloatArray]:
    """Return position (3,) and rotation (3, 3) in the world of a camera's optical frame.

    The optical frame is ROS's: z along the view, x right, y down; MuJoCo's looks along -z, y up.
    """
    seen = data.camera(camera)
    return seen.xpos.copy(), seen.xmat.reshape(3, 3) @ np.diag([1.0, -1.0, -1.0])
