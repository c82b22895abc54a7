import type { App } from './app.ts';
import { createBinding, projectResource, ROOT, repoResource } from './auth/bindings.ts';
import { createFileWriter } from './files/writer.ts';
import { addLayers } from './store/commit-files.ts';
import { finishCommit } from './store/commits.ts';
import { createProject } from './store/projects.ts';
import { startCommit } from './store/propagate.ts';
import { createRepo, repoRef } from './store/repos.ts';

const SEEDED = 'seeded';
const HELLO = Buffer.from('hello\n');

/** Makes something to look at, project `bar` with repo `foo`, in a folder in which that was never done. */
export async function seedStore({ db, packs, owner, authOn, finisher }: App): Promise<void> {
  if (db.meta.get(SEEDED) !== undefined) return;
  const writer = createFileWriter(db, packs, owner);
  await writer.add('/hello.txt', '', HELLO);
  const files = await writer.finish();
  await db.write(() => {
    // Another process may have been first.
    if (db.meta.get(SEEDED) !== undefined) return;
    db.meta.put(SEEDED, 1);
    if (db.projects.get('bar')) return;
    const createdBy = authOn ? ROOT : '';
    createProject(db, 'bar', '', createdBy);
    const repo = createRepo(db, { project: 'bar', name: 'foo', type: 'user' }, '');
    if (authOn) {
      createBinding(db, projectResource('bar'), { principal: ROOT, role: 'projectOwner' });
      createBinding(db, repoResource(repoRef(repo)), { principal: ROOT, role: 'repoOwner' });
    }
    const what = { repo, branch: 'master', parent: undefined, origin: 'user', description: '', createdBy } as const;
    const commit = startCommit(db, what);
    addLayers(db, commit, files.commit());
    finishCommit(db, db.commits.get([repo.id, commit.id]) ?? commit, '', '');
  });
  finisher.nudge();
}
