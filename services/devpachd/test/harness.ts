import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { credentials, InterceptingCall, type Interceptor, type ServiceError } from '@grpc/grpc-js';
import { DebugClient, type GetCountersResponse } from '../../../proto/gen/devpachd/devpachd.ts';
import {
  APIClient,
  type Commit,
  type CommitInfo,
  CommitState,
  File,
  type FileInfo,
  ListFileRequest,
  ModifyFileRequest,
} from '../../../proto/gen/pfs/pfs.ts';

// Tests run as they are written, the bench as it is built.
const BUILT = import.meta.url.endsWith('.ts') ? '../../../dist/services/devpachd/src/main.js' : '../src/main.js';
const MAIN = fileURLToPath(new URL(BUILT, import.meta.url));
const READY_MAX_MS = 20_000;

/** A folder that goes when the test is over. */
export function tempFolder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'devpachd-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export interface Devpachd {
  readonly address: string;
  readonly process: ChildProcess;
  /** Resolves when the process is gone. */
  readonly end: (signal?: NodeJS.Signals) => Promise<void>;
}

/** Starts devpachd as a process of its own, as built by `npm run build`. */
export async function spawnDevpachd(folder: string, args: readonly string[] = []): Promise<Devpachd> {
  if (!existsSync(MAIN)) throw new Error('devpachd is not built: npm run build');
  const child = spawn(process.execPath, [MAIN, '--listen', '127.0.0.1:0', '--data', folder, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const address = await new Promise<string>((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => reject(new Error(`devpachd is not ready: ${text}`)), READY_MAX_MS);
    const read = (chunk: Buffer) => {
      text += chunk.toString();
      const ready = /^devpachd listening on (\S+)$/m.exec(text);
      if (!ready?.[1]) return;
      clearTimeout(timer);
      resolve(ready[1]);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => reject(new Error(`devpachd ended with ${code}: ${text}`)));
  });
  return {
    address,
    process: child,
    end: async (signal = 'SIGTERM') => {
      child.kill(signal);
      await gone;
    },
  };
}

export type Change = ModifyFileRequest;

export const add = (path: string, content: string | Buffer, datum = ''): Change =>
  ModifyFileRequest.fromPartial({
    body: { $case: 'addFile', value: { path, datum, source: { $case: 'raw', value: Buffer.from(content) } } },
  });
export const remove = (path: string, datum = ''): Change =>
  ModifyFileRequest.fromPartial({ body: { $case: 'deleteFile', value: { path, datum } } });
export const copy = (dst: string, commit: Commit, path: string, append = false): Change =>
  ModifyFileRequest.fromPartial({
    body: { $case: 'copyFile', value: { dst, append, src: { commit, path } } },
  });

export const repo = (name: string) => ({ name, type: 'user', project: { name: 'default' } });
export const branch = (name: string, of = 'master') => ({ repo: repo(name), name: of });
export const head = (name: string, of = 'master'): Commit => ({ repo: repo(name), branch: branch(name, of), id: '' });
export const commit = (name: string, id: string): Commit => ({ repo: repo(name), branch: undefined, id });
export const fileSet = (id: string): Commit => commit('__filesets__', id);
const setCommit = (to: Commit): Change => ModifyFileRequest.fromPartial({ body: { $case: 'setCommit', value: to } });

/** The calls that the tests make, as promises. */
export interface Client {
  readonly api: APIClient;
  readonly createRepo: (name: string) => Promise<unknown>;
  readonly modify: (to: Commit, changes: Iterable<Change>) => Promise<unknown>;
  readonly createFileSet: (changes: readonly Change[]) => Promise<string>;
  readonly finished: (of: Commit) => Promise<CommitInfo>;
  readonly inspect: (of: Commit) => Promise<CommitInfo>;
  readonly list: (of: Commit, path?: string) => Promise<readonly FileInfo[]>;
  readonly inspectFile: (of: Commit, path: string) => Promise<FileInfo>;
  readonly get: (of: Commit, path: string, offset?: number) => Promise<Buffer>;
  readonly counters: () => Promise<GetCountersResponse>;
  readonly close: () => void;
}

type Callback<R> = (error: ServiceError | null, response: R) => void;

export const call = <R>(run: (callback: Callback<R>) => unknown): Promise<R> =>
  new Promise((resolve, reject) => {
    run((error, response) => (error ? reject(error) : resolve(response)));
  });

export function collect<R>(stream: NodeJS.ReadableStream): Promise<R[]> {
  return new Promise((resolve, reject) => {
    const messages: R[] = [];
    stream.on('data', (message: R) => messages.push(message));
    stream.on('error', reject);
    stream.on('end', () => resolve(messages));
  });
}

/** Sends a token with every call. */
export function sendingToken(token: string): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, listener, next) => {
        metadata.set('authn-token', token);
        next(metadata, listener);
      },
    });
}

