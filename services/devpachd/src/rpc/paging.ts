import type { Node } from '../files/tree.ts';
import { refused } from '../store/errors.ts';
import { cleanPath } from '../store/paths.ts';

const PAGE_MAX = 100_000;

export function checkPage(number: number, reverse: boolean): void {
  if (number <= 0 && reverse) throw refused('number must be > 0 when reverse is true');
  if (number > PAGE_MAX) throw refused(`cannot return more than ${PAGE_MAX} files at a time`);
}

/** The first path after all that is below a directory. */
export function afterDirectory(dir: string): string {
  return dir === '/' ? '' : `${dir.slice(0, -1)}0`;
}

export interface PageOptions {
  /** Left out of the page; need not exist. */
  readonly marker: string | undefined;
  /** 0 or less: all. */
  readonly number: number;
  /** The last ones, the last first. */
  readonly reverse: boolean;
  readonly include: (node: Node) => boolean;
}

/** A page of nodes that come in order. */
export async function* pageOf(nodes: AsyncIterable<Node>, options: PageOptions): AsyncGenerator<Node> {
  const { number, reverse } = options;
  const marker = options.marker === undefined ? undefined : cleanPath(options.marker);
  const kept: Node[] = [];
  let left = number > 0 ? number : Number.POSITIVE_INFINITY;
  for await (const node of nodes) {
    if (marker !== undefined && cleanPath(node.path) === marker) continue;
    if (!options.include(node)) continue;
    if (reverse) {
      kept.push(node);
      if (kept.length > 2 * number) kept.splice(0, kept.length - number);
      continue;
    }
    yield node;
    if (--left === 0) return;
  }
  yield* kept.slice(-number || kept.length).reverse();
}
