"""A headless Chromium by its remote debugging protocol, over pipes: Python's standard library alone."""
# SPDX-License-Identifier: Apache-2.0
import base64, json, os, select, shutil, subprocess, tempfile, time

SKIPPED = 77  # CTest's SKIP_RETURN_CODE: reported as skipped, never as passed


def find():
    """The browser's program, or None."""
    for name in (os.environ.get('CHROMIUM', ''), 'chromium', 'chromium-browser', 'google-chrome'):
        if name and shutil.which(name):
            return shutil.which(name)
    return None


class Browser:
    """One page. Events (console, requests, exceptions) are kept in `events`."""

    def __init__(self, program):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_read, self.to = os.pipe()
        self.back, to_write = os.pipe()

        def descriptors():  # the protocol's: 3 is read by the browser, 4 is written
            read, write = os.dup(to_read), os.dup(to_write)
            os.dup2(read, 3)
            os.dup2(write, 4)
            os.set_inheritable(3, True)
            os.set_inheritable(4, True)
        command = [program, '--headless', '--remote-debugging-pipe', '--disable-gpu', '--no-first-run',
                   '--hide-scrollbars', '--disable-dev-shm-usage', '--user-data-dir=' + self.folder.name]
        if os.geteuid() == 0:
            command.append('--no-sandbox')  # Chromium refuses to sandbox root
        self.process = subprocess.Popen(command + ['about:blank'], close_fds=False,
                                        preexec_fn=descriptors, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.buffer, self.number, self.events, self.session = b'', 0, [], None
        target = self.call('Target.createTarget', url='about:blank')['targetId']
        self.session = self.call('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Log', 'Network'):
            self.call(domain + '.enable')

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.to)
        os.close(self.back)
        self.folder.cleanup()

    def message(self, timeout):
        end = time.monotonic() + timeout
        while b'\0' not in self.buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.back], [], [], left)[0]:
                return None
            got = os.read(self.back, 1 << 20)
            if not got:
                raise RuntimeError('the browser has gone')
            self.buffer += got
        text, self.buffer = self.buffer.split(b'\0', 1)
        return json.loads(text)

    def call(self, method, **parameters):
        self.number += 1
        wanted, request = self.number, {'id': self.number, 'method': method, 'params': parameters}
        if self.session:
            request['sessionId'] = self.session
        os.write(self.to, json.dumps(request).encode() + b'\0')
        while True:
            m = self.message(60)
            if m is None:
                raise RuntimeError('no answer to ' + method)
            if m.get('id') == wanted:
                if 'error' in m:
                    raise RuntimeError('%s: %s' % (method, m['error']))
                return m['result']
            if 'method' in m:
                self.events.append(m)

    def open(self, url):
        """Loads a page; seconds until its load event."""
        self.events.clear()
        began = time.monotonic()
        self.call('Page.navigate', url=url)
        while not any(e['method'] == 'Page.loadEventFired' for e in self.events):
            m = self.message(60)
            if m is None:
                raise RuntimeError('the page does not load')
            self.events.append(m)
        return time.monotonic() - began

    def run(self, expression):
        """The value of a JavaScript expression; promises are awaited."""
        done = self.call('Runtime.evaluate', expression=expression, returnByValue=True, awaitPromise=True)
        if 'exceptionDetails' in done:
            raise RuntimeError('%s\n%s' % (expression, done['exceptionDetails']))
        return done['result'].get('value')

    def settle(self):
        """Waits until what was asked for is drawn."""
        self.run('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))')

    def size(self, width, height, mobile=False):
        self.call('Emulation.setDeviceMetricsOverride', width=width, height=height,
                  deviceScaleFactor=2 if mobile else 1, mobile=mobile)

    def theme(self, name):
        self.call('Emulation.setEmulatedMedia',
                  features=[{'name': 'prefers-color-scheme', 'value': name}])

    def mouse(self, kind, x, y, **more):
        self.call('Input.dispatchMouseEvent', type=kind, x=x, y=y, **more)

    def drag(self, x1, x2, y):
        self.mouse('mousePressed', x1, y, button='left', clickCount=1)
        self.mouse('mouseMoved', (x1 + x2) / 2, y, button='left', buttons=1)
        self.mouse('mouseMoved', x2, y, button='left', buttons=1)
        self.mouse('mouseReleased', x2, y, button='left', clickCount=1)

    def key(self, key):
        text = {'text': key} if len(key) == 1 else {}
        self.call('Input.dispatchKeyEvent', type='keyDown', key=key, **text)
        self.call('Input.dispatchKeyEvent', type='keyUp', key=key)

    def screenshot(self, path, **more):
        with open(path, 'wb') as f:
            f.write(base64.b64decode(self.call('Page.captureScreenshot', format='png', **more)['data']))
