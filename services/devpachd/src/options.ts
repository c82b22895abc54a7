import { parseArgs } from 'node:util';
import { parseFault, parseFaults } from './faults/grammar.ts';
import { createRealLatency, finishingIn, type Latency } from './latency/latency.ts';
import type { ServerOptions } from './server.ts';

export const USAGE =
  'usage: devpachd [--listen HOST:PORT] [--data DIR] [--auth] [--seed] [--latency real|MS] [--fault RULE]... [--fault-control]';

/** Options from the command line, and from DEVPACHD_* where that says nothing. Throws an error with one clear line for the user. */
export function readOptions(args: readonly string[], env: Readonly<Record<string, string | undefined>>): ServerOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      listen: { type: 'string' },
      data: { type: 'string' },
      auth: { type: 'boolean' },
      seed: { type: 'boolean' },
      latency: { type: 'string' },
      fault: { type: 'string', multiple: true },
      'fault-control': { type: 'boolean' },
    },
  });
  const listen = values.listen ?? env['DEVPACHD_LISTEN'] ?? '127.0.0.1:30650';
  const port = /^(?:\[[0-9a-fA-F:]+\]|[^:\s]+):(\d{1,5})$/.exec(listen)?.[1];
  if (port === undefined || Number(port) > 65535) throw new Error(`--listen must be HOST:PORT, not "${listen}"`);
  const folder = values.data ?? env['DEVPACHD_DATA'] ?? '.tusk';
  if (folder === '') throw new Error('--data must name a folder');
  return {
    listen,
    folder,
    auth: values.auth ?? readFlag(env, 'DEVPACHD_AUTH'),
    seed: values.seed ?? readFlag(env, 'DEVPACHD_SEED'),
    faults: values.fault?.map(parseFault) ?? parseFaults(env['DEVPACHD_FAULT'] ?? ''),
    faultControl: values['fault-control'] ?? readFlag(env, 'DEVPACHD_FAULT_CONTROL'),
    latency: readLatency(values.latency ?? env['DEVPACHD_LATENCY'] ?? '0'),
  };
}

function readLatency(text: string): Latency {
  if (text === 'real') return createRealLatency();
  if (!/^\d{1,6}$/.test(text)) throw new Error(`--latency must be "real" or milliseconds, not "${text}"`);
  return finishingIn(Number(text));
}

function readFlag(env: Readonly<Record<string, string | undefined>>, name: string): boolean {
  const text = env[name] ?? '';
  if (['', '0', 'false'].includes(text)) return false;
  if (['1', 'true'].includes(text)) return true;
  throw new Error(`${name} must be 1 or 0, not "${text}"`);
}