export function connect(address: string, token?: string): Client {
  const options = {
    'grpc.max_receive_message_length': 20 << 20,
    'grpc.use_local_subchannel_pool': 1,
    interceptors: token === undefined ? [] : [sendingToken(token)],
  };
  const api = new APIClient(address, credentials.createInsecure(), options);
  const debug = new DebugClient(address, credentials.createInsecure(), options);
  const inspect = (of: Commit, wait: CommitState) =>
    call<CommitInfo>((done) => api.inspectCommit({ commit: of, wait }, done));
  return {
    api,
    createRepo: (name) => call((done) => api.createRepo({ repo: repo(name), description: '', update: false }, done)),
    modify: (to, changes) => upload((done) => api.modifyFile(done), preceded(setCommit(to), changes)),
    createFileSet: async (changes) =>
      (await upload<{ fileSetId: string }>((done) => api.createFileSet(done), changes)).fileSetId,
    finished: (of) => inspect(of, CommitState.FINISHED),
    inspect: (of) => inspect(of, CommitState.STARTED),
    list: (of, path = '/') =>
      collect<FileInfo>(api.listFile(ListFileRequest.fromPartial({ file: { commit: of, path } }))),
    inspectFile: (of, path) => call((done) => api.inspectFile({ file: File.fromPartial({ commit: of, path }) }, done)),
    get: async (of, path, offset = 0) => {
      const file = File.fromPartial({ commit: of, path });
      const request = { file, offset, URL: '', pathRange: undefined };
      const parts = await collect<Uint8Array | undefined>(api.getFile(request));
      return Buffer.concat(parts.map((part) => part ?? new Uint8Array(0)));
    },
    counters: () => call((done) => debug.getCounters({ reset: false }, done)),
    close: () => {
      api.close();
      debug.close();
    },
  };
}

function* preceded(first: Change, rest: Iterable<Change>): Generator<Change> {
  yield first;
  yield* rest;
}

interface Upload extends NodeJS.EventEmitter {
  readonly write: (message: Change) => boolean;
  readonly end: () => void;
}

/** Sends a stream no faster than it is taken, and stops when the call is answered. */
export async function upload<R>(open: (done: Callback<R>) => Upload, changes: Iterable<Change>): Promise<R> {
  let answered = false;
  let stream: Upload | undefined;
  const answer = call<R>((done) => {
    stream = open((error, response) => {
      answered = true;
      done(error, response);
    });
    stream.on('error', () => undefined);
  });
  answer.catch(() => undefined);
  for (const change of changes) {
    if (answered || !stream) break;
    const current = stream;
    if (current.write(change)) continue;
    await Promise.race([answer.catch(() => undefined), new Promise((resolve) => current.once('drain', resolve))]);
  }
  stream?.end();
  return answer;
}

/** Resolves when `holds` is true; for what becomes true without anybody saying so. */
export async function eventually(holds: () => Promise<boolean>, maxMs = 20_000): Promise<void> {
  const end = Date.now() + maxMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('it never came to hold');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
