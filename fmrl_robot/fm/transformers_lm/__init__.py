"""Any language model of Hugging Face transformers, by folder or hub id.

Causal, encoder-decoder and vision-language models go through one path, and so does the embedded
planner. Two entries of a model's config.json matter here, both optional: ``frozen_encoder`` names
an installed package whose encoder the folder leaves out, ``prompt_in_decoder`` says that the
decoder reads the prompt as well.
"""

from fmrl_robot.fm.transformers_lm.loading import load_language_model
from fmrl_robot.fm.transformers_lm.model import TransformersLM

__all__ = ["TransformersLM", "load_language_model"]
