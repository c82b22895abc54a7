import { LRUCache } from 'lru-cache';
import type { Run } from '../../pachd/files.ts';
import { type CommitRef, commitKey, type FileSummary } from '../../pachd/model.ts';

/** What one call reads of a folder: pachd takes for a hundred small files less than for three single ones. */
const FILES_MAX = 100;
const BLOCK_MAX_BYTES = 1 << 20;
const BLOCKS_MAX = 50_000;

/** Consecutive small files of a folder, with nothing between them. */
export interface Block extends Run {
  readonly middle: string;
  /** Objects of it that had to be asked for since it was loaded last. */
  misses: number;
  loadedMs: number;
}

/** The blocks of the folders of commits, as far as lists have shown them. They never change, since the commits do not. */
export interface Blocks {
  /** Takes up what a list said: files and directories in byte order, with nothing left out between them. */
  learn(commit: CommitRef, listed: readonly FileSummary[]): void;
  /** The block that a file is in. */
  at(commit: CommitRef, path: string): Block | undefined;
  before(commit: CommitRef, block: Block): Block | undefined;
  after(commit: CommitRef, block: Block): Block | undefined;
}

/** @param fileMaxBytes larger files are in no block */
export function createBlocks(fileMaxBytes: number): Blocks {
  /** In byte order, by commit and folder. */
  const folders = new LRUCache<string, Block[]>({
    maxSize: BLOCKS_MAX,
    sizeCalculation: (blocks) => blocks.length + 1,
  });

  const blocksOf = (commit: CommitRef, folder: string): readonly Block[] =>
    folders.get(commitKey(commit) + folder) ?? [];

  const neighbour = (commit: CommitRef, block: Block, by: number): Block | undefined => {
    const blocks = blocksOf(commit, block.folder);
    const at = indexAt(blocks, block.first);
    return blocks[at] === block ? blocks[at + by] : undefined;
  };

  const at: Blocks['at'] = (commit, path) => {
    const blocks = blocksOf(commit, folderOf(path));
    const block = blocks[indexAt(blocks, path)];
    return block !== undefined && path <= block.last ? block : undefined;
  };

  const add = (commit: CommitRef, files: readonly FileSummary[]): void => {
    const [first, last] = [files[0], files[files.length - 1]];
    const middle = files[files.length >> 1];
    if (first === undefined || last === undefined || middle === undefined || files.length < 2) return;
    const folder = folderOf(first.path);
    const blocks = [...blocksOf(commit, folder)];
    const block = { folder, first: first.path, last: last.path, middle: middle.path, misses: 0, loadedMs: 0 };
    blocks.splice(indexAt(blocks, first.path) + 1, 0, block);
    folders.set(commitKey(commit) + folder, blocks);
  };

  return {
    at,
    before: (commit, block) => neighbour(commit, block, -1),
    after: (commit, block) => neighbour(commit, block, 1),
    learn(commit, listed) {
      let run: FileSummary[] = [];
      let runBytes = 0;
      const cut = () => {
        add(commit, run);
        [run, runBytes] = [[], 0];
      };
      for (const file of listed) {
        const fits = file.kind === 'file' && file.sizeBytes <= fileMaxBytes && at(commit, file.path) === undefined;
        const previous = run[run.length - 1];
        const goesOn = previous === undefined || folderOf(previous.path) === folderOf(file.path);
        if (!fits || !goesOn || run.length === FILES_MAX || runBytes + file.sizeBytes > BLOCK_MAX_BYTES) cut();
        if (!fits) continue;
        run.push(file);
        runBytes += file.sizeBytes;
      }
      cut();
    },
  };
}

/** The folder that a file is directly in, as pachd calls it: without a slash at the end, but for the root. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

/** The last block that begins at or before a path; -1: none does. */
function indexAt(blocks: readonly Block[], path: string): number {
  let [low, high] = [0, blocks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((blocks[middle]?.first ?? '') <= path) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
