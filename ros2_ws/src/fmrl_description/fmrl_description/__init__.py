"""Descriptions of the robots for viewers; no model or mesh is part of the package."""
