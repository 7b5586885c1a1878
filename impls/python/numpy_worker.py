"""NumPy: the textbook's formulas, and branchy ones."""
# SPDX-License-Identifier: Apache-2.0
from common import library, ulpaudit

DTYPES = ('f16', 'f32', 'f64')
np = library('numpy', [('sigmoid', DTYPES, 'sigmoid_naive')])

if np is not None:
    @ulpaudit.worker('sigmoid', DTYPES, formula='1/(1+exp(-z))')
    def sigmoid_naive(z):
        return 1 / (1 + np.exp(-z))

    @ulpaudit.worker('sigmoid', DTYPES, formula='1/(1+e), e/(1+e); e = exp(-|z|)')
    def sigmoid_branchy(z):
        e = np.exp(-np.abs(z))
        return np.where(z >= 0, 1 / (1 + e), e / (1 + e))

    @ulpaudit.worker('sigmoid_grad', DTYPES, formula='s*(1-s)')
    def sigmoid_grad_naive(z):
        s = sigmoid_naive(z)
        return s * (1 - s)

    @ulpaudit.worker('sigmoid_grad', DTYPES, formula='e/(1+e)^2; e = exp(-|z|)')
    def sigmoid_grad_branchy(z):
        e = np.exp(-np.abs(z))
        return e / (1 + e) ** 2

    @ulpaudit.worker('bce_with_logits', DTYPES, formula='-(y*log(s) + (1-y)*log(1-s))')
    def bce_naive(z, y):
        s = sigmoid_naive(z)
        return -(y * np.log(s) + (1 - y) * np.log(1 - s))

    @ulpaudit.worker('bce_with_logits', DTYPES, formula='max(z,0) - z*y + log1p(exp(-|z|))')
    def bce_max(z, y):
        return np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))

    @ulpaudit.worker('bce_with_logits_grad', DTYPES, formula='s - y')
    def bce_grad_naive(z, y):
        return sigmoid_naive(z) - y

if __name__ == '__main__':
    ulpaudit.serve('numpy', version=getattr(np, '__version__', ''))
