"""ONNX graphs: made from PyTorch networks, cleaned, simplified, reduced.

convert: PyTorch to ONNX. clean: axis names, metadata, nothing of the machine. optimize: a simpler graph, and ONNX
Runtime's own format. float16, quantize: lower precision.
"""
