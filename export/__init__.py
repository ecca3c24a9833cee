"""Turn PyTorch, dlib and Keras weights into ONNX files, and publish a file only if it provably agrees with its source.

`run` exports a recipe and `part` one network of it; `request` and `target` state what is asked for; `variants` makes
smaller files; `report` and `publish` write the result. The folders:

recipes: one module per published model, from its weights file to the networks in it
networks, weights: the PyTorch networks, and the readers of the files that their weights come in
graph: PyTorch to ONNX, and the changes made to an ONNX graph afterwards
proof: the comparison of an exported file with its source
edge, bundle: files and folders for programs that run without facecli

Besides facecli.models.training, this is the only place that imports torch.
"""
