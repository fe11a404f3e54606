"""The network of the study without a file: a perceptron that classifies scikit-learn's digits."""

import warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

__all__ = ["TRAINING", "write_example"]

TRAINING = 1000
"""Digits that train the network; the others measure it."""


def write_example(folder: Path, tuning: int = 0) -> tuple[Path, Path, Path]:
    """Train the perceptron, and write the model, inputs and labels.

    Parameters
    ----------
    folder : Path
        Folder of the files.
    tuning : int
        Digits for tuning, at most ``TRAINING``: the last ones that train the network. They precede the others.

    Returns
    -------
    (Path, Path, Path)
        ONNX file, NumPy file ``.npz`` of the other digits, and NumPy file ``.npy`` of their labels.
    """
    from onnx import TensorProto, helper, numpy_helper, save

    digits = load_digits()
    images, labels = (digits.data / 16).astype(np.float32), digits.target
    order = np.random.default_rng(0).permutation(len(images))
    images, labels = images[order], labels[order]
    trained = MLPClassifier((64, 48, 32), random_state=0, max_iter=60, tol=0, n_iter_no_change=60)
    with warnings.catch_warnings(action="ignore"):  # 60 passes suffice here
        trained.fit(images[:TRAINING], labels[:TRAINING])
    nodes, stored, x = [], [], "image"
    last = len(trained.coefs_)
    for number, (weights, bias) in enumerate(zip(trained.coefs_, trained.intercepts_, strict=True), 1):
        for name, values in (("w", weights), ("b", bias)):
            stored.append(numpy_helper.from_array(values.astype(np.float32), f"{name}{number}"))
        name, y = "head" if number == last else f"layer{number}", f"y{number}"
        nodes.append(helper.make_node("Gemm", [x, f"w{number}", f"b{number}"], [y], name=name))
        x = f"r{number}"
        nodes.append(helper.make_node("Softmax" if number == last else "Relu", [y], [x]))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 64])
    output = helper.make_tensor_value_info(x, TensorProto.FLOAT, ["batch", 10])
    graph = helper.make_graph(nodes, "digits", [image], [output], stored)
    folder.mkdir(parents=True, exist_ok=True)
    files = folder / "digits.onnx", folder / "digits.npz", folder / "digits-labels.npy"
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), files[0])
    np.savez(files[1], image=images[TRAINING - tuning :])
    np.save(files[2], labels[TRAINING - tuning :])
    return files
