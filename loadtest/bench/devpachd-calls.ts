// The calls of the table, as a client of devpachd makes them.
import {
  type Commit,
  type CommitInfo,
  CommitState,
  ComposeFileSetRequest,
  DiffFileRequest,
  GetFileRequest,
  GetFileSetRequest_FileSetType,
  GlobFileRequest,
  ListFileRequest,
  WalkFileRequest,
} from '../../proto/gen/pfs/pfs.ts';
import { add, type Client, call, collect, commit, fileSet } from '../../services/devpachd/test/harness.ts';

export interface Range {
  readonly lower: string;
  readonly upper: string;
}

const KB = 1000;

export const fileName = (index: number): string => `/d/f${String(index).padStart(6, '0')}`;

/** Content of 1 KB that no other file has. */
export function* someFiles(paths: Iterable<string>) {
  for (const path of paths) yield add(path, `${path} ${Math.random()} `.padEnd(KB, '.'));
}

export function callsOf(client: Client) {
  const { api } = client;
  const getSet = async (of: Commit, type: GetFileSetRequest_FileSetType): Promise<string> =>
    (await call<{ fileSetId: string }>((done) => api.getFileSet({ commit: of, type }, done))).fileSetId;
  return {
    glob: (of: Commit, pattern: string, pathRange?: Range) =>
      collect(api.globFile(GlobFileRequest.fromPartial({ commit: of, pattern, ...(pathRange && { pathRange }) }))),
    list: (of: Commit, path: string, number = 0, marker?: string) =>
      collect(api.listFile(ListFileRequest.fromPartial({ file: { commit: of, path }, number, ...markAt(of, marker) }))),
    walk: (of: Commit, path: string, number: number, marker?: string) =>
      collect(api.walkFile(WalkFileRequest.fromPartial({ file: { commit: of, path }, number, ...markAt(of, marker) }))),
    get: (of: Commit, path: string, pathRange?: Range) =>
      collect(api.getFile(GetFileRequest.fromPartial({ file: { commit: of, path }, ...(pathRange && { pathRange }) }))),
    tar: (of: Commit, path: string, pathRange?: Range) =>
      collect(
        api.getFileTar(GetFileRequest.fromPartial({ file: { commit: of, path }, ...(pathRange && { pathRange }) })),
      ),
    diff: (of: Commit, path: string) =>
      collect(api.diffFile(DiffFileRequest.fromPartial({ newFile: { commit: of, path } }))),
    totalSet: async (of: Commit): Promise<Commit> => fileSet(await getSet(of, GetFileSetRequest_FileSetType.TOTAL)),
    diffSet: async (of: Commit): Promise<Commit> => fileSet(await getSet(of, GetFileSetRequest_FileSetType.DIFF)),
    compose: (fileSetIds: string[]) =>
      call((done) => api.composeFileSet(ComposeFileSetRequest.fromPartial({ fileSetIds, ttlSeconds: 600 }), done)),
    start: async (repo: string, branch: { repo: Commit['repo']; name: string }): Promise<Commit> => {
      const request = { branch, parent: undefined, description: '' };
      return commit(repo, (await call<Commit>((done) => api.startCommit(request, done))).id);
    },
    addSet: (of: Commit, fileSetId: string) => call((done) => api.addFileSet({ commit: of, fileSetId }, done)),
    finish: (of: Commit, error = '') =>
      call((done) => api.finishCommit({ commit: of, description: '', error, force: false }, done)),
    finished: (of: Commit) =>
      call<CommitInfo>((done) => api.inspectCommit({ commit: of, wait: CommitState.FINISHED }, done)),
  };
}

function markAt(of: Commit, marker: string | undefined) {
  return marker === undefined ? {} : { paginationMarker: { commit: of, path: marker } };
}

/** Milliseconds. */
export async function time(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
