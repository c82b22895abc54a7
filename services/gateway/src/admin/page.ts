import { createHash } from 'node:crypto';
import type { WorkerStatus } from '../messages.ts';
import { bytes, clock, count, milliseconds, percent, rate } from './figures.ts';
import { LOOK_EVERY_MS, type Moment, SPAN_MS } from './history.ts';
import { type Html, html, raw } from './html.ts';
import { STYLE } from './page-style.ts';
import { type Line, plot } from './plot.ts';
import { type CacheFigures, faultsOf, type GatewayFault, type GatewayStatus } from './status.ts';

/** Asks for the page again, and takes what is new of it; not while somebody marks a text to copy it. */
const SCRIPT = `
const refresh = async () => {
  if (document.hidden || !getSelection().isCollapsed) return;
  try {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const open = [...document.querySelectorAll('details')].map((details) => details.open);
    page.querySelectorAll('details').forEach((details, at) => { details.open = open[at] ?? false; });
    document.querySelector('main').replaceWith(page.querySelector('main'));
    document.body.className = '';
  } catch {
    document.body.className = 'lost';
  }
};
setInterval(refresh, ${LOOK_EVERY_MS});
document.addEventListener('visibilitychange', refresh);
`;

/** The other errors are there on demand. */
const FAULTS_SHOWN = 6;

/** Nothing of the page comes from elsewhere, and nothing on it that is not ours runs. Source: Content Security Policy Level 3. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${hashOf(STYLE)}'`,
  `script-src 'sha256-${hashOf(SCRIPT)}'`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A gateway's status, to be read by people. It is whole without its script, which only keeps it fresh. */
