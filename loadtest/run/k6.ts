import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseSample, SAMPLE_HEADER, SAMPLE_TAGS, type Sample } from './samples.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url)).replace(/dist\/$/, '');

/** What a scenario is told (loadtest/k6/lib/settings.ts). Numbers that are left out are its own. */
export interface ScenarioSettings {
  readonly target: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly users?: number | undefined;
  readonly seconds?: number | undefined;
  /** Whether it deletes what it made. */
  readonly cleans: boolean;
}

/** What a scenario's script says of itself. */
export interface Scenario {
  readonly name: string;
  /** Its first line. */
  readonly about: string;
  /** At most at once. */
  readonly users: number;
  readonly seconds: number;
  readonly thresholds: Readonly<Record<string, readonly string[]>>;
}

export interface RunHandlers {
  /** Told of k6's process. */
  readonly onStart?: (pid: number) => void;
  readonly onSample: (sample: Sample) => void;
  /** How far setup or teardown is, in words. */
  readonly onProgress: (words: string) => void;
  /** What k6 complains of; at most COMPLAINTS_MAX. */
  readonly onComplaint: (words: string) => void;
}

/** What a script says of itself with these settings. @throws Error with what k6 says of it */
export async function inspectScenario(name: string, settings: ScenarioSettings): Promise<Scenario> {
  const child = spawn('k6', ['inspect', '--include-system-env-vars', scriptOf(name)], {
    env: environmentOf(settings),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, errors] = [textOf(child.stdout), textOf(child.stderr)];
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`k6 cannot read ${name}: ${errors()}`);
  const { scenarios, thresholds } = JSON.parse(output()) as InspectedOptions;
  const about = /^\/\/ (.*)$/m.exec(await readFile(scriptOf(name), 'utf8'))?.[1] ?? '';
  const [inspected = {}] = Object.values(scenarios);
  return { name, about, users: usersOf(inspected), seconds: secondsOf(inspected), thresholds };
}

let running = 0;

/** Whether a scenario runs, which ends in good order at SIGINT and SIGTERM. */
export function isScenarioRunning(): boolean {
  return running > 0;
}

/**
 * Runs a scenario to its end. Ctrl-C reaches k6 by itself, which then ends what is under way; SIGTERM is handed on.
 * @returns k6's exit code; 0: it went through, whatever it measured
 */
export async function runScenario(name: string, settings: ScenarioSettings, handlers: RunHandlers): Promise<number> {
  // Neither thresholds nor a summary: for both k6 keeps every sample in memory until it ends.
  const quiet = ['--quiet', '--summary-mode=disabled', '--no-thresholds', '--no-usage-report', '--log-format=json'];
  const samples = ['--system-tags', SAMPLE_TAGS.join(), '--out', 'csv=-'];
  const child = spawn('k6', ['run', '--include-system-env-vars', ...quiet, ...samples, scriptOf(name)], {
    env: { ...environmentOf(settings), K6_CSV_TIME_FORMAT: 'unix_milli' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (child.pid !== undefined) handlers.onStart?.(child.pid);
  const end = () => child.kill('SIGTERM');
  const kill = () => child.kill('SIGKILL');
  process.on('SIGTERM', end);
  process.on('exit', kill);
  running += 1;
  try {
    const closed = once(child, 'close') as Promise<[number | null]>;
    const said = forEachLine(child.stderr, logReader(handlers));
    try {
      await readSamples(child.stdout, handlers.onSample);
    } catch (error) {
      kill();
      throw error;
    }
    await said;
    return (await closed)[0] ?? 1;
  } finally {
    running -= 1;
    process.off('SIGTERM', end);
    process.off('exit', kill);
  }
}

/** k6 says each failed request in words. */
const COMPLAINTS_MAX = 10;

function logReader({ onProgress, onComplaint }: RunHandlers): (line: string) => void {
  let complaints = 0;
  return (line) => {
    const { level, msg, source, error } = readLog(line);
    if (level === 'info' && source === 'console') onProgress(msg);
    if (level === 'info') return;
    complaints += 1;
    if (complaints <= COMPLAINTS_MAX) onComplaint(error === undefined ? msg : `${msg}: ${error}`);
    if (complaints === COMPLAINTS_MAX) onComplaint('what k6 complains of after this is left out');
  };
}

interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly source?: string;
  readonly error?: string;
}

function readLog(line: string): LogLine {
  // Before it has read its options, k6 says in plain words what is wrong with them.
  return line.startsWith('{') ? (JSON.parse(line) as LogLine) : { level: 'error', msg: line };
}

async function readSamples(output: NodeJS.ReadableStream, onSample: (sample: Sample) => void): Promise<void> {
  let begun = false;
  await forEachLine(output, (line) => {
    if (!begun) {
      if (line !== SAMPLE_HEADER) throw new Error(`k6 writes other samples than are known here: ${line}`);
      begun = true;
      return;
    }
    const sample = parseSample(line);
    if (sample !== undefined) onSample(sample);
  });
}

async function forEachLine(stream: NodeJS.ReadableStream, onLine: (line: string) => void): Promise<void> {
  for await (const line of createInterface({ input: stream })) onLine(line);
}

interface InspectedScenario {
  readonly vus?: number;
  readonly preAllocatedVUs?: number;
  readonly duration?: string;
  readonly maxDuration?: string;
  readonly stages?: readonly { readonly duration: string; readonly target: number }[];
}

interface InspectedOptions {
  readonly scenarios: Readonly<Record<string, InspectedScenario>>;
  readonly thresholds: Scenario['thresholds'];
}

function usersOf({ vus, preAllocatedVUs, stages }: InspectedScenario): number {
  return Math.max(0, ...(stages?.map(({ target }) => target) ?? [vus ?? preAllocatedVUs ?? 0]));
}

function secondsOf({ duration, maxDuration, stages }: InspectedScenario): number {
  const durations = stages?.map((stage) => stage.duration) ?? [duration ?? maxDuration ?? ''];
  return durations.reduce((sum, text) => sum + parseDuration(text), 0);
}

/** Seconds of a duration as Go writes it: 1h0m0s, 300ms. */
function parseDuration(text: string): number {
  const units: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 0.001 };
  let seconds = 0;
  for (const [, number, unit = ''] of text.matchAll(/([\d.]+)(h|ms|m|s)/g))
    seconds += Number(number) * (units[unit] ?? 0);
  return seconds;
}

function scriptOf(name: string): string {
  return join(ROOT, 'loadtest/k6', `${name}.ts`);
}

function environmentOf({ target, accessKey, secretKey, users, seconds, cleans }: ScenarioSettings): NodeJS.ProcessEnv {
  return {
    ...process.env,
    TARGET: target,
    AWS_ACCESS_KEY_ID: accessKey,
    AWS_SECRET_ACCESS_KEY: secretKey,
    CLEAN: cleans ? 'yes' : 'no',
    ...(users !== undefined && { USERS: String(users) }),
    ...(seconds !== undefined && { SECONDS: String(seconds) }),
  };
}

function textOf(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString().trim();
}
