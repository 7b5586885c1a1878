"""ONNX Runtime's operator Sigmoid, on the CPU. The model is built here, of a few bytes, so that the
package onnx is not needed."""
# SPDX-License-Identifier: Apache-2.0
from common import library, ulpaudit

DTYPES = ('f16', 'f32', 'f64')
ONNX_TYPES = {'f16': 10, 'f32': 1, 'f64': 11}
ort = library('onnxruntime', [('sigmoid', DTYPES, 'Sigmoid')])


def field(number, value):
    """A protobuf field: an integer, or bytes with their length."""
    def varint(n):
        out = b''
        while n > 127:
            out, n = out + bytes([n & 127 | 128]), n >> 7
        return out + bytes([n])
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def model(element):
    """ModelProto of y = Sigmoid(x), x of shape (n,), opset 13."""
    shape = field(2, field(1, field(2, 'n')))
    value = lambda name: field(1, name) + field(2, field(1, field(1, element) + shape))  # noqa: E731
    node = field(1, 'x') + field(2, 'y') + field(4, 'Sigmoid')
    graph = field(1, node) + field(2, 'g') + field(11, value('x')) + field(12, value('y'))
    return field(1, 8) + field(7, graph) + field(8, field(2, 13))


if ort is not None:
    options = ort.SessionOptions()
    options.log_severity_level = 4

    def kernel(dtype):
        session = ort.InferenceSession(model(ONNX_TYPES[dtype]), options, providers=['CPUExecutionProvider'])
        return lambda z: session.run(['y'], {'x': z})[0]

    for dtype in DTYPES:
        name = 'Sigmoid' if dtype == 'f32' else 'Sigmoid_' + dtype
        try:
            ulpaudit.worker('sigmoid', (dtype,), name=name, formula='Sigmoid, opset 13')(kernel(dtype))
        except Exception as e:  # noqa: BLE001: an operator that is not implemented, in its own words
            ulpaudit.unavailable('sigmoid', (dtype,), name, e)

if __name__ == '__main__':
    ulpaudit.serve('onnxruntime', version=getattr(ort, '__version__', ''))
