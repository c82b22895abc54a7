import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readOrder } from '../../loadtest/run/options.ts';
import { type Page, startChromium } from '../../services/gateway/test/support/chromium.ts';
import { makeFolder } from '../../services/gateway/test/support/clients.ts';
import { eventually } from '../../services/gateway/test/support/eventually.ts';
import { send } from '../../services/gateway/test/support/http.ts';
import { ROOT, startNode } from '../../services/gateway/test/support/program.ts';
import { keyOf } from '../../services/gateway/test/support/signature.ts';
import { ROOT_TOKEN } from '../cluster/cluster.ts';
import { type Fleet, startFleet } from './fleet.ts';

/** What k6 ends with when thresholds are crossed. */
const THRESHOLDS_CROSSED = 99;
const LOOKS = [
  { width: 1280, height: 800, scheme: 'light' },
  { width: 390, height: 844, scheme: 'dark' },
] as const;

function load(args: readonly string[], secretKey = ROOT_TOKEN) {
  const PATH = `${join(ROOT, '.cache/bin')}${delimiter}${process.env['PATH']}`;
  const env = { PATH, AWS_ACCESS_KEY_ID: ROOT_TOKEN, AWS_SECRET_ACCESS_KEY: secretKey };
  return startNode('loadtest/run/main.ts', { args, env });
}

