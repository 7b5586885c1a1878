"""PyTorch: torch.sigmoid, the loss, and their gradients by autograd. Environment: TORCH_DEVICE, where
it runs (default cpu; cuda: the plug-in is torch-cuda)."""
# SPDX-License-Identifier: Apache-2.0
import os

from common import library, ulpaudit

DEVICE = os.environ.get('TORCH_DEVICE', 'cpu')
DTYPES = ('f16', 'bf16', 'f32', 'f64')
torch = library('torch', [('sigmoid', DTYPES, 'sigmoid'), ('sigmoid_grad', DTYPES, 'sigmoid_grad'),
                          ('bce_with_logits', DTYPES, 'bce'), ('bce_with_logits_grad', DTYPES, 'bce_grad')])

if torch is not None:
    import numpy as np

    def tensor(a):
        t = torch.from_numpy(a.view(np.int16)).view(torch.bfloat16) if a.dtype.name == 'bfloat16' \
            else torch.from_numpy(a)
        return t.to(DEVICE)

    def array(t):
        t = t.cpu()
        return t.view(torch.int16).numpy() if t.dtype == torch.bfloat16 else t.numpy()

    def gradient(f, z):
        t = tensor(z).clone().requires_grad_()
        f(t).sum().backward()
        return array(t.grad)

    def loss(z, y):
        return torch.nn.functional.binary_cross_entropy_with_logits(z, y, reduction='none')

    @ulpaudit.worker('sigmoid', DTYPES, formula='torch.sigmoid(z)')
    def sigmoid(z):
        return array(torch.sigmoid(tensor(z)))

    @ulpaudit.worker('sigmoid_grad', DTYPES, formula='its gradient by autograd')
    def sigmoid_grad(z):
        return gradient(torch.sigmoid, z)

    @ulpaudit.worker('bce_with_logits', DTYPES, formula='binary_cross_entropy_with_logits')
    def bce(z, y):
        return array(loss(tensor(z), tensor(y)))

    @ulpaudit.worker('bce_with_logits_grad', DTYPES, formula='its gradient by autograd')
    def bce_grad(z, y):
        return gradient(lambda t: loss(t, tensor(y)), z)

if __name__ == '__main__':
    ulpaudit.serve('torch' if DEVICE == 'cpu' else 'torch-' + DEVICE.replace(':', '-'),
                   version=getattr(torch, '__version__', ''))
