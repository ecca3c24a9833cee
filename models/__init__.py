"""The catalogue of models, the store of their files, and the models that the wheel carries."""
