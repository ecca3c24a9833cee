"""Training of our own models: one engine for all, and for each model a task and a recipe, a TOML file.

Started by developers with `python -m facecli.models.training.TASK`; the result is a file that `facecli export` takes.
"""
