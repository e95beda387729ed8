"""Writes a network as a LiteRT file and runs it; no TensorFlow needed for either.

The file is put together from the format's own schema, which travels with `ai_edge_litert`: a
conversion by TensorFlow costs its import (5 s and more) and gives the same operators.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from trainer.models.network import ROOT_FLOOR, Classifier, Floats, Layer, Network
from trainer.quiet import without_remarks


def embedding_model(network: Network) -> bytes:
    """A LiteRT file: pixels `(1, size, size, 3)` float32, 0–255 → embedding `(1, width)`."""
    draft = _Draft()
    pixels = draft.tensor("pixels", (1, network.size, network.size, 3))
    return draft.finish(pixels, draft.embedding(network, pixels, 1))


def maps_model(network: Network, layer: int) -> bytes:
    """The same, and as a second output the maps `(1, height, width, channels)` of a layer."""
    draft = _Draft()
    pixels = draft.tensor("pixels", (1, network.size, network.size, 3))
    outputs = draft.outputs(network, pixels, 1)
    return draft.finish(pixels, draft.pooled(network, *outputs[-1], 1), outputs[layer][0])


def classifier_model(classifier: Classifier) -> bytes:
    """A LiteRT file: pixels `(1, size, size, 3)` float32, 0–255 → scores `(1, labels)`."""
    network, draft = classifier.network, _Draft()
    shape = (1, network.size, network.size, 3)
    pixels = draft.tensor("pixels", shape)
    batch, photos = 1, pixels
    if classifier.mirrored:
        mirror = draft.operator(
            "REVERSE_V2", [pixels, draft.integers([2])], shape, "ReverseV2Options"
        )
        batch = 2
        photos = draft.operator(
            "CONCATENATION", [pixels, mirror], (2, *shape[1:]), "ConcatenationOptions", axis=0
        )
    features = draft.embedding(network, photos, batch)
    if classifier.mirrored:
        features = draft.mean(features, [0], (1, network.width))
    return draft.finish(pixels, draft.head(draft.rooted(features, classifier), classifier))


class Interpreter:
    """One LiteRT interpreter on `threads` threads; not to be shared between Python threads."""

    def __init__(self, model: bytes, threads: int = 1) -> None:
        with without_remarks():
            from ai_edge_litert.interpreter import Interpreter as LiteRt

            self._interpreter = LiteRt(model_content=model, num_threads=threads)
            self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        details = self._interpreter.get_output_details()
        self._outputs = [output["index"] for output in details]
        shapes = [tuple(int(length) for length in output["shape"][1:]) for output in details]
        self.shape, self.second_shape = shapes[0], shapes[1] if shapes[1:] else ()

    def run(self, pixels: Any) -> Floats:
        """The output row of one square photo `(size, size, 3)`, 0–255."""
        self._interpreter.set_tensor(self._input, np.ascontiguousarray(pixels, np.float32)[None])
        self._interpreter.invoke()
        row: Floats = self._interpreter.get_tensor(self._outputs[0])[0]
        return row

    def second(self) -> Floats:
        """The second output's row of the photo that was last run."""
        row: Floats = self._interpreter.get_tensor(self._outputs[1])[0]
        return row


