# SPDX-License-Identifier: Apache-2.0
"""From table.toml: a source file for each plug-in of the fault corpus, and their names for CMake.

make_corpus.py FOLDER LIBRARY_FOLDER writes FOLDER/NAME.cpp (only where it changed) and prints the
names that CMake is to compile, and on a second line the families. An entry with `text` is written to LIBRARY_FOLDER/NAME.so as it is.
Each family has one twin, FAMILY_twin: its source without any fault, for every op and dtype that a
fault of the family is audited in, with a contract that promises the most.
"""
import json, os, sys, tomllib

KERNELS = {'sigmoid': 'sigmoid', 'sigmoid_grad': 'sigmoid_grad', 'bce_with_logits': 'bce',
           'bce_with_logits_grad': 'bce_grad'}
KEYS = {'name', 'what', 'reported', 'family', 'rule', 'op', 'dtype', 'contract', 'exhaustive',
        'range', 'label', 'region', 'single', 'length', 'also', 'alone', 'never', 'beside', 'exit',
        'args', 'text', 'unless_asan'}
HERE = os.path.dirname(os.path.abspath(__file__))


def read_table(path=os.path.join(HERE, 'table.toml')):
    """The entries, checked."""
    with open(path, 'rb') as f:
        faults = tomllib.load(f)['fault']
    names = [f['name'] for f in faults]
    for f in faults:
        if unknown := set(f) - KEYS:
            sys.exit('%s: unknown keys %s' % (f['name'], sorted(unknown)))
        if names.count(f['name']) > 1:
            sys.exit('%s: there twice' % f['name'])
        if f['op'] not in KERNELS:
            sys.exit('%s: unknown op' % f['name'])
        source = os.path.join(HERE, f['family'] + '.cpp')
        with open(source, encoding='utf-8') as text:
            words = text.read()
        if 'text' not in f and '"%s"' % f['name'] not in words and \
                'CORPUS_FAULT_' + f['name'] not in words:
            sys.exit('%s: %s knows no such fault' % (f['name'], source))
    return faults


def families(faults):
    return sorted({f['family'] for f in faults})


def kernel_contract(op, promises):
    return '[[kernel]]\nname = "%s"\n%s\n' % (KERNELS[op], promises) if promises else ''


def twin_promises(op, dtypes):
    """What the right kernels keep (host.cpp): f64 is only nearly rounded right."""
    exact = [d for d in dtypes if d != 'f64']
    budgets = ', '.join('%s = %s' % (d, 0.5 if d in exact else 0.51) for d in dtypes)
    return ('monotone = true\nclean_flags = true\ncorrectly_rounded = %s\nmax_ulp = { %s }' %
            (json.dumps(exact), budgets))


def source(name, fault, what, family, kernels, contract):
    """kernels: op -> dtypes."""
    lines = ['// Generated from tests/faults/table.toml. ' + what,
             '#define CORPUS_NAME "%s"' % name,
             '#define CORPUS_FAULT "%s"' % fault]
    if fault:
        lines.append('#define CORPUS_FAULT_%s' % fault)
    lines += ['#define CORPUS_CONTRACT %s' % json.dumps(contract), '#define CORPUS_KERNELS \\']
    for op, dtypes in kernels.items():
        mask = ' | '.join('ULPAUDIT_' + d.upper() for d in dtypes)
        lines.append('  CORPUS_KERNEL("%s", "%s", %s, %s) \\' % (KERNELS[op], op, KERNELS[op], mask))
    return '\n'.join(lines + ['', '#include "%s.cpp"' % family, ''])


def fault_source(f):
    promises = kernel_contract(f['op'], f.get('contract', ''))
    kernels = {op: [f['dtype']] for op in (f['op'], f.get('beside')) if op}
    return source(f['name'], f['name'], f['what'], f['family'], kernels,
                  'contract = 1\n' + promises if promises else '')


def twin_source(family, faults):
    kernels = {}
    for f in faults:
        if f['family'] == family:
            for op in (f['op'], f.get('beside')):
                if op:
                    kernels.setdefault(op, set()).add(f['dtype'])
    kernels = {op: sorted(kernels[op]) for op in KERNELS if op in kernels}
    contract = 'contract = 1\n' + ''.join(kernel_contract(op, twin_promises(op, dtypes))
                                          for op, dtypes in kernels.items())
    return source(family + '_twin', '', 'The correct twin of the faults of %s.cpp.' % family, family,
                  kernels, contract)


def write(path, text):
    """Only what changed, so that nothing is compiled again for nothing."""
    if os.path.exists(path):
        with open(path, encoding='utf-8') as f:
            if f.read() == text:
                return
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)


def main():
    folder, libraries = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    os.makedirs(libraries, exist_ok=True)
    faults = read_table()
    sources = {f['name']: fault_source(f) for f in faults if 'text' not in f}
    sources |= {family + '_twin': twin_source(family, faults) for family in families(faults)}
    for name, text in sources.items():
        write(os.path.join(folder, name + '.cpp'), text)
    for f in faults:
        if 'text' in f:
            write(os.path.join(libraries, f['name'] + '.so'), f['text'])
    print(';'.join(sources))
    print(';'.join(families(faults)))


if __name__ == '__main__':
    main()