export function page(status: GatewayStatus): string {
  const { notReady, workers, caches } = status;
  const silent = workers.filter((worker) => worker === undefined).length;
  const whole = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>tusk${notReady === '' ? '' : ': not ready'}</title>
<link rel="icon" href="data:,">
<style>${raw(STYLE)}</style>
</head>
<body>
<p class="notice" role="status">The gateway does not answer; this is what it said last.</p>
<main>
<header>
  <h1>tusk</h1>
  ${notReady === '' ? html`<span class="pill good">ready</span>` : html`<span class="pill bad">not ready</span><span class="not-ready">${notReady}</span>`}
  <span class="aside">${workers.length} worker${workers.length === 1 ? '' : 's'}${silent > 0 ? `, ${silent} silent` : ''} · up ${uptime(status.nowMs - status.startedMs)} · ${clock(status.nowMs)} UTC</span>
</header>
${tiles(status)}
<section class="plots">${plots(status)}</section>
<section>
  <h2>Last errors</h2>
  ${faultList(faultsOf(workers))}
</section>
<section>
  <h2>pachd</h2>
  ${poolTable(workers)}
</section>
<div class="pair">
<section>
  <h2>Caches</h2>
  ${cacheTable(caches)}
</section>
<div>
<section>
  <h2>Workers</h2>
  ${workerTable(workers)}
</section>
<section>
  <h2>Redis</h2>
  ${redisTable(workers)}
</section>
</div>
</div>
<footer><a href="/status.json">status.json</a> <a href="/metrics">metrics</a> <a href="/readyz">readyz</a></footer>
</main>
<script>${raw(SCRIPT)}</script>
</body>
</html>
`;
  return whole.html;
}

function tiles({ history, workers }: GatewayStatus): Html {
  const last = history.at(-1);
  const sum = (value: (worker: WorkerStatus) => number) =>
    workers.reduce((total, worker) => total + (worker === undefined ? 0 : value(worker)), 0);
  const oldestMs = Math.max(0, ...workers.map((worker) => worker?.oldestUnfinishedMs ?? 0));
  const pending = sum(({ unfinishedCommits }) => unfinishedCommits);
  const faults = history.reduce((total, { faultsPerSecond }) => total + (faultsPerSecond * LOOK_EVERY_MS) / 1_000, 0);
  const latency = last?.reads;
  return html`<dl class="tiles">
  ${tile('Requests', rate(last?.requestsPerSecond ?? 0), 'a second')}
  ${tile('Reads', latency?.p50Ms === undefined ? '–' : milliseconds(latency.p50Ms), latency?.p99Ms === undefined ? 'none now' : `p99 ${milliseconds(latency.p99Ms)}`)}
  ${tile('Errors', count(faults), 'in ten minutes', faults >= 0.5 ? 'bad' : '')}
  ${tile('In flight', count(sum(({ requestsInFlight }) => requestsInFlight)), `${count(sum(({ sockets }) => sockets))} connections`)}
  ${tile('Unfinished commits', count(pending), pending > 0 ? `oldest ${milliseconds(oldestMs)}` : 'all finished')}
</dl>`;
}

function tile(name: string, value: string, below: string, state = ''): Html {
  return html`<div class="${state}"><dt>${name}</dt><dd>${value}</dd><dd class="below">${below}</dd></div>`;
}

function plots({ history, nowMs }: GatewayStatus): readonly Html[] {
  const times = history.map(({ atMs }) => atMs);
  const line = (name: string, colour: Line['colour'], value: (moment: Moment) => number | undefined): Line => {
    const values = history.map(value);
    return { name, colour, values, figure: values.at(-1) };
  };
  const frame = {
    times,
    endMs: nowMs,
    spanMs: SPAN_MS,
    stepMs: LOOK_EVERY_MS,
    scale: 'linear',
    axis: [`${SPAN_MS / 60_000} min ago`, `${SPAN_MS / 120_000} min`, 'now'],
    tell: (timeMs: number) => `${clock(timeMs)} UTC`,
  } as const;
  const young = 'The first figures come after ten seconds';
  return [
    plot({
      ...frame,
      title: 'Latency',
      scale: 'log',
      write: milliseconds,
      empty: history.length === 0 ? young : 'Nothing was read or written in ten minutes',
      lines: [
        line('reads p50', 'a', ({ reads }) => reads.p50Ms),
        line('reads p99', 'b', ({ reads }) => reads.p99Ms),
        line('writes p99', 'c', ({ writes }) => writes.p99Ms),
      ],
    }),
    plot({
      ...frame,
      title: 'Requests a second',
      write: rate,
      empty: young,
      lines: [
        line('all', 'a', ({ requestsPerSecond }) => requestsPerSecond),
        line('errors', 'bad', ({ faultsPerSecond }) => faultsPerSecond),
      ],
    }),
    plot({
      ...frame,
      title: 'Bytes a second',
      write: bytes,
      empty: young,
      lines: [
        line('out', 'a', ({ bytesOutPerSecond }) => bytesOutPerSecond),
        line('in', 'b', ({ bytesInPerSecond }) => bytesInPerSecond),
      ],
    }),
    plot({
      ...frame,
      title: 'Under way',
      write: rate,
      empty: young,
      lines: [
        line('requests', 'a', ({ inFlight }) => inFlight),
        line('unfinished commits', 'b', ({ unfinishedCommits }) => unfinishedCommits),
      ],
    }),
  ];
}

function faultList(faults: readonly GatewayFault[]): Html {
  if (faults.length === 0) return html`<p class="nothing">None since the workers began.</p>`;
  const [first, more] = [faults.slice(0, FAULTS_SHOWN), faults.slice(FAULTS_SHOWN)];
  return html`<ol class="faults">${first.map(faultItem)}</ol>
  ${more.length === 0 ? '' : html`<details><summary>${more.length} more</summary><ol class="faults">${more.map(faultItem)}</ol></details>`}`;
}

function faultItem({ atMs, operation, status, code, requestId, traceId, sentId, why }: GatewayFault): Html {
  return html`<li>
    <time>${clock(atMs)}</time>
    <span><span class="pill bad">${status}</span> ${operation}<br><small>${code}</small></span>
    <span class="ids"><code>${requestId}</code>${sentId === undefined ? '' : html`<br><small>sent as <code>${sentId}</code></small>`}${traceId === undefined ? '' : html`<br><small>trace <code>${traceId}</code></small>`}</span>
    <span class="why" title="${why}">${why}</span>
  </li>`;
}

function poolTable(workers: GatewayStatus['workers']): Html {
  const views = workers.flatMap((worker) => worker?.pachd ?? []);
  const addresses = [...new Set(views.map(({ address }) => address))].sort();
  if (addresses.length === 0) return html`<p class="nothing">No address of a pachd is known.</p>`;
  const rows = addresses.map((address) => {
    const seen = views.filter((view) => view.address === address);
    const worst =
      seen.find(({ state }) => state === 'ejected') ?? seen.find(({ state }) => state === 'draining') ?? seen[0];
    const sum = (value: (view: (typeof seen)[number]) => number) =>
      count(seen.reduce((total, view) => total + value(view), 0));
    const serving = seen.filter(({ state }) => state === 'serving').length;
    return html`<tr>
    <td><code>${address}</code></td>
    <td><span class="pill ${worst?.state === 'serving' ? 'good' : 'bad'}">${worst?.state ?? ''}</span>${serving > 0 && serving < seen.length ? html` <small>serves ${serving} of ${seen.length} workers</small>` : ''}</td>
    <td class="n">${sum(({ inFlight }) => inFlight)}</td>
    <td class="n">${sum(({ calls }) => calls)}</td>
    <td class="n">${sum(({ failures }) => failures)}</td>
    <td class="n">${sum(({ retries }) => retries)}</td>
    <td class="n">${sum(({ hedges }) => hedges)}</td>
    <td class="n">${sum(({ ejections }) => ejections)}</td>
  </tr>${worst?.why ? html`<tr class="more"><td colspan="8"><small>${worst.why}</small></td></tr>` : ''}`;
  });
  return html`<div class="scroll"><table>
  <thead><tr><th>address</th><th>state</th><th class="n">in flight</th><th class="n">calls</th><th class="n">failed</th><th class="n">retries</th><th class="n">hedges</th><th class="n">ejected</th></tr></thead>
  <tbody>${rows}</tbody>
</table></div>`;
}

function workerTable(workers: GatewayStatus['workers']): Html {
  const rows = workers.map((worker, number) =>
    worker === undefined
      ? html`<tr><td>${number}</td><td colspan="7"><span class="pill bad">silent</span></td></tr>`
      : html`<tr>
    <td>${number}</td>
    <td class="n">${count(worker.requestsInFlight)}</td>
    <td class="n">${count(worker.sockets)}</td>
    <td class="n">${bytes(worker.bufferedBytes)}</td>
    <td class="n">${bytes(worker.bodyBytes)}</td>
    <td class="n">${count(worker.unfinishedCommits)}</td>
    <td class="n">${bytes(worker.residentBytes)}</td>
  </tr>`,
  );
  return html`<div class="scroll"><table>
  <thead><tr><th>worker</th><th class="n">in flight</th><th class="n">connections</th><th class="n">in sockets</th><th class="n">bodies</th><th class="n">unfinished</th><th class="n">memory</th></tr></thead>
  <tbody>${rows}</tbody>
</table></div>`;
}

function cacheTable(caches: readonly CacheFigures[]): Html {
  const asked = caches.filter(({ hits, misses }) => hits + misses > 0);
  if (asked.length === 0) return html`<p class="nothing">Nothing was looked for yet.</p>`;
  return html`<div class="scroll"><table>
  <thead><tr><th>cache</th><th>found</th><th class="n">asked</th><th class="n">refused</th></tr></thead>
  <tbody>${asked.map(({ cache, hits, misses, refusals }) => {
    const part = hits / (hits + misses);
    return html`<tr><td>${cache}</td><td class="found"><meter min="0" max="1" value="${part.toFixed(3)}"></meter> ${percent(part)}</td><td class="n">${count(hits + misses)}</td><td class="n">${count(refusals)}</td></tr>`;
  })}</tbody>
</table></div>`;
}

function redisTable(workers: GatewayStatus['workers']): Html {
  const links = workers.flatMap((worker, number) => (worker?.redis === undefined ? [] : [{ number, ...worker.redis }]));
  if (links.length === 0) return html`<p class="nothing">Not used: this gateway is one worker, alone.</p>`;
  return html`<div class="scroll"><table>
  <thead><tr><th>worker</th><th>connections</th><th class="n">scripts</th><th class="n">lost</th><th class="n">reconnects</th></tr></thead>
  <tbody>${links.map(
    ({ number, state, scripts, lost, reconnects }) =>
      html`<tr><td>${number}</td><td><span class="pill ${state === 'up' ? 'good' : 'bad'}">${state}</span></td><td class="n">${count(scripts)}</td><td class="n">${count(lost)}</td><td class="n">${count(reconnects)}</td></tr>`,
  )}</tbody>
</table></div>`;
}

function uptime(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return 'less than a minute';
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
