"""Self-tests of model files: what a file answered to a fixed input, recorded once and compared later.

A hash shows that a file is the one that came in; a self-test shows that it still computes what it computed then, under
another ONNX Runtime, on another system, or on another machine.
"""
