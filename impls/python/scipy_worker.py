"""SciPy: scipy.special.expit, and what one writes with it."""
# SPDX-License-Identifier: Apache-2.0
from common import library, ulpaudit

DTYPES = ('f32', 'f64')  # of float16 arrays expit gives float64 (SciPy 1.17)
special = library('scipy.special', [('sigmoid', DTYPES, 'expit'), ('sigmoid_grad', DTYPES, 'expit_grad'),
                                    ('bce_with_logits', DTYPES, 'log_expit'),
                                    ('bce_with_logits_grad', DTYPES, 'expit_minus_y')])
version = ''

if special is not None:
    import scipy
    version = scipy.__version__

    @ulpaudit.worker('sigmoid', DTYPES, formula='scipy.special.expit(z)')
    def expit(z):
        return special.expit(z)

    @ulpaudit.worker('sigmoid_grad', DTYPES, formula='expit(z)*expit(-z)')
    def expit_grad(z):
        return special.expit(z) * special.expit(-z)

    @ulpaudit.worker('bce_with_logits', DTYPES, formula='-y*log_expit(z) - (1-y)*log_expit(-z)')
    def log_expit(z, y):
        return -y * special.log_expit(z) - (1 - y) * special.log_expit(-z)

    @ulpaudit.worker('bce_with_logits_grad', DTYPES, formula='expit(z) - y')
    def expit_minus_y(z, y):
        return special.expit(z) - y

if __name__ == '__main__':
    ulpaudit.serve('scipy', version=version)
