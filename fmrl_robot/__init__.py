"""Foundation models and RL on real robots: the library behind the ROS 2 graph."""

import os

__version__ = "0.1.0"

# onnxruntime looks up a host of its maker and leaves a device id in the home folder. It reads this
# when it is first imported, by whichever library; every process of ours comes by here before, and
# what it starts inherits it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__all__ = ["__version__"]
