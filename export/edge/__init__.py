"""ONNX files that take pictures as they are: preprocessing, and detectors' decoding and suppression, in the graph."""