class _Draft:
    """A LiteRT graph under construction: tensors, operators and constants by index."""

    def __init__(self) -> None:
        from ai_edge_litert import schema_py_generated

        self.schema = schema_py_generated
        self.tensors: list[Any] = []
        self.operators: list[Any] = []
        self.codes: list[str] = []
        self.buffers = [self.schema.BufferT()]

    def tensor(self, name: str, shape: tuple[int, ...], data: Any = None) -> int:
        tensor = self.schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name.encode(), list(shape), 0
        tensor.type = self.schema.TensorType.FLOAT32
        if data is not None:
            if data.dtype == np.int32:
                tensor.type = self.schema.TensorType.INT32
            tensor.buffer = len(self.buffers)
            self.buffers.append(self.schema.BufferT())
            self.buffers[-1].data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def constant(self, data: Floats) -> int:
        return self.tensor(f"constant_{len(self.tensors)}", data.shape, data.astype("<f4"))

    def integers(self, values: list[int]) -> int:
        data = np.array(values, np.int32)
        return self.tensor(f"integers_{len(self.tensors)}", data.shape, data)

    def operator(
        self, code: str, inputs: list[int], shape: tuple[int, ...], options: str, **fields: Any
    ) -> int:
        if code not in self.codes:
            self.codes.append(code)
        made = self.schema.OperatorT()
        made.opcodeIndex, made.inputs = self.codes.index(code), inputs
        made.outputs = [self.tensor(f"{code.lower()}_{len(self.tensors)}", shape)]
        if options:
            made.builtinOptionsType = getattr(self.schema.BuiltinOptions, options)
            made.builtinOptions = getattr(self.schema, options + "T")()
        for name, value in fields.items():
            setattr(made.builtinOptions, name, value)
        self.operators.append(made)
        return int(made.outputs[0])

    def embedding(self, network: Network, pixels: int, batch: int) -> int:
        return self.pooled(network, *self.outputs(network, pixels, batch)[-1], batch)

    def pooled(self, network: Network, last: int, shape: tuple[int, ...], batch: int) -> int:
        return last if network.flat else self.mean(last, [1, 2], (batch, shape[-1]))

    def outputs(
        self, network: Network, pixels: int, batch: int
    ) -> list[tuple[int, tuple[int, ...]]]:
        """Tensor and shape of what the first layer reads, then of what each layer gives."""
        shape: tuple[int, ...] = (batch, network.size, network.size, 3)
        offset = self.constant(np.array([network.mean], np.float32))
        factor = self.constant(np.array([1 / network.scale], np.float32))
        centred = self.operator("SUB", [pixels, offset], shape, "SubOptions")
        outputs = [(self.operator("MUL", [centred, factor], shape, "MulOptions"), shape)]
        for layer in network.layers:
            outputs.append(self._layer(layer, *outputs[-1], outputs))
        return outputs

    def mean(self, values: int, axes: list[int], shape: tuple[int, ...]) -> int:
        keep = axes == [0]
        return self.operator(
            "MEAN", [values, self.integers(axes)], shape, "ReducerOptions", keepDims=keep
        )

    def rooted(self, features: int, classifier: Classifier) -> int:
        shape = (1, classifier.network.width)
        if classifier.roots:
            floor = self.constant(np.array([ROOT_FLOOR], np.float32))
            features = self.operator("ADD", [features, floor], shape, "AddOptions")
        for _ in range(classifier.roots):
            features = self.operator("SQRT", [features], shape, "")
        return features

    def head(self, features: int, classifier: Classifier) -> int:
        weights = self.constant(np.ascontiguousarray(classifier.weights.T))
        inputs, shape = (
            [features, weights, self.constant(classifier.bias)],
            (1, len(classifier.bias)),
        )
        logits = self.operator("FULLY_CONNECTED", inputs, shape, "FullyConnectedOptions")
        if classifier.multi_label:
            return self.operator("LOGISTIC", [logits], shape, "")
        return self.operator("SOFTMAX", [logits], shape, "SoftmaxOptions", beta=1.0)

    def _layer(
        self, layer: Layer, values: int, shape: tuple[int, ...], outputs: list[Any]
    ) -> tuple[int, tuple[int, ...]]:
        if layer.kind in ("flatten", "dense"):
            return self._row(layer, values, shape)
        batch, height, width, channels = shape
        if layer.kind == "pool":
            made: tuple[int, ...] = (batch, -(-height // 2), -(-width // 2), channels)
            sizes = {"strideW": 2, "strideH": 2, "filterWidth": 2, "filterHeight": 2}
            return self.operator("MAX_POOL_2D", [values], made, "Pool2DOptions", **sizes), made
        made, out = self._convolution(layer, values, shape)
        if layer.adds is not None:
            other = outputs[layer.adds + 1][0]
            out = self.operator("ADD", [out, other], made, "AddOptions")
        return out, made

    def _row(
        self, layer: Layer, values: int, shape: tuple[int, ...]
    ) -> tuple[int, tuple[int, ...]]:
        if layer.kind == "flatten":
            made = (shape[0], math.prod(shape[1:]))
            inputs = [values, self.integers(list(made))]
            return self.operator(
                "RESHAPE", inputs, made, "ReshapeOptions", newShape=list(made)
            ), made
        assert layer.kernel is not None and layer.bias is not None
        made = (shape[0], len(layer.bias))
        weights = self.constant(np.ascontiguousarray(layer.kernel.T))
        inputs = [values, weights, self.constant(layer.bias)]
        relu6 = self.schema.ActivationFunctionType.RELU6 if layer.relu6 else 0
        fields = {"fusedActivationFunction": relu6}
        code, options = "FULLY_CONNECTED", "FullyConnectedOptions"
        return self.operator(code, inputs, made, options, **fields), made

    def _convolution(
        self, layer: Layer, values: int, shape: tuple[int, ...]
    ) -> tuple[tuple[int, ...], int]:
        assert layer.kernel is not None and layer.bias is not None
        batch, height, width, _ = shape
        depthwise = layer.kind == "depthwise"
        kernel = np.ascontiguousarray(layer.kernel.transpose(3, 0, 1, 2))
        made = (batch, -(-height // layer.stride), -(-width // layer.stride), len(layer.bias))
        code = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
        options = "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions"
        relu6 = self.schema.ActivationFunctionType.RELU6 if layer.relu6 else 0
        fields = {
            "strideW": layer.stride,
            "strideH": layer.stride,
            "fusedActivationFunction": relu6,
        }
        fields |= {"dilationWFactor": 1, "dilationHFactor": 1}
        fields |= {"depthMultiplier": 1} if depthwise else {}
        inputs = [values, self.constant(kernel), self.constant(layer.bias)]
        return made, self.operator(code, inputs, made, options, **fields)

    def finish(self, first: int, *last: int) -> bytes:
        import flatbuffers  # type: ignore[import-untyped]

        graph = self.schema.SubGraphT()
        graph.tensors, graph.operators, graph.name = self.tensors, self.operators, b"main"
        graph.inputs, graph.outputs = [first], list(last)
        model = self.schema.ModelT()
        model.version, model.subgraphs, model.buffers = 3, [graph], self.buffers
        model.operatorCodes = [self._code(name) for name in self.codes]
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())

    def _code(self, name: str) -> Any:
        code = self.schema.OperatorCodeT()
        code.builtinCode = getattr(self.schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
        return code
