"""Study: a precision for each layer of an ONNX network, found by its error and its cost."""
