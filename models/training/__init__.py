"""Training of our own models: one shared engine, and for each model a task and a configuration file."""
