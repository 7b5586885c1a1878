# SPDX-License-Identifier: Apache-2.0
"""Validates reports against harness/record/report.schema.json.

Usage: /usr/bin/python3 validate_report.py REPORT.json …     (needs Debian's python3-jsonschema)
       /usr/bin/python3 validate_report.py --run ULPAUDIT    a sweep's and an audit's own reports
"""
import json, os, subprocess, sys, tempfile

try:
    import jsonschema
except ImportError:
    sys.exit('python3-jsonschema is missing: apt install python3-jsonschema')

HERE = os.path.dirname(os.path.abspath(__file__))
SCHEMA = os.path.join(HERE, '..', '..', 'harness', 'record', 'report.schema.json')


def errors(validator, report):
    """At most five errors, each as a path and a message."""
    found = sorted(validator.iter_errors(report), key=lambda e: list(map(str, e.absolute_path)))
    return ['/'.join(map(str, e.absolute_path)) + ': ' + e.message[:300] for e in found[:5]]


def reports_of(program):
    """(name, report) of a sweep with every kind of result and of a small audit."""
    small = ['--points', '500', '--label', '0.5', '--quiet']
    done = subprocess.run([program, 'sweep', '--json', '--dtype', 'f16', '--dtype', 'f64', *small],
                          stdout=subprocess.PIPE)
    yield 'sweep --json (exit %d)' % done.returncode, json.loads(done.stdout)
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([program, 'audit', '--op', 'sigmoid', '--op', 'bce_with_logits',
                               '--range', '-20:20', '-o', folder, *small],
                              stdout=subprocess.DEVNULL)
        with open(os.path.join(folder, 'report.json'), encoding='utf-8') as f:
            yield 'audit (exit %d)' % done.returncode, json.load(f)
    done = subprocess.run([program, 'bench', '--json', '--op', 'sigmoid', '--dtype', 'f32', '--level', 'L1',
                           '--repetitions', '2', '--min-time', '0.1', '--quiet'], stdout=subprocess.PIPE)
    yield 'bench (exit %d)' % done.returncode, json.loads(done.stdout)
    done = subprocess.run([program, 'train', '--json', '--network', 'binary', '--dtype', 'bf16', '--steps', '30',
                           '--impl', 'naive/*', '--quiet'], stdout=subprocess.PIPE)
    yield 'train (exit %d)' % done.returncode, json.loads(done.stdout)


def must_fail(validator, report):
    """A schema that accepts anything proves nothing: each of these must be refused."""
    def broken(change):
        copy = json.loads(json.dumps(report))
        change(copy)
        return copy
    changes = {
        'a result without points': lambda j: j['results'][0].pop('points'),
        'an unknown member': lambda j: j['results'][0].update(extra=1),
        'an unknown severity': lambda j: j['findings'].append({'severity': 'fatal'}),
        'points as text': lambda j: j['results'][0].update(points='7'),
        'no context': lambda j: j.pop('context'),
        'another version': lambda j: j.update(schema_version='2.0'),
        'a total without digest': lambda j: [r.pop('digest', 0) for r in j['results']],
    }
    return [name for name, change in changes.items() if validator.is_valid(broken(change))]


def main():
    with open(SCHEMA, encoding='utf-8') as f:
        schema = json.load(f)
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema)
    if sys.argv[1:2] == ['--run'] and len(sys.argv) == 3:
        reports = list(reports_of(sys.argv[2]))
    elif sys.argv[1:] and not sys.argv[1].startswith('-'):
        reports = [(p, json.load(open(p, encoding='utf-8'))) for p in sys.argv[1:]]
    else:
        sys.exit(__doc__)
    failed = False
    for name, report in reports:
        wrong = errors(validator, report)
        print('%s: %s, %d results, %d benchmarks, %d training runs' % (name, 'not valid' if wrong else 'valid',
                                                     len(report['results']), len(report['benchmarks']),
                                                     len(report['training'])))
        for line in wrong:
            print('  ' + line)
        accepted = must_fail(validator, report) if report['results'] else []
        if accepted:
            print('  the schema accepts: ' + '; '.join(accepted))
        failed |= bool(wrong or accepted or not (report['results'] or report['benchmarks'] or report['training']))
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
