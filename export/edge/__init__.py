"""ONNX files that take pictures as they are: preprocessing, and for detectors decoding and suppression, in the graph."""
