import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

/** A page in a real browser. */
export interface Page {
  /** Goes to an address and waits until it has loaded. */
  open(url: string, look: Look): Promise<void>;
  /** The value of an expression in the page; it may be a promise. */
  value<T>(expression: string): Promise<T>;
  /** The whole page as PNG. */
  screenshot(): Promise<Buffer>;
  /** What the browser found wrong since the page was opened: errors of scripts, and what it did not allow. */
  complaints(): readonly string[];
  close(): Promise<void>;
}

export interface Look {
  readonly width: number;
  readonly height: number;
  readonly scheme: 'light' | 'dark';
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
  readonly sessionId?: string;
}

const browsers = new Set<ChildProcess>();
// A test that fails, or a worker of the test runner that is ended, must leave nothing running.
process.on('exit', () => {
  for (const browser of browsers) browser.kill('SIGKILL');
});

/** Starts Chromium without a window, and speaks its DevTools protocol over pipes. */
export async function startChromium(): Promise<Page> {
  const folder = await mkdtemp(join(tmpdir(), 'tusk-chromium-'));
  // Without a sandbox, which root may not have; it sees no page but ours.
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--remote-debugging-pipe'];
  const quiet = [
    '--disable-background-networking',
    '--disable-component-update',
    '--no-first-run',
    `--user-data-dir=${folder}`,
  ];
  const browser = spawn('chromium', [...args, ...quiet], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
  browsers.add(browser);
  const complaints: string[] = [];
  const wire = openWire(browser, ({ method, params = {} }) => {
    const text = complaintOf(method, params);
    if (text !== undefined) complaints.push(text);
  });
  const { targetId } = await wire.ask('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await wire.ask('Target.attachToTarget', { targetId, flatten: true });
  const ask = (method: string, params: object = {}) => wire.ask(method, params, String(sessionId));
  for (const domain of ['Page', 'Runtime', 'Log']) await ask(`${domain}.enable`);

  return {
    async open(url, { width, height, scheme }) {
      complaints.length = 0;
      const mobile = width < 600;
      await ask('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile });
      await ask('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
      const loaded = wire.heard('Page.loadEventFired');
      await ask('Page.navigate', { url });
      await loaded;
    },
    async value(expression) {
      const { result, exceptionDetails } = (await ask('Runtime.evaluate', {
        expression,
        awaitPromise: true,
        returnByValue: true,
      })) as { result: { value: never }; exceptionDetails?: unknown };
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
      return result.value;
    },
    async screenshot() {
      const { data } = await ask('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true });
      return Buffer.from(String(data), 'base64');
    },
    complaints: () => complaints,
    async close() {
      const ended = new Promise((resolve) => browser.once('exit', resolve));
      browser.kill('SIGKILL');
      await ended;
      browsers.delete(browser);
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function complaintOf(method: string | undefined, params: Record<string, unknown>): string | undefined {
  if (method === 'Runtime.exceptionThrown') return JSON.stringify(params['exceptionDetails']);
  const entry = params['entry'] as { level?: string; text?: string } | undefined;
  return method === 'Log.entryAdded' && entry?.level === 'error' ? entry.text : undefined;
}

/** Messages are JSON, each ended by a zero. */
function openWire(browser: ChildProcess, hear: (message: Message) => void) {
  const [, , , input, output] = browser.stdio as unknown as [unknown, unknown, unknown, Writable, Readable];
  const waiting = new Map<number, (message: Message) => void>();
  const events = new Map<string, () => void>();
  const over = new Promise<never>((_, reject) => {
    browser.once('exit', () => reject(new Error('the browser has ended')));
    browser.once('error', reject);
  });
  let rest = '';
  let lastId = 0;
  output.setEncoding('utf8').on('data', (chunk: string) => {
    const messages = (rest + chunk).split('\0');
    rest = messages.pop() ?? '';
    for (const message of messages.map((text) => JSON.parse(text) as Message)) {
      if (message.id === undefined) {
        events.get(message.method ?? '')?.();
        hear(message);
      } else waiting.get(message.id)?.(message);
    }
  });
  return {
    ask(method: string, params: object, sessionId?: string): Promise<Record<string, unknown>> {
      lastId += 1;
      const id = lastId;
      return new Promise((resolve, reject) => {
        void over.catch(reject);
        waiting.set(id, ({ result, error }) => {
          waiting.delete(id);
          if (error === undefined) resolve(result ?? {});
          else reject(new Error(`${method}: ${error.message}`));
        });
        input.write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`);
      });
    },
    heard: (method: string) => new Promise<void>((resolve) => events.set(method, resolve)),
  };
}
