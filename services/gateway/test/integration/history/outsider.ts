import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import {
  type Commit,
  CommitState,
  FinishCommitRequest,
  InspectCommitRequest,
  ModifyFileRequest,
  APIClient as PfsClient,
  StartCommitRequest,
} from '../../../../../proto/gen/pfs/pfs.ts';
import type { BranchName } from '../../support/pachd.ts';
import { OUTSIDE_KEYS } from './clients.ts';
import type { Record } from './record.ts';
import type { Choices } from './seeded.ts';

type Edit = { readonly path: string; readonly content: Uint8Array | undefined };
type Done<T> = (error: ServiceError | null, value: T) => void;

const CALL_MAX_MS = 60_000;
/** So that others have the branch, too: every commit that they did not make themselves they wait for. */
const PAUSE_MAX_MS = 300;
const AGAIN_MS = 50;

export interface OutsiderOptions {
  /** HOST:PORT of pachd. */
  readonly pachdAt: string;
  readonly branch: BranchName;
  readonly choices: Choices;
  readonly isOver: () => boolean;
  /** Whether pachd may be killed: nobody knows then what became of the call. Otherwise it is an error. */
  readonly mayBreak: boolean;
  /** Only commits of one call each, one after the other. */
  readonly oneOffs?: boolean;
  /** How long after the finish of a commit a gateway may show the one before it. */
  readonly seenWithinMs: number;
}

/**
 * Somebody who writes to the same branch and keys at pachd itself, as pachctl and pipelines do.
 * @returns how many commits it has started by hand
 */
