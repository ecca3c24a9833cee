"""ONNX Runtime, which runs all models: whether it loads, which provider runs a model, and sessions that run it."""
