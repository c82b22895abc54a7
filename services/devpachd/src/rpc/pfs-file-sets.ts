import { type APIServer, CreateFileSetResponse, GetFileSetRequest_FileSetType } from '../../../../proto/gen/pfs/pfs.ts';
import type { App } from '../app.ts';
import { mergeLayers } from '../files/compact.ts';
import { createFileWriter } from '../files/writer.ts';
import { addLayers, layersOf } from '../store/commit-files.ts';
import { alreadyFinished } from '../store/commits.ts';
import { refused, within } from '../store/errors.ts';
import {
  createFileSet,
  FILE_SET_TTL_MS,
  openFileSet,
  parseFileSetId,
  renewFileSet,
  stackFileSets,
} from '../store/file-sets.ts';
import { FILE_SETS_REPO } from '../store/names.ts';
import { pickCommit } from '../store/pick.ts';
import type { Calls } from './call.ts';
import { applyChanges } from './changes.ts';
import type { Open } from './open.ts';
import { toCommitRef } from './wire.ts';

type Methods = Pick<APIServer, 'createFileSet' | 'getFileSet' | 'addFileSet' | 'renewFileSet' | 'composeFileSet'>;

export function fileSetMethods(app: App, calls: Calls, open: Open): Methods {
  const { db, packs, owner, counters } = app;
  const created = (fileSetId: string): CreateFileSetResponse => {
    counters.count('fileSetsCreated');
    return CreateFileSetResponse.fromPartial({ fileSetId });
  };

  return {
    createFileSet: calls.upload(async (requests, context) => {
      const writer = createFileWriter(db, packs, owner);
      // A set has no parent, so a directory's deletion finds nothing but what the stream itself has brought.
      async function* below(): AsyncGenerator<string> {}
      try {
        await applyChanges(app, open, writer, requests, below, context);
        const files = await writer.finish();
        return created(await db.write(() => createFileSet(db, files.commit(), FILE_SET_TTL_MS)));
      } finally {
        await writer.close();
      }
    }),

    getFileSet: calls.unary(async ({ commit: asked, type }) => {
      const ref = toCommitRef(asked);
      const id = await db.write(() =>
        within('get file set', () => {
          if (ref.repo.name === FILE_SETS_REPO && ref.id !== '') throw refused('the commit is forgotten');
          const { commit } = pickCommit(db, ref);
          const isDiff = type === GetFileSetRequest_FileSetType.DIFF;
          return createFileSet(db, isDiff ? commit.diff : layersOf(db, commit), FILE_SET_TTL_MS);
        }),
      );
      return created(id);
    }),

    addFileSet: calls.unary(async ({ commit: asked, fileSetId }) => {
      const ref = toCommitRef(asked);
      const token = parseFileSetId(fileSetId);
      await db.write(() => {
        const { commit } = pickCommit(db, ref);
        if (commit.finishing !== null) throw alreadyFinished(db, commit);
        within('add file set', () => addLayers(db, commit, openFileSet(db, token)));
      });
      return {};
    }),

    renewFileSet: calls.unary(async ({ fileSetId, ttlSeconds }) => {
      const token = parseFileSetId(fileSetId);
      await db.write(() => renewFileSet(db, token, ttlSeconds));
      return {};
    }),

    composeFileSet: calls.unary(async ({ fileSetIds, ttlSeconds, compact }, { meter: { cost } }) => {
      cost.sets = fileSetIds.length;
      if (compact) cost.variant = 'compact';
      const tokens = fileSetIds.map(parseFileSetId);
      const ttlMs = ttlSeconds * 1000;
      if (!compact) return created(await db.write(() => createFileSet(db, stackFileSets(db, tokens), ttlMs)));
      const layers = stackFileSets(db, tokens);
      const merged = layers.length > 1 ? await mergeLayers(db, owner, layers, true) : undefined;
      return created(await db.write(() => createFileSet(db, merged ? [merged.commit()] : layers, ttlMs)));
    }),
  };
}
