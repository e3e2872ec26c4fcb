"""Foundation models and RL on real robots: the library behind the ROS 2 graph."""

__version__ = "0.1.0"

__all__ = ["__version__"]
