"""TensorFlow on the CPU: tf.sigmoid, the loss, and their gradients by GradientTape."""
# SPDX-License-Identifier: Apache-2.0
import os

from common import library, ulpaudit

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')
DTYPES = ('f16', 'bf16', 'f32', 'f64')
tf = library('tensorflow', [('sigmoid', DTYPES, 'sigmoid'), ('sigmoid_grad', DTYPES, 'sigmoid_grad'),
                            ('bce_with_logits', DTYPES, 'sigmoid_cross_entropy'),
                            ('bce_with_logits_grad', DTYPES, 'sigmoid_cross_entropy_grad')])

if tf is not None:
    def gradient(f, z):
        z = tf.constant(z)
        with tf.GradientTape() as tape:
            tape.watch(z)
            out = f(z)
        return tape.gradient(out, z).numpy()

    def loss(z, y):
        return tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.constant(y), logits=z)

    @ulpaudit.worker('sigmoid', DTYPES, formula='tf.sigmoid(z)')
    def sigmoid(z):
        return tf.sigmoid(tf.constant(z)).numpy()

    @ulpaudit.worker('sigmoid_grad', DTYPES, formula='its gradient')
    def sigmoid_grad(z):
        return gradient(tf.sigmoid, z)

    @ulpaudit.worker('bce_with_logits', DTYPES, formula='tf.nn.sigmoid_cross_entropy_with_logits')
    def sigmoid_cross_entropy(z, y):
        return loss(tf.constant(z), y).numpy()

    @ulpaudit.worker('bce_with_logits_grad', DTYPES, formula='its gradient by z')
    def sigmoid_cross_entropy_grad(z, y):
        return gradient(lambda t: loss(t, y), z)

if __name__ == '__main__':
    ulpaudit.serve('tensorflow', version=getattr(tf, '__version__', ''))
