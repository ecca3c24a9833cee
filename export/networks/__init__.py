"""PyTorch networks that recipes export, one module per architecture.

Submodules are named as in the published state, so that it loads without renaming. prelu: a faster form of PReLU, which
several of them use. keras: networks whose weights are Keras files.
"""
