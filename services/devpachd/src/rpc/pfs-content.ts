import type { APIServer, GetFileRequest } from '../../../../proto/gen/pfs/pfs.ts';
import type { App } from '../app.ts';
import { readContent } from '../files/content.ts';
import type { Content } from '../files/entry.ts';
import { matchPath } from '../files/glob.ts';
import type { Node } from '../files/tree.ts';
import { PfsError, prefixed, refused, within } from '../store/errors.ts';
import { cleanPath, isDirPath, literalPrefix } from '../store/paths.ts';
import type { Calls, Context, Send } from './call.ts';
import type { Open, Opened } from './open.ts';
import { TAR_END, tarHeader, tarPadding } from './tar.ts';
import { toFileRef } from './wire.ts';

type Methods = Pick<APIServer, 'getFile' | 'getFileTar'>;

/** Small pieces are sent together until they come to this. pachd's messages hold up to 19 MiB. */
const MESSAGE_BYTES = 1024 * 1024;

export function contentMethods({ packs, counters }: App, calls: Calls, open: Open, openCalls: Calls): Methods {
  /** What a request's path, a glob, stands for. */
  const match = async (request: GetFileRequest, context: Context) => {
    const { file, commit } = toFileRef(request.file);
    const opened = await open(context, commit);
    const glob = cleanPath(file.path);
    const prefix = literalPrefix(glob);
    const { cost, sawBefore } = context.meter;
    cost.bounded = request.pathRange !== undefined;
    cost.alternatives = glob.includes('{') ? glob.split(',').length : 0;
    cost.again = cost.source === 'set' && sawBefore(`${opened.layers.join()} ${glob}`);
    const nodes = opened.tree(file.datum).nodes({
      prefix,
      exact: prefix === glob && !glob.includes('\\'),
      ...(request.pathRange && { range: request.pathRange }),
      keep: matchPath(glob),
    });
    return { nodes, opened, path: file.path };
  };

  const single = async (nodes: AsyncIterable<Node>, opened: Opened, path: string): Promise<Content> => {
    let found: Content | undefined;
    for await (const node of nodes) {
      if (isDirPath(node.path) || !node.content) {
        throw refused('cannot get directory or non-regular file. Use GetFileTAR instead');
      }
      if (found) throw refused('matched multiple files. Use GetFileTAR instead');
      found = node.content;
    }
    if (!found) throw opened.fileNotFound(path);
    return found;
  };

  return {
    getFile: calls.stream(async (request, context, send) => {
      within('get file', () => checkUrl(request.URL));
      // Bad offsets are looked at first: one that reaches a real pachd ends it.
      if (request.offset < 0) {
        counters.count('negativeOffsets');
        throw new PfsError('invalidArgument', `offset (${request.offset}) must not be negative: it ends a real pachd`);
      }
      toFileRef(request.file);
      const { nodes, opened, path } = await match(request, context).catch((error: unknown) => {
        throw prefixed('get file', error);
      });
      const content = await single(nodes, opened, path);
      const out = createOutput(send);
      for await (const piece of readContent(packs, content, request.offset)) {
        context.meter.cost.readBytes += piece.length;
        await out.write(piece);
      }
      await out.end();
    }),

    getFileTar: openCalls.stream(async (request, context, send) => {
      checkUrl(request.URL);
      const { nodes, opened, path } = await match(request, context);
      const out = createOutput(send);
      let empty = true;
      for await (const { path: name, content } of nodes) {
        empty = false;
        const sizeBytes = isDirPath(name) ? 0 : (content?.sizeBytes ?? 0);
        context.meter.cost.sent++;
        context.meter.cost.readBytes += sizeBytes;
        await out.write(tarHeader(name, sizeBytes));
        if (!content || isDirPath(name)) continue;
        for await (const piece of readContent(packs, content, 0)) await out.write(piece);
        await out.write(tarPadding(sizeBytes));
      }
      if (empty) throw opened.fileNotFound(path);
      await out.write(TAR_END);
      await out.end();
    }),
  };
}

function checkUrl(url: string): void {
  if (url !== '') throw new PfsError('unimplemented', 'devpachd writes no files to URLs');
}

/** Joins small pieces to larger messages. */
function createOutput(send: Send<Uint8Array | undefined>) {
  let held: Buffer[] = [];
  let bytes = 0;
  const flush = async () => {
    const [first] = held;
    if (!first) return;
    const message = held.length === 1 ? first : Buffer.concat(held);
    held = [];
    bytes = 0;
    await send(message);
  };
  return {
    write: async (piece: Buffer) => {
      if (piece.length === 0) return;
      held.push(piece);
      bytes += piece.length;
      if (bytes >= MESSAGE_BYTES) await flush();
    },
    end: flush,
  };
}