describe('npm run loadtest', () => {
  let folder: Awaited<ReturnType<typeof makeFolder>>;
  let fleet: Fleet;
  let browser: Page;
  beforeAll(async () => {
    [folder, fleet, browser] = await Promise.all([makeFolder(), startFleet({ auth: true }), startChromium()]);
  });
  afterAll(async () => {
    await browser?.close();
    await fleet?.stop();
    await folder?.remove();
  });

  const fileOf = (name: string) => join(folder.path, `${name}.html`);
  const see = async (name: string, look: (typeof LOOKS)[number]) => {
    await browser.open(`file://${fileOf(name)}`, look);
    expect(browser.complaints()).toEqual([]);
    const [content, place] = await browser.value<[number, number]>(
      '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
    );
    expect(content).toBeLessThanOrEqual(place);
    return browser.value<string>("document.querySelector('main').innerText");
  };
  const curves = () => browser.value<number>("document.querySelectorAll('svg path[d^=M]').length");

  it('says in a few lines what it cannot do', async () => {
    const cases = [
      [[], 'which scenario?'],
      [['reads'], 'there is no scenario reads'],
      [['hot-reads', 'writes'], 'one scenario at a time, not also writes'],
      [['hot-reads', '--users', '0'], '--users must be from 1 to 1000'],
      [['hot-reads', '--users', '1001'], '--users must be from 1 to 1000'],
      [['hot-reads', '--duration', '30'], '--duration must be from 1s to 24h'],
      [['hot-reads', '--duration', '25h'], '--duration must be from 1s to 24h'],
      [['hot-reads', '--target', 'localhost:1'], '--target must be http://HOST:PORT or https://HOST:PORT'],
      [['hot-reads', '--target', 'http://127.0.0.1:1', '--latency', 'real'], '--latency is of a fleet'],
      [['hot-reads', '--latency', 'slow'], '--latency must be real, or milliseconds'],
      [['compare', 'package.json'], 'compare takes two reports'],
      [['compare', 'package.json', 'nothing.html'], 'there is no nothing.html'],
    ] as const;
    for (const [args, words] of cases) expect(() => readOrder(args)).toThrow(words);
    const program = load(['reads']);
    expect(await program.exited).toEqual({ code: 1, signal: null });
    expect(program.output()).toMatch(/^loadtest: there is no scenario reads\nusage: npm run loadtest -- SCENARIO /);
    expect(program.output()).toMatch(
      /^scenarios: branches, cold-reads, hot-reads, listing, mixed, multipart, soak, spike, writes$/m,
    );
  });

  it('brings a fleet up for a scenario, tells what came of it, and leaves nothing running', async () => {
    const args = ['hot-reads', '--users', '4', '--duration', '3s', '--report', fileOf('hot')];
    const program = load(args);
    expect((await program.exited).code, program.output()).toBe(0);
    expect(program.output()).toMatch(/^GetObject( +[\d,.]+){3}( +[\d.]+ m?s){4}$/m);
    expect(program.output()).toMatch(/^ok +checks rate==1: 100 %$/m);
    expect(program.output()).toContain(`hot-reads passed on a fleet of its own; the report: ${fileOf('hot')}\n`);
    expect(program.alive()).toEqual([]);
    const text = await see('hot', LOOKS[0]);
    expect(text).toMatch(/^hot-reads\s+passed\s+4 users · \d\.\d s/);
    expect(text).toContain('latency of GetObject');
    expect(await curves()).toBeGreaterThan(5);
  });

  it('signs for real: another secret gets nothing', async () => {
    const program = load(['writes', '--target', fleet.url, '--duration', '1s'], 'another');
    expect((await program.exited).code).not.toBe(0);
    expect(program.output()).toContain('<Code>SignatureDoesNotMatch</Code>');
    expect(program.output()).toContain('writes FAILED: its users made no request');
  });

  it('deletes what it made at a target that is not its own', async () => {
    const args = ['writes', '--target', fleet.url, '--users', '4', '--duration', '3s', '--report', fileOf('good')];
    const program = load(args);
    expect((await program.exited).code, program.output()).toBe(0);
    const { text } = await send(fleet.url, 'GET', '/', { key: keyOf(ROOT_TOKEN) });
    expect(text).toContain('<ListAllMyBucketsResult');
    expect(text).not.toContain('load-');
  });

  it('ends in good order when it is told to, with a report of what was done', async () => {
    const args = ['hot-reads', '--target', fleet.url, '--users', '2', '--duration', '1h', '--report', fileOf('ended')];
    const before = (await fleet.requests()).length;
    const program = load(args);
    await eventually(
      'objects are read',
      async () => (await fleet.requests()).slice(before),
      (requests) => requests.filter(({ method }) => method === 'GET').length > 10,
    );
    // Not 0, since it was not all done.
    expect((await program.stop('SIGTERM')).code).toBe(105);
    expect(program.output()).toMatch(/^ok +the object is what was put \(\d+ times\)$/m);
    expect(program.alive()).toEqual([]);
    expect(await readFile(fileOf('ended'), 'utf8')).toContain('<h1>hot-reads</h1>');
  });

  it('fails when thresholds are crossed: here no pachd is left', async () => {
    const args = ['writes', '--target', fleet.url, '--users', '4', '--duration', '5s', '--report', fileOf('bad')];
    const before = (await fleet.requests()).length;
    const program = load(args);
    await eventually(
      'objects are written',
      async () => (await fleet.requests()).slice(before),
      (requests) => requests.some(({ method, path }) => method === 'PUT' && path.endsWith('/5')),
    );
    await Promise.all(fleet.pachds.map((pachd) => pachd.kill()));
    expect((await program.exited).code, program.output()).toBe(THRESHOLDS_CROSSED);
    expect(program.output()).toMatch(/^FAILED +http_req_failed rate<0\.01: \d/m);
    expect(program.output()).toMatch(/^FAILED +PutObject: status 503 /m);
    expect(program.output()).toContain('writes FAILED on ');
    for (const look of LOOKS) {
      const text = await see('bad', look);
      expect(text).toMatch(/^writes\s+failed\s/);
      expect(text).toContain('What failed');
      expect(text).toMatch(/crossed\s+failed of all requests\s+rate<0\.01/);
    }
  });

  it('puts two reports beside each other', async () => {
    const program = load(['compare', fileOf('good'), fileOf('bad'), '--report', fileOf('both')]);
    expect((await program.exited).code, program.output()).toBe(0);
    expect(program.output()).toMatch(/^first +writes of .*, passed: 4 users for /m);
    expect(program.output()).toMatch(/^second +writes of .*, failed: 4 users for /m);
    expect(program.output()).toMatch(/^all failed +0 % +[\d.]+ % +worse$/m);
    for (const look of LOOKS) {
      const text = await see('both', look);
      expect(text).toMatch(/^writes\s+two load tests beside each other/);
      expect(await curves()).toBeGreaterThanOrEqual(7);
    }
    // Nothing of it is elsewhere.
    expect(await readFile(fileOf('both'), 'utf8')).not.toMatch(/<script|<link rel="stylesheet"|src=/);
  });

  it('takes nothing for a report that is none', async () => {
    const program = load(['compare', 'package.json', 'package.json']);
    expect((await program.exited).code).toBe(1);
    expect(program.output()).toBe('loadtest: package.json is no report of a load test\n');
  });
});
