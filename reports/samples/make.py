"""Remakes the samples: an audit of this repository's kernels, and pictures of its page.

Usage: ./run samples [AUDIT ARGS]     (--profile standard unless told otherwise)
       make.py ULPAUDIT [AUDIT ARGS]"""
import lzma, os, shutil, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '..', '..')
WORK = os.path.join('build', 'samples')
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
        sys.exit('samples: the audit ended with exit code %d' % done.returncode)


def copy():
    for file in ('report.html', 'report.md'):
        shutil.copyfile(os.path.join(WORK, file), os.path.join(HERE, file))
    with open(os.path.join(WORK, 'report.json'), 'rb') as f:
        packed = lzma.compress(f.read(), preset=9)
    with open(os.path.join(HERE, 'report.json.xz'), 'wb') as f:
        f.write(packed)


def picture(page, name, selector, height):
    """The part of the page that begins at an element."""
    y = page.run('document.querySelector(%r).getBoundingClientRect().top + scrollY' % selector)
    page.screenshot(os.path.join(HERE, name), captureBeyondViewport=True,
                    clip={'x': 0, 'y': y, 'width': 1080, 'height': height, 'scale': 1})


def pictures():
    if browser.find() is None:
        sys.exit('samples: there is no Chromium (./run setup), so the pictures are the old ones')
    page = browser.Browser(browser.find())
    try:
        page.size(1080, 900)
        page.theme('light')
        page.open('file://' + os.path.join(HERE, 'report.html'))
        picture(page, 'report.png', '#matrix', 760)
        anchor = page.run('''Object.entries(JSON.parse(document.getElementById("data").textContent).charts)
            .find(([, c]) => c.implementation === %r && c.dtype === %r)[0]''' % SHOWN)
        page.run('location.hash = "#%s"' % anchor)
        page.run('new Promise(done => setTimeout(done, 300))')
        page.run('document.querySelector("nav").remove()')
        picture(page, 'curve.png', '#' + anchor, 660)
    finally:
        page.close()


def main():
    os.chdir(ROOT)
    audit(sys.argv[1], sys.argv[2:])
    copy()
    pictures()
    for file in sorted(os.listdir(HERE)):
        print('%9d  reports/samples/%s' % (os.path.getsize(os.path.join(HERE, file)), file))


if __name__ == '__main__':
    main()
