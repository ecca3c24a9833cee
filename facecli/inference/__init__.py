"""ONNX Runtime: whether it loads, where a model runs, and running it."""