export async function runOutsider(
  record: Record,
  { pachdAt, branch, choices, isOver, mayBreak, oneOffs = false, seenWithinMs }: OutsiderOptions,
): Promise<{ readonly started: number }> {
  const pfs = new PfsClient(pachdAt, credentials.createInsecure());
  const metadata = new Metadata();
  const repo = { name: branch.repo, type: 'user', project: { name: branch.project } };
  const head = { repo, name: branch.branch };
  const actions = oneOffs ? [oneOff] : [oneOff, oneOff, openCommit, collide, shadow];
  let commits = 0;
  let started = 0;
  try {
    while (!isOver()) {
      await choices.pick(actions)().catch(unlessBroken);
      commits += 1;
      await sleep(oneOffs ? 0 : choices.below(PAUSE_MAX_MS));
    }
  } finally {
    pfs.close();
  }
  return { started };

  /** One commit of one call. */
  async function oneOff(): Promise<void> {
    await write(async (edit) => {
      await modify({ id: '', repo, branch: head }, [edit]);
      await waitForHead();
    });
  }

  /** Writes to a key in some way, and notes it. */
  async function write(commit: (edit: Edit) => Promise<void>): Promise<void> {
    const key = choices.pick(OUTSIDE_KEYS);
    const { value, content } = record.newContent(16);
    const note = record.call();
    try {
      await commit({ path: `/${key}`, content });
    } catch (error) {
      note(key, { kind: 'write', value }, true);
      throw error;
    }
    note(key, { kind: 'write', value }, false, seenWithinMs);
  }

  /** A commit that stays open for a while, in which others see what is written at once. */
  async function openCommit(): Promise<void> {
    const commit = await call<{ id: string }>((done) =>
      pfs.startCommit(StartCommitRequest.create({ branch: head }), metadata, options(), done),
    ).catch(unlessBusy);
    // An answer that told of an open commit was lost.
    if (commit === undefined) return mayBreak ? untilAnswered(finishHead) : undefined;
    started += 1;
    await write(async (edit) => {
      try {
        await modify({ id: commit.id, repo, branch: undefined }, [edit]);
        // So that others have a chance to meet it: as many calls as it takes a client to write once or twice.
        for (let asked = choices.below(40); asked > 0; asked--) {
          await inspect(commit.id, CommitState.COMMIT_STATE_UNKNOWN);
        }
      } finally {
        await untilAnswered(() => finish(commit.id));
      }
      await inspect(commit.id, CommitState.FINISHED);
    });
  }

  /** A commit that holds a file and a folder of one name, which pachd drops whole when it finishes it: nothing of it may be seen. */
  async function collide(): Promise<void> {
    const { content } = record.newContent(16);
    const path = `/collision-${commits}`;
    await modify({ id: '', repo, branch: head }, [
      { path, content },
      { path: `${path}/below`, content },
      { path: `/${choices.pick(OUTSIDE_KEYS)}`, content },
    ]);
  }

  /** For a while, a file where the keys of others have their folder. If one of them is there, this commit is the one that is dropped. */
  async function shadow(): Promise<void> {
    const { content } = record.newContent(16);
    try {
      await modify({ id: '', repo, branch: head }, [{ path: '/folder', content }]);
      if (choices.below(2) === 0) await waitForHead();
    } finally {
      await untilAnswered(() => modify({ id: '', repo, branch: head }, [{ path: '/folder', content: undefined }]));
    }
  }

  async function finishHead(): Promise<void> {
    const newest = await headNow();
    if (newest === undefined) return;
    const { finishing } = await inspect(newest.id, CommitState.COMMIT_STATE_UNKNOWN);
    if (finishing === undefined) await finish(newest.id);
  }

  function finish(id: string) {
    const request = FinishCommitRequest.create({ commit: { id, repo } });
    return call((done) => pfs.finishCommit(request, metadata, options(), done)).catch((error: unknown) => {
      // The answer to the first time was lost.
      if (!/already finished/.test(detailsOf(error))) throw error;
    });
  }

  /** What would be left behind is done again, as often as it takes. */
  async function untilAnswered(action: () => Promise<unknown>): Promise<void> {
    for (const endMs = Date.now() + CALL_MAX_MS; ; await sleep(AGAIN_MS)) {
      try {
        await action();
        return;
      } catch (error) {
        if (Date.now() > endMs) throw error;
        unlessBroken(error);
      }
    }
  }

  function unlessBroken(error: unknown): void {
    if (!mayBreak || (error as ServiceError).code !== status.UNAVAILABLE) throw error;
  }

  function modify(commit: Commit, edits: readonly Edit[]) {
    return call((done) => {
      const stream = pfs.modifyFile(metadata, options(), done);
      stream.write(ModifyFileRequest.create({ body: { $case: 'setCommit', value: commit } }));
      for (const { path, content } of edits) {
        stream.write(ModifyFileRequest.create({ body: { $case: 'deleteFile', value: { path, datum: '' } } }));
        if (content === undefined) continue;
        const source = { $case: 'raw', value: Buffer.from(content) } as const;
        stream.write(ModifyFileRequest.create({ body: { $case: 'addFile', value: { path, datum: '', source } } }));
      }
      stream.end();
    });
  }

  async function waitForHead(): Promise<void> {
    const newest = await headNow();
    // A head that is open now is another's: ours is below it, and what is in an open commit can be seen.
    if (newest === undefined) return;
    const { finishing } = await inspect(newest.id, CommitState.COMMIT_STATE_UNKNOWN);
    if (finishing !== undefined) await inspect(newest.id, CommitState.FINISHED);
  }

  async function headNow(): Promise<{ readonly id: string } | undefined> {
    const { head: newest } = await call<{ head?: { id: string } | undefined }>((done) =>
      pfs.inspectBranch({ branch: head }, metadata, options(), done),
    );
    return newest;
  }

  function inspect(id: string, wait: CommitState) {
    const request = InspectCommitRequest.create({ commit: { id, repo }, wait });
    return call<{ finishing?: unknown }>((done) => pfs.inspectCommit(request, metadata, options(), done));
  }
}

const options = () => ({ deadline: Date.now() + CALL_MAX_MS });

function call<T>(start: (done: Done<T>) => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value)));
  });
}

/** Somebody else's head is not finished: there is no commit to be had now. */
function unlessBusy(error: unknown): undefined {
  if (/has not been finished|rollback/.test(detailsOf(error))) return undefined;
  throw error;
}

function detailsOf(error: unknown): string {
  return (error as ServiceError).details ?? '';
}
