import { Permission } from '../../../../proto/gen/auth/auth.ts';
import type { APIServer, FileInfo } from '../../../../proto/gen/pfs/pfs.ts';
import type { App } from '../app.ts';
import { matchPath } from '../files/glob.ts';
import type { Node, Tree } from '../files/tree.ts';
import { parentOfCommit, repoOf } from '../store/commits.ts';
import { notFound, refused, within } from '../store/errors.ts';
import { type CommitRef, FILE_SETS_REPO } from '../store/names.ts';
import { cleanPath, dirPath, literalPrefix } from '../store/paths.ts';
import { pickCommit } from '../store/pick.ts';
import { repoRef } from '../store/repos.ts';
import type { Calls } from './call.ts';
import type { Guard } from './guard.ts';
import type { Open, Opened } from './open.ts';
import { afterDirectory, checkPage, pageOf } from './paging.ts';
import { fromNode, toCommitRef, toFileRef } from './wire.ts';

type Methods = Pick<APIServer, 'inspectFile' | 'listFile' | 'walkFile' | 'globFile' | 'diffFile'>;

const slashes = (text: string): number => text.split('/').length - 1;

export function listingMethods({ db }: App, calls: Calls, guard: Guard, open: Open): Methods {
  const infoOf = async (opened: Opened, tree: Tree, node: Node) =>
    fromNode(opened.commit, opened.committedAt, node, await tree.info(node));

  return {
    inspectFile: calls.unary(async ({ file: asked }, context) => {
      const { file, commit } = toFileRef(asked);
      guard.repo(context, commit.repo, Permission.REPO_INSPECT_FILE);
      const opened = await open(context, commit);
      const path = cleanPath(file.path);
      const dir = dirPath(path);
      const tree = opened.tree(file.datum);
      let found: Node | undefined;
      const nodes = tree.nodes({ prefix: path === '/' ? '' : path, exact: true, closed: (at) => at === dir });
      for await (const node of nodes) if (node.path === path || node.path === dir) found = node;
      if (!found) throw opened.fileNotFound(file.path);
      return infoOf(opened, tree, found);
    }),

    listFile: calls.stream(async ({ file: asked, paginationMarker, number, reverse }, context, send) => {
      const { file, commit } = toFileRef(asked);
      guard.repo(context, commit.repo, Permission.REPO_LIST_FILE);
      checkPage(number, reverse);
      const opened = await open(context, commit);
      const path = cleanPath(file.path);
      const dir = dirPath(path);
      const tree = opened.tree(file.datum);
      const marker = paginationMarker?.path;
      const end = afterDirectory(dir);
      const nodes = tree.nodes({
        prefix: path,
        ...(marker !== undefined && {
          range: reverse ? { lower: path, upper: marker } : { lower: marker, upper: end },
        }),
        keep: (at) => at !== dir && (at === path || at.startsWith(dir)),
        closed: (at) => at !== dir && !dir.startsWith(at),
      });
      const isChild = (at: string) => at === path || !at.slice(dir.length).replace(/\/+$/, '').includes('/');
      for await (const node of pageOf(nodes, { marker, number, reverse, include: ({ path: at }) => isChild(at) })) {
        await send(await infoOf(opened, tree, node));
      }
    }),

    walkFile: calls.stream(async ({ file: asked, paginationMarker, number, reverse }, context, send) => {
      const { file, commit } = toFileRef(asked);
      guard.repo(context, commit.repo, Permission.REPO_READ, Permission.REPO_LIST_FILE);
      checkPage(number, reverse);
      const opened = await open(context, commit);
      const clean = cleanPath(file.path);
      const path = clean === '/' ? '' : clean;
      const tree = opened.tree(file.datum);
      const marker = paginationMarker?.path;
      const end = path === '' ? '' : afterDirectory(`${path}/`);
      const nodes = tree.nodes({
        prefix: path,
        exact: true,
        ...(marker !== undefined && {
          range: reverse ? { lower: path, upper: marker } : { lower: marker, upper: end },
        }),
        keep: (at) => at === path || at.startsWith(`${path}/`),
      });
      // What stands at the marker is not sent, but counts as being there.
      let met = false;
      async function* noted(): AsyncGenerator<Node> {
        for await (const node of nodes) {
          met = true;
          yield node;
        }
      }
      for await (const node of pageOf(noted(), { marker, number, reverse, include: () => true })) {
        await send(await infoOf(opened, tree, node));
      }
      if (!met && (path !== '' || reverse)) {
        throw notFound(`commit/${opened.commit.id} does not contain item: (${path})`);
      }
    }),

    globFile: calls.stream(async ({ commit: asked, pattern, pathRange }, context, send) => {
      const commit = toCommitRef(asked);
      guard.repo(context, commit.repo, Permission.REPO_READ, Permission.REPO_LIST_FILE);
      const opened = await open(context, commit);
      const glob = cleanPath(pattern);
      context.meter.cost.bounded = pathRange !== undefined;
      context.meter.cost.wild = literalPrefix(glob) !== glob;
      const matches = matchPath(glob);
      const prefix = literalPrefix(glob);
      const tree = opened.tree('');
      // Where no part of the glob crosses a slash, what lies deeper cannot match.
      const depth = /\*\*|[{([]/.test(glob) ? Number.POSITIVE_INFINITY : slashes(glob);
      const nodes = tree.nodes({
        prefix,
        exact: prefix === glob && !glob.includes('\\'),
        ...(pathRange && { range: pathRange }),
        keep: matches,
        closed: (at) => slashes(at) - 1 >= depth,
      });
      for await (const node of nodes) if (matches(node.path)) await send(await infoOf(opened, tree, node));
    }),

    diffFile: calls.stream(async (request, context, send) => {
      const newFile = request.newFile;
      if (!newFile) throw refused('file cannot be nil');
      const newCommit = within('check new file commit', () => toCommitRef(newFile.commit));
      const given = request.oldFile;
      const oldGiven = given && within('check old file commit', () => toCommitRef(given.commit));
      for (const commit of [oldGiven, newCommit]) if (commit) guard.repo(context, commit.repo, Permission.REPO_READ);

      const oldCommit = oldGiven ?? parentRef(newCommit);
      const oldFile = given ?? newFile;
      const side = async (commit: CommitRef | undefined, path: string, datum: string): Promise<Side> => {
        if (!commit) return { nodes: nothing(), infoOf: () => Promise.reject(new Error('nothing has no files')) };
        const opened = await open(context, commit);
        const tree = opened.tree(datum);
        const clean = cleanPath(path);
        const nodes = hashed(tree, tree.nodes({ prefix: clean === '/' ? '' : clean, exact: true }));
        return { nodes, infoOf: ({ node }) => infoOf(opened, tree, node) };
      };
      const before = await side(oldCommit, oldFile.path, oldFile.datum);
      const after = await side(newCommit, newFile.path, newFile.datum);
      for await (const { old, fresh } of differences(before.nodes, after.nodes)) {
        await send({
          oldFile: old && (await before.infoOf(old)),
          newFile: fresh && (await after.infoOf(fresh)),
        });
      }
    }),
  };

  function parentRef(ref: CommitRef): CommitRef | undefined {
    if (ref.repo.name === FILE_SETS_REPO) return undefined;
    const { commit } = pickCommit(db, ref);
    const parent = parentOfCommit(db, commit);
    return parent && { repo: repoRef(repoOf(db, parent)), id: parent.id, branch: undefined };
  }
}

interface Hashed {
  readonly node: Node;
  readonly hash: Uint8Array;
}

/** One side of a comparison. */
interface Side {
  readonly nodes: AsyncGenerator<Hashed>;
  readonly infoOf: (one: Hashed) => Promise<FileInfo>;
}

async function* nothing(): AsyncGenerator<Hashed> {}

async function* hashed(tree: Tree, nodes: AsyncIterable<Node>): AsyncGenerator<Hashed> {
  for await (const node of nodes) yield { node, hash: (await tree.info(node)).hash };
}

/** What only one side has, and what has another hash, in order. */
async function* differences(
  before: AsyncGenerator<Hashed>,
  after: AsyncGenerator<Hashed>,
): AsyncGenerator<{ readonly old: Hashed | undefined; readonly fresh: Hashed | undefined }> {
  const next = async (side: AsyncGenerator<Hashed>) => (await side.next()).value as Hashed | undefined;
  let old = await next(before);
  let fresh = await next(after);
  while (old || fresh) {
    const oldPath = old?.node.path;
    const newPath = fresh?.node.path;
    if (newPath === undefined || (oldPath !== undefined && oldPath < newPath)) {
      yield { fresh: undefined, old };
      old = await next(before);
    } else if (oldPath === undefined || newPath < oldPath) {
      yield { fresh, old: undefined };
      fresh = await next(after);
    } else {
      if (Buffer.compare(old?.hash ?? EMPTY, fresh?.hash ?? EMPTY) !== 0) yield { fresh, old };
      old = await next(before);
      fresh = await next(after);
    }
  }
}

const EMPTY = new Uint8Array(0);
