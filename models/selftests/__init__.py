"""Recorded answers of model files, and asking for them again."""
