"""Foundation models behind protocols: language, vision, and what they cost.

``load_language_model("embedded")`` is the default everywhere; ``transformers:<path or hub id>``
and ``scripted:<instruction table>`` are the others. Nothing here imports torch before a model is
asked for.
"""

from fmrl_robot.fm.capabilities import load_language_model, require
from fmrl_robot.fm.network import network_is_forbidden

__all__ = ["load_language_model", "network_is_forbidden", "require"]
