"""ONNX files that take pictures as they are, for edge programs: the preprocessing is inside the graph.

make: an edge file from a request, proved and published. crops: preprocessing before a recognizer or attribute model.
detectors: preprocessing before a detector, decoding and suppression after it, with canvas, decoders and cells.
graph: the writing of an ONNX graph around a network. proof: the comparison with facecli's plugins.
"""
