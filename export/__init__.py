"""From PyTorch, dlib and Keras weights to ONNX files; the only package that imports torch."""
