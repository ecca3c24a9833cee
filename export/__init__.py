"""PyTorch, dlib and Keras weights to ONNX files that provably agree with them; the only place that imports torch."""
