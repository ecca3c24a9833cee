"""The proof that an ONNX file and its source agree."""
