import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import {
  type Commit,
  type CommitInfo,
  CommitState,
  FinishCommitRequest,
  InspectCommitRequest,
  ListCommitRequest,
  ModifyFileRequest,
  APIClient as PfsClient,
  StartCommitRequest,
} from '../../../../proto/gen/pfs/pfs.ts';
import type { BranchName } from '../support/pachd.ts';

/** Paths without their slash, with what is to be there; undefined: nothing. */
export type Files = Readonly<Record<string, string | undefined>>;

/** Somebody who uses pachd's own calls, one after the other, and is refused nothing: each call throws what pachd says. */
export interface Outside {
  /** One commit by one call. Resolves when it is finished, or has failed. @returns its id */
  commit(branch: BranchName, files: Files): Promise<string>;
  start(branch: BranchName): Promise<string>;
  modify(branch: BranchName, commitId: string, files: Files): Promise<void>;
  /** Resolves when it is finished. */
  finish(branch: BranchName, commitId: string): Promise<void>;
  /** How many commits it has started by hand. */
  started(): number;
  /** The commits of a branch, newest first. */
  commits(branch: BranchName): Promise<readonly CommitInfo[]>;
  /** The paths of all files in a commit that begin with a prefix. */
  paths(branch: BranchName, commitId: string, prefix: string): Promise<readonly string[]>;
  /** undefined: there is no such file. */
  read(branch: BranchName, commitId: string, path: string): Promise<Buffer | undefined>;
  close(): void;
}

const CALL_MAX_MS = 60_000;

export function connectOutside(address: string): Outside {
  const pfs = new PfsClient(address, credentials.createInsecure());
  const metadata = new Metadata();
  const options = () => ({ deadline: Date.now() + CALL_MAX_MS });
  let started = 0;

  const modifyIn = (commit: Commit, files: Files) =>
    call((done) => {
      const stream = pfs.modifyFile(metadata, options(), done);
      stream.write(ModifyFileRequest.create({ body: { $case: 'setCommit', value: commit } }));
      for (const [key, content] of Object.entries(files)) {
        const path = `/${key}`;
        stream.write(ModifyFileRequest.create({ body: { $case: 'deleteFile', value: { path, datum: '' } } }));
        if (content === undefined) continue;
        const source = { $case: 'raw', value: Buffer.from(content) } as const;
        stream.write(ModifyFileRequest.create({ body: { $case: 'addFile', value: { path, datum: '', source } } }));
      }
      stream.end();
    });

  const waitFor = (branch: BranchName, id: string) => {
    const request = InspectCommitRequest.create({ commit: { id, repo: repoOf(branch) }, wait: CommitState.FINISHED });
    return call((done) => pfs.inspectCommit(request, metadata, options(), done));
  };

  return {
    async commit(branch, files) {
      await modifyIn({ id: '', repo: repoOf(branch), branch: branchOf(branch) }, files);
      const { head } = await call<{ head?: Commit | undefined }>((done) =>
        pfs.inspectBranch({ branch: branchOf(branch) }, metadata, options(), done),
      );
      await waitFor(branch, head?.id ?? '');
      return head?.id ?? '';
    },
    async start(branch) {
      const request = StartCommitRequest.create({ branch: branchOf(branch) });
      const { id } = await call<Commit>((done) => pfs.startCommit(request, metadata, options(), done));
      started += 1;
      return id;
    },
    modify: async (branch, id, files) => {
      await modifyIn({ id, repo: repoOf(branch), branch: undefined }, files);
    },
    async finish(branch, id) {
      const request = FinishCommitRequest.create({ commit: { id, repo: repoOf(branch) } });
      await call((done) => pfs.finishCommit(request, metadata, options(), done));
      await waitFor(branch, id);
    },
    started: () => started,
    async commits(branch) {
      const to = { repo: repoOf(branch), branch: branchOf(branch) };
      const request = ListCommitRequest.create({ repo: repoOf(branch), to, all: true });
      const found: CommitInfo[] = [];
      for await (const info of pfs.listCommit(request, metadata, options())) found.push(info as CommitInfo);
      return found;
    },
    async paths(branch, id, prefix) {
      const request = { commit: { id, repo: repoOf(branch), branch: undefined }, pattern: '**', pathRange: undefined };
      const found: string[] = [];
      for await (const info of pfs.globFile(request, metadata, options())) {
        const path = (info as { file?: { path: string } }).file?.path ?? '';
        if (path.startsWith(prefix) && !path.endsWith('/')) found.push(path);
      }
      return found;
    },
    async read(branch, id, path) {
      const file = { commit: { id, repo: repoOf(branch), branch: undefined }, path, datum: '' };
      const chunks: Uint8Array[] = [];
      try {
        const request = { file, URL: '', offset: 0, pathRange: undefined };
        for await (const bytes of pfs.getFile(request, metadata, options())) chunks.push(bytes as Uint8Array);
      } catch (error) {
        if ((error as ServiceError).code === NOT_FOUND) return undefined;
        throw error;
      }
      return Buffer.concat(chunks);
    },
    close: () => pfs.close(),
  };
}

const NOT_FOUND = 5;

function call<T>(start: (done: (error: ServiceError | null, value: T) => void) => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value)));
  });
}

function repoOf({ project, repo, type = 'user' }: BranchName) {
  return { name: repo, type, project: { name: project } };
}

function branchOf(branch: BranchName) {
  return { name: branch.branch, repo: repoOf(branch) };
}
