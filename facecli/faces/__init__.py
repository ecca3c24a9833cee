"""Faces without a model: choosing among them, their pose, and the quality of their picture."""
