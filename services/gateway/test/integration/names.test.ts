import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { createPachd } from '../../src/pachd/client.ts';
import type { Caller, CommitRef } from '../../src/pachd/model.ts';
import { openPool } from '../../src/pachd/pool.ts';
import { createLineage } from '../../src/pfs/lineage.ts';
import { createNames, type Names } from '../../src/pfs/names.ts';
import { createSets } from '../../src/pfs/read/sets.ts';
import { createSharedFacts } from '../../src/pfs/shared-facts.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { startDevpachd } from '../support/devpachd.ts';
import { connectPachd } from '../support/pachd.ts';

const CALLER: Caller = { token: undefined, signal: new AbortController().signal };
const REPO = { project: 'default', repo: 'names' };
const FILES = ['/a/b/c', '/a/b-c', '/a.b', '/a0', '/b', '/c/a', '/c/b/a', '/c,d/e', '/z z/a b', '/~/~'];

let commit: CommitRef;
let newNames: () => Names;

beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'tusk-names-'));
  const devpachd = await startDevpachd({ dataDir });
  const outside = connectPachd(devpachd.address);
  await outside.createRepo(REPO);
  const content = Object.fromEntries(FILES.map((path) => [path.slice(1), path]));
  commit = { ...REPO, commitId: await outside.putFiles({ ...REPO, branch: 'master' }, content) };
  outside.close();
  const [host = '', port = ''] = devpachd.address.split(':');
  const pool = openPool([{ host, port: Number(port), tls: false }]);
  const alone = createSharedFacts(undefined, '', createLog('test', 'silent'));
  const pachd = createPachd(pool);
  const sets = createSets(pachd, alone.sets);
  newNames = () => createNames({ pachd, sets, lineage: createLineage(), shared: alone.names });
  return async () => {
    pool.close();
    await devpachd.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
});

/** What a name is, by the files that there are. */
function truth(path: string): 'file' | 'directory' | 'nothing' {
  if (FILES.includes(path)) return 'file';
  return FILES.some((file) => file.startsWith(`${path}/`)) ? 'directory' : 'nothing';
}

it('a survey finds files, directories and nothing as they are, whatever is asked together', async () => {
  const part = fc.constantFrom('a', 'b', 'c', 'b-c', 'a.b', 'a0', 'z z', 'a b', '~', 'c,d', 'e');
  const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(path, { minLength: 8, maxLength: 150 }), async (paths) => {
      // Fewer are looked up one by one.
      fc.pre(paths.filter((asked) => !asked.includes(',')).length >= 8);
      const names = newNames();
      await names.survey(CALLER, commit, paths);
      for (const asked of paths) {
        const known = names.known(commit, asked);
        // A comma divides a pattern: such names are left to be looked up alone.
        if (asked.includes(',') && known === undefined) continue;
        expect([asked, typeof known === 'object' ? known.kind : known]).toEqual([asked, truth(asked)]);
        const file = await names.file(CALLER, commit, asked, true);
        expect([asked, file?.path]).toEqual([asked, truth(asked) === 'file' ? asked : undefined]);
      }
    }),
    { numRuns: 40 },
  );
});

it('a survey finds a folder whose slash comes after all that is asked with it', async () => {
  const names = newNames();
  await names.survey(CALLER, commit, ['/0', '/1', '/2', '/3', '/4', '/5', '/a', '/a.b']);
  expect(names.known(commit, '/a')).toBe('directory');
  expect(await names.file(CALLER, commit, '/a/b/c', true)).toMatchObject({ kind: 'file' });
});
