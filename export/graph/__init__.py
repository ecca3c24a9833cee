"""From a PyTorch network to the ONNX graph that is shipped."""
