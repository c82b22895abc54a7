import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import type { AddFile, CopyFile, ModifyFileRequest } from '../../../../proto/gen/pfs/pfs.ts';
import type { App } from '../app.ts';
import type { FileWriter } from '../files/writer.ts';
import { PfsError, refused } from '../store/errors.ts';
import { cleanPath, dirPath } from '../store/paths.ts';
import type { Context } from './call.ts';
import type { Open } from './open.ts';
import { toFileRef } from './wire.ts';

const URL_TIMEOUT_MS = 30_000;

/** Finds the files below a directory, for its deletion. */
export type Below = (prefix: string) => AsyncIterable<string>;

/** Applies the messages of a stream, in order, up to its end. */
export async function applyChanges(
  app: App,
  open: Open,
  writer: FileWriter,
  requests: AsyncIterator<ModifyFileRequest>,
  below: Below,
  context: Context,
): Promise<void> {
  const { cost } = context.meter;
  let last = '';
  for (let next = await requests.next(); !next.done; next = await requests.next()) {
    const { body } = next.value;
    switch (body?.$case) {
      case 'addFile':
        // A large file comes in several messages.
        if (body.value.path !== last) cost.writtenFiles++;
        last = body.value.path;
        if (body.value.source?.$case === 'raw') cost.writtenBytes += body.value.source.value?.length ?? 0;
        await addFile(app, writer, body.value);
        break;
      case 'deleteFile':
        await writer.remove(body.value.path, body.value.datum, below);
        break;
      case 'copyFile':
        cost.writtenFiles++;
        await copyFile(open, writer, body.value, context);
        break;
      case 'setCommit':
        throw refused('cannot set commit');
      case undefined:
        throw refused('unrecognized message type');
    }
  }
}

async function addFile(app: App, writer: FileWriter, { path, datum, source }: AddFile): Promise<void> {
  if (source?.$case !== 'url') {
    const bytes = source?.value ?? new Uint8Array(0);
    return writer.add(path, datum, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }
  app.counters.count('urlSources');
  await writer.add(path, datum, Buffer.alloc(0));
  for await (const piece of await fetchUrl(source.value.URL)) await writer.add(path, datum, piece as Buffer);
}

async function copyFile(open: Open, writer: FileWriter, copy: CopyFile, context: Context): Promise<void> {
  if (!copy.src) {
    const cause = 'embedded message failed validation | caused by: invalid CopyFile.Src: value is required';
    throw new PfsError('invalidArgument', `validate recv: invalid ModifyFileRequest.CopyFile: ${cause}`);
  }
  const { file, commit } = toFileRef(copy.src);
  const opened = await open(context, commit);
  const from = cleanPath(file.path);
  const to = cleanPath(copy.dst);
  const below = dirPath(from);
  for await (const { path, contents } of opened.entries(from, file.datum)) {
    if (path !== from && !path.startsWith(below)) continue;
    const target = cleanPath(`${to}/${path.slice(from.length)}`);
    for (const content of contents) await writer.copy(target, copy.datum, content, copy.append);
  }
}

/** pachd fetches on behalf of its callers. This one does so too, but never from its own file system. */
async function fetchUrl(text: string): Promise<IncomingMessage> {
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text)?.[1]?.toLowerCase() ?? '';
  if (scheme === 'file') throw refused(`open ${text.slice('file://'.length)}: no such file or directory`);
  if (scheme !== 'http' && scheme !== 'https') throw refused(`unrecognized object store: ${scheme}`);
  const get = scheme === 'http' ? httpGet : httpsGet;
  return new Promise((resolve, reject) => {
    const request = get(text, { timeout: URL_TIMEOUT_MS }, (response) => {
      if (response.statusCode === 200) return resolve(response);
      response.resume();
      reject(refused(`error retrieving content from ${text}: ${response.statusCode} ${response.statusMessage}`));
    });
    request.on('timeout', () => request.destroy(new Error('i/o timeout')));
    request.on('error', (error) => reject(refused(`Get "${text}": ${dialError(error)}`)));
  });
}

function dialError(error: Error): string {
  if ('code' in error && error.code === 'ECONNREFUSED' && 'address' in error && 'port' in error) {
    return `dial tcp ${error.address}:${error.port}: connect: connection refused`;
  }
  return error.message;
}
