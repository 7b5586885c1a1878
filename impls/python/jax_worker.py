"""JAX on the CPU, jitted: jax.nn.sigmoid and its gradient, optax's loss and its gradient."""
# SPDX-License-Identifier: Apache-2.0
from common import library, ulpaudit

DTYPES = ('f16', 'bf16', 'f32', 'f64')
KERNELS = [('sigmoid', DTYPES, 'sigmoid'), ('sigmoid_grad', DTYPES, 'sigmoid_grad')]
LOSSES = [('bce_with_logits', DTYPES, 'optax_bce'), ('bce_with_logits_grad', DTYPES, 'optax_bce_grad')]
jax = library('jax', KERNELS + LOSSES)
optax = library('optax', LOSSES) if jax is not None else None
version = ''

if jax is not None:
    version = jax.__version__
    jax.config.update('jax_platforms', 'cpu')
    jax.config.update('jax_enable_x64', True)
    vgrad = lambda f: jax.vmap(jax.grad(f))  # noqa: E731

    ulpaudit.worker('sigmoid', DTYPES, name='sigmoid', formula='jit(jax.nn.sigmoid)')(
        jax.jit(jax.nn.sigmoid))
    ulpaudit.worker('sigmoid_grad', DTYPES, name='sigmoid_grad', formula='jit(vmap(grad(jax.nn.sigmoid)))')(
        jax.jit(vgrad(jax.nn.sigmoid)))

if optax is not None:
    version += ', optax ' + optax.__version__
    ulpaudit.worker('bce_with_logits', DTYPES, name='optax_bce', formula='jit(optax.sigmoid_binary_cross_entropy)')(
        jax.jit(optax.sigmoid_binary_cross_entropy))
    ulpaudit.worker('bce_with_logits_grad', DTYPES, name='optax_bce_grad', formula='its grad by z')(
        jax.jit(vgrad(optax.sigmoid_binary_cross_entropy)))

if __name__ == '__main__':
    ulpaudit.serve('jax', version=version)
