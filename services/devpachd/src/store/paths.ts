import { posix } from 'node:path';
import { refused } from './errors.ts';

const PRINTABLE = /^[ -~]+$/;
const GLOBBING = /[*?[\]{}!()@+^]/;
/** With the datum. A real pachd has no limit, and never finishes a commit whose paths are too long for the requests of its etcd (1.5 MiB). */
const PATH_MAX_BYTES = 65_536;

/** Throws unless a file may be written under, or deleted by, this path (pachd's rules, and the length of a key). */
export function checkPath(path: string): void {
  if (!PRINTABLE.test(path)) throw refused(`path (${path}) invalid: only printable ASCII characters allowed`);
  const globbing = GLOBBING.exec(path);
  if (globbing) throw refused(`path (${path}) invalid: globbing character (${globbing[0]}) not allowed in path`);
  if (path.split('/').some((part) => part === '.' || part === '..')) {
    throw refused(`path (${path}) invalid: relative file paths are not allowed`);
  }
  checkPathLength(path, '');
}

/** Throws when path and datum are longer than what is kept. */
export function checkPathLength(path: string, datum: string): void {
  if (Buffer.byteLength(path) + Buffer.byteLength(datum) > PATH_MAX_BYTES) {
    throw refused(`path (${path.slice(0, 64)}...) invalid: longer than ${PATH_MAX_BYTES} bytes`);
  }
  if (path.includes('\0') || datum.includes('\0')) throw refused('path invalid: contains a zero byte');
}

export function isDirPath(path: string): boolean {
  return path.endsWith('/');
}

/** `a`, `//a` and `/a/` are all `/a`; the empty path is the root. */
export function cleanPath(path: string): string {
  const clean = posix.normalize(path === '' ? '.' : path);
  return clean === '.' ? '/' : `/${clean.replace(/^\/+|\/+$/g, '')}`;
}

/** The clean path with the trailing slash that a directory has. */
export function dirPath(path: string): string {
  const clean = cleanPath(path);
  return clean === '/' ? clean : `${clean}/`;
}

/** What every match of the glob begins with. A backslash counts as a letter here, as it does in pachd. */
export function literalPrefix(glob: string): string {
  const at = glob.search(GLOBBING);
  return at < 0 ? glob : glob.slice(0, at);
}
