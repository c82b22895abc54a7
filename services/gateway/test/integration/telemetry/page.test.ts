// The status page, in a real browser.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Page, startChromium } from '../../support/chromium.ts';
import { eventually } from '../../support/eventually.ts';
import { send } from '../../support/http.ts';
import { startTusk, type Tusk } from '../../support/tusk.ts';

const LAPTOP = { width: 1280, height: 800, scheme: 'light' } as const;
const PHONE = { width: 390, height: 844, scheme: 'dark' } as const;

let tusk: Tusk;
let browser: Page;
beforeAll(async () => {
  tusk = await startTusk({ auth: true });
  browser = await startChromium();
});
afterAll(async () => {
  await browser.close();
  await tusk.stop();
});

const textOf = (selector: string) => browser.value<string>(`document.querySelector('${selector}').innerText`);

describe.each([LAPTOP, PHONE])('at %j', (look) => {
  it('says what there is to say of a gateway that nobody asked anything', async () => {
    await browser.open(`${tusk.adminUrl}/`, look);
    expect(browser.complaints()).toEqual([]);
    expect(await textOf('header')).toContain('ready');
    expect(await textOf('main')).toContain(tusk.pachdAddress);
    expect(await textOf('main')).toContain('None since the workers began.');
  });

  it('fits its place', async () => {
    await browser.open(`${tusk.adminUrl}/`, look);
    const [content, place] = await browser.value<[number, number]>(
      '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
    );
    expect(content).toBeLessThanOrEqual(place);
    const ground = await browser.value<string>('getComputedStyle(document.body).backgroundColor');
    expect(ground).toBe(look.scheme === 'dark' ? 'rgb(16, 19, 23)' : 'rgb(246, 247, 249)');
  });
});

it('keeps itself fresh, and shows errors with their request ids', async () => {
  await browser.open(`${tusk.adminUrl}/`, LAPTOP);
  await browser.value("void (document.querySelector('h1').dataset.old = 'yes')");
  const bucket = '<img src=x onerror=alert(1)>.repo';
  await tusk.devpachd?.program.stop('SIGKILL');
  const answer = await send(tusk.url, 'GET', `/${encodeURIComponent(bucket)}/key`, {
    headers: { 'x-request-id': 'of-the-balancer' },
  });
  expect(answer.status).toBe(503);
  const requestId = String(answer.headers['x-amz-request-id']);
  await eventually(
    'the page shows the error',
    () => textOf('main'),
    (text) => text.includes(requestId),
  );
  const text = await textOf('main');
  expect(text).toContain('of-the-balancer');
  expect(text).toContain('ServiceUnavailable');
  expect(text).toContain('not ready');
  // It was told by the script: the page was not loaded anew.
  expect(browser.complaints()).toEqual([]);
  expect(await browser.value("document.querySelectorAll('svg path').length")).toBeGreaterThanOrEqual(8);
});

it('tells when its gateway does not answer any more', async () => {
  await browser.open(`${tusk.adminUrl}/`, LAPTOP);
  expect(await browser.value("getComputedStyle(document.querySelector('.notice')).display")).toBe('none');
  await tusk.program.stop('SIGKILL');
  await eventually(
    'the page says so',
    () => browser.value("getComputedStyle(document.querySelector('.notice')).display"),
    (display) => display === 'block',
  );
});
