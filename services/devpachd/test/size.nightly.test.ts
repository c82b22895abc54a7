import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { add, type Client, connect, type Devpachd, head, spawnDevpachd, tempFolder } from './harness.ts';

const MEMORY_MAX_BYTES = 512 * 1024 * 1024;
const GIB = 1024;

/** The most memory that the process ever had, mapped files included (Linux). */
function peakBytes(pid: number | undefined): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) * 1024;
}

describe('size', () => {
  const folder = tempFolder();
  let server: Devpachd;
  let client: Client;

  beforeAll(async () => {
    server = await spawnDevpachd(folder.path);
    client = connect(server.address);
    await client.createRepo('size');
  });
  afterAll(async () => {
    client.close();
    await server.end();
    folder.remove();
  });

  it('a file of 5 GB goes through bounded memory', async () => {
    const piece = Buffer.alloc(1024 * 1024, 'piece');
    function* changes() {
      for (let i = 0; i < 5 * GIB; i++) {
        const bytes = Buffer.from(piece);
        bytes.writeUInt32BE(i, 0);
        yield add('/large', bytes);
      }
    }
    await client.modify(head('size', 'large'), changes());
    const info = await client.finished(head('size', 'large'));
    expect(info.details?.sizeBytes).toBe(5 * GIB * piece.length);
    const tail = await client.get(head('size', 'large'), '/large', 5 * GIB * piece.length - piece.length);
    expect(tail.readUInt32BE(0)).toBe(5 * GIB - 1);
    expect(peakBytes(server.process.pid)).toBeLessThan(MEMORY_MAX_BYTES);
  }, 900_000);

  it('a repo of 100,000 files is written, changed and listed in bounded memory', async () => {
    function* changes() {
      for (let i = 0; i < 100_000; i++) yield add(`/d/f${String(i).padStart(6, '0')}`, `file ${i}`.padEnd(1024));
    }
    await client.modify(head('size', 'many'), changes());
    await client.finished(head('size', 'many'));
    for (let i = 0; i < 20; i++) await client.modify(head('size', 'many'), [add(`/d/more${i}`, 'x')]);
    await client.finished(head('size', 'many'));
    expect(await client.list(head('size', 'many'), '/d')).toHaveLength(100_020);
    expect((await client.inspectFile(head('size', 'many'), '/d')).sizeBytes).toBe(100_000 * 1024 + 20);
    expect(peakBytes(server.process.pid)).toBeLessThan(MEMORY_MAX_BYTES);
  }, 900_000);
});
