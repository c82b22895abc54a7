import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../support/clients.ts';
import { ROOT } from '../../support/program.ts';

const LOG = pathToFileURL(`${ROOT}dist/services/gateway/src/telemetry/log.js`).href;

/** Node's arguments for a process that does this with its log. */
function logging(script: string): readonly string[] {
  const program = `import { createLog } from '${LOG}'; const log = createLog('test', 'info'); ${script}`;
  return ['--input-type=module', '-e', program];
}

async function linesOf(script: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { code, stdout, stderr } = await runCommand(process.execPath, logging(script));
  expect([code, stderr]).toEqual([0, '']);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

describe('the log', () => {
  it('has events and lines that are made elsewhere in one form and in order, to the last before the exit', async () => {
    const lines = await linesOf(`
      log.info({ at: 1 }, 'said');
      log.line('info', '"at":2', 'said');
      log.warn({ at: 3 }, 'said');
      log.line('warn', '"at":4', 'said');
      process.exit(0);`);
    const shown = lines.map(({ time, ...rest }) => [rest, new Date(String(time)).toISOString() === time]);
    const said = (level: number, at: number) => [{ level, name: 'test', at, msg: 'said' }, true];
    expect(shown).toEqual([said(30, 1), said(30, 2), said(40, 3), said(40, 4)]);
  });

  it('leaves out what is below its level', async () => {
    const lines = await linesOf(`
      log.level = 'warn';
      log.line('info', '"at":1', 'said');
      log.line('warn', '"at":2', 'said');`);
    expect(lines.map(({ at }) => at)).toEqual([2]);
  });

  it('tells an error and what caused it, and nothing that hangs on them', async () => {
    const [line] = await linesOf(`
      const cause = Object.assign(new TypeError('why'), { request: 'a token' });
      log.warn({ cause: Object.assign(new Error('what', { cause }), { request: 'a token' }) }, 'said');`);
    expect(line?.['cause']).toMatchObject({
      type: 'Error',
      message: 'what',
      cause: { type: 'TypeError', message: 'why' },
    });
    expect(JSON.stringify(line)).not.toContain('a token');
  });

  it('writes much without losing any', async () => {
    const lines = await linesOf(`for (let at = 0; at < 20_000; at++) log.line('info', '"at":' + at, 'said');`);
    expect(lines.map(({ at }) => at)).toEqual(Array.from({ length: 20_000 }, (_, at) => at));
  });

  it('does not keep a line back while the process goes on', async () => {
    const child = spawn(process.execPath, logging(`log.line('info', '"at":1', 'said'); setInterval(() => {}, 1000);`), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
    expect(JSON.parse(String(chunk))).toMatchObject({ at: 1 });
    child.kill();
    await once(child, 'exit');
  });

  it('goes on when nobody reads it any more', async () => {
    const child = spawn(
      process.execPath,
      logging(`
        log.line('info', '"at":1', 'said');
        process.stdin.once('data', () => {
          for (let at = 0; at < 1_000; at++) log.line('info', '"at":2', 'said');
          setTimeout(() => process.exit(7), 300);
        });`),
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    await once(child.stdout, 'data');
    child.stdout.destroy();
    child.stdin.write('on');
    expect(await once(child, 'exit')).toEqual([7, null]);
  });
});
