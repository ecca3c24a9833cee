"""From a PyTorch network to the ONNX graph that is published.

convert: PyTorch to ONNX. clean: axis names, metadata, nothing of the machine. optimize: a simpler graph, and ONNX
Runtime's own format. float16, quantize: lower precision.
"""
