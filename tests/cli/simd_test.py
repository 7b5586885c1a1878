# SPDX-License-Identifier: Apache-2.0
"""The targets of the plug-in `simd`: each that this machine has is listed, runs, and is what it says.

A target's machine code is looked at, too, so one that this machine cannot run is not taken on trust.
"""
import json, os, re, shutil, subprocess, unittest
from support import ULPAUDIT, CommandTest, FINE, main

OPS = {'sigmoid': 'sigmoid', 'sigmoid_grad': 'sigmoid_grad', 'bce': 'bce_with_logits',
       'bce_grad': 'bce_with_logits_grad'}
# A kernel more, where there is FMA.
FAST = 'bce_grad_fast'
DTYPES = ('f16', 'bf16', 'f32', 'f64')
# What Highway 1.0.3 asks of the CPU, in the words of /proc/cpuinfo.
SSE4 = {'ssse3', 'sse4_1', 'sse4_2', 'aes', 'pclmulqdq'}
AVX2 = SSE4 | {'avx', 'avx2', 'fma', 'f16c', 'bmi1', 'bmi2', 'abm'}
NEEDS = {'sse4': SSE4, 'avx2': AVX2,
         'avx3': AVX2 | {'avx512f', 'avx512cd', 'avx512bw', 'avx512dq', 'avx512vl'}}
BEST_FIRST = ('avx3', 'avx2', 'sse4', 'neon')


def cpu_flags():
    with open('/proc/cpuinfo', encoding='utf-8') as f:
        for line in f:
            if line.startswith('flags'):
                return set(line.split(':', 1)[1].split())
    return set()


@unittest.skipUnless(os.uname().machine == 'x86_64', 'targets of another architecture')
class Targets(CommandTest):
    def setUp(self):
        listed = json.loads(self.check(FINE, 'list', '--json', '--impl', 'simd/*').stdout)
        self.listed = {i['name'].split('/')[1]: i for i in listed['implementations']}
        flags = cpu_flags()
        self.here = {t for t, needs in NEEDS.items() if needs <= flags}

    def results(self, op, dtype, *point):
        """What each kernel returns, as bits."""
        done = self.check(FINE, 'eval', '--json', '--impl', 'simd/*', '--op', op, '--dtype', dtype,
                          '--', *point)
        return {i['name'].split('/')[1]: i['got']['bits']
                for i in json.loads(done.stdout)['implementations'] if 'got' in i}

    def test_each_op_has_every_target_and_every_dtype(self):
        for kernel, op in OPS.items():
            for name in (kernel, *(kernel + '@' + t for t in BEST_FIRST)):
                self.assertIn(name, self.listed)
                self.assertEqual(self.listed[name]['op'], op)
                self.assertEqual(tuple(self.listed[name]['dtypes']), DTYPES)

    def test_what_the_cpu_has_is_available_and_nothing_else(self):
        self.assertTrue(self.here, 'this CPU has no target of the plug-in, so nothing was tested')
        for name, facts in self.listed.items():
            if '@' in name:
                available = not facts['unavailable']
                if name.startswith(FAST):
                    self.assertNotEqual(name, FAST + '@sse4')
                self.assertEqual(available, name.split('@')[1] in self.here, facts)

    def test_each_available_target_ran(self):
        for kernel, op in OPS.items():
            expected = {kernel} | {kernel + '@' + t for t in self.here}
            if kernel == 'bce_grad' and self.here - {'sse4'}:
                expected |= {FAST} | {FAST + '@' + t for t in self.here - {'sse4'}}
            for dtype in DTYPES:
                point = ('-1.5',) if kernel.startswith('sigmoid') else ('-1.5', '0.25')
                self.assertEqual(set(self.results(op, dtype, *point)), expected, dtype)

    # Inputs where one fused multiply-add more or less shows in the result.
    FUSED = {'sigmoid': ('-0x1.ffap+2',), 'sigmoid_grad': ('-0x1.140a94p+3',),
             'bce': ('-0x1.c53p-2', '0.25'), 'bce_grad': ('-0x1.152p+2', '0.25')}

    def test_avx2_fuses_and_sse4_does_not(self):
        if not {'sse4', 'avx2'} <= self.here:
            self.skipTest('needs both targets')
        for kernel, point in self.FUSED.items():
            got = self.results(OPS[kernel], 'f32', *point)
            self.assertNotEqual(got[kernel + '@sse4'], got[kernel + '@avx2'], kernel)
            best = next(t for t in BEST_FIRST if t in self.here)
            self.assertEqual(got[kernel], got[kernel + '@' + best], kernel)


@unittest.skipUnless(os.uname().machine == 'x86_64', 'machine code of another architecture')
@unittest.skipUnless(shutil.which('objdump'), 'no objdump to look at the machine code')
class MachineCode(unittest.TestCase):
    """The kernels of a target use its registers, those of no better one, and fuse or not."""
    WIDEST = {'N_SSE4': 'xmm', 'N_AVX2': 'ymm', 'N_AVX3': 'zmm'}

    def test_each_target_is_compiled_for_itself(self):
        plugin = os.path.join(os.path.dirname(ULPAUDIT), 'plugins', 'simd.so')
        code = subprocess.run(['objdump', '-dC', '--no-show-raw-insn', plugin], check=True,
                              stdout=subprocess.PIPE, encoding='utf-8').stdout
        kernels = dict.fromkeys(self.WIDEST, 0)
        for name, body in re.findall(r'^[0-9a-f]+ <(.*)>:\n((?:.+\n)*)', code, re.M):
            target = next((t for t in self.WIDEST if 'simd::%s::Run<' % t in name), None)
            if target is None or '[clone .cold]' in name:
                continue
            kernels[target] += 1
            for register in ('xmm', 'ymm', 'zmm'):
                if register == self.WIDEST[target]:
                    self.assertIn('%' + register, body, name)
                elif register > self.WIDEST[target]:
                    self.assertNotIn('%' + register, body, name)
            self.assertEqual('vfmadd' in body, target != 'N_SSE4', name)
        self.assertEqual(kernels, {'N_SSE4': 16, 'N_AVX2': 20, 'N_AVX3': 20},
                         'four ops in four dtypes each, and the fast gradient')


if __name__ == '__main__':
    main()
