# SPDX-License-Identifier: Apache-2.0
"""Makes the samples in build/samples: an audit of this repository's kernels, and pictures of its page.

Usage: ./run samples [AUDIT ARGS]     (--profile standard unless told otherwise)
       ./run samples keep             copies what the repository has of them to reports/samples
       make.py ULPAUDIT|keep [AUDIT ARGS]"""
import os, shutil, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '..', '..')
WORK = os.path.join('build', 'samples')
# What the repository has: what is read or seen on the spot. A release carries the rest.
KEPT = ('report.png', 'curve.png', 'libraries/README.md', 'libraries/python.md', 'training/README.md')
sys.path.insert(0, os.path.join(ROOT, 'tests', 'reports'))
sys.dont_write_bytecode = True
import browser

OURS = ('naive', 'stable', 'simd', 'exact', 'cuda', 'cuda-host', 'libtorch-*')
# The kernel whose curve is shown: every digit of a gradient lost, by a formula that everyone knows.
SHOWN = ('naive/sigmoid_grad', 'f32')


def audit(program, args):
    if not any(a.startswith('--profile') for a in args):
        args = ['--profile', 'standard', *args]
    if '--impl' not in args:  # not what ./run peers added
        args = [*(a for p in OURS for a in ('--impl', p + '/*')), *args]
    done = subprocess.run([os.path.relpath(program), 'audit', *args, '--quiet', '-o', WORK], stdout=subprocess.DEVNULL)
    if done.returncode not in (0, 1):
        sys.exit('samples: the audit ended with exit code %d; what it found is in %s' % (done.returncode, WORK))


def picture(page, name, selector, height):
    """The part of the page that begins at an element."""
    y = page.run('document.querySelector(%r).getBoundingClientRect().top + scrollY' % selector)
    page.screenshot(os.path.join(WORK, name), captureBeyondViewport=True,
                    clip={'x': 0, 'y': y, 'width': 1080, 'height': height, 'scale': 1})


def pictures():
    if browser.find() is None:
        sys.exit('samples: there is no Chromium (./run setup), so there are no pictures')
    page = browser.Browser(browser.find())
    try:
        page.size(1080, 900)
        page.theme('light')
        page.open('file://' + os.path.abspath(os.path.join(WORK, 'report.html')))
        picture(page, 'report.png', '#matrix', 760)
        anchor = page.run('''Object.entries(JSON.parse(document.getElementById("data").textContent).charts)
            .find(([, c]) => c.implementation === %r && c.dtype === %r)[0]''' % SHOWN)
        page.run('location.hash = "#%s"' % anchor)
        page.run('new Promise(done => setTimeout(done, 300))')
        page.run('document.querySelector("nav").remove()')
        picture(page, 'curve.png', '#' + anchor, 660)
    finally:
        page.close()


def keep():
    for name in KEPT:
        if os.path.exists(os.path.join(WORK, name)):
            shutil.copyfile(os.path.join(WORK, name), os.path.join(HERE, name))
            print('reports/samples/' + name)


def main():
    program = os.path.abspath(sys.argv[1])
    os.chdir(ROOT)
    if sys.argv[1] == 'keep':
        return keep()
    audit(program, sys.argv[2:])
    pictures()
    for file in sorted(os.listdir(WORK)):
        if os.path.isfile(os.path.join(WORK, file)):
            print('%9d  %s' % (os.path.getsize(os.path.join(WORK, file)), os.path.join(WORK, file)))


if __name__ == '__main__':
    main()
