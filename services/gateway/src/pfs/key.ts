import { Failure } from './failure.ts';

/** S3's limit is 1024 bytes; pachd has none, and its users have longer paths. */
const KEY_MAX_BYTES = 4096;

/** Each folder above a new object is looked up, so that it is not below another object. */
const FOLDERS_MAX = 100;

/** pachd holds printable ASCII; it globs with `* ? [ ] { } ! ( ) @ + ^`, and a backslash escapes, so that such a name is not found again. */
const HOLDABLE = /^[ -~]+$/;
const GLOBBING = /[*?[\]{}!()@+^\\]/;

/**
 * The path of an object's key: a slash in front, and the one at the end dropped, as in Pachyderm's own gateway.
 * @throws Failure invalid-key for a key that pachd cannot hold under its own name; it is never rewritten into another
 */
export function pathOfKey(key: string): string {
  const problem = problemOf(key);
  if (problem !== undefined) throw new Failure('invalid-key', problem);
  return `/${trimSlash(key)}`;
}

/** The path of a key, or undefined if no object can have it: nothing is there to be read or deleted. */
export function pathIfHoldable(key: string): string | undefined {
  return problemOf(key) === undefined ? `/${trimSlash(key)}` : undefined;
}

export function keyOfPath(path: string): string {
  return path.slice(1);
}

/** The folders above a path, outermost first: of "/a/b/c" they are "/a" and "/a/b". */
export function foldersAbove(path: string): readonly string[] {
  const folders: string[] = [];
  for (let at = path.indexOf('/', 1); at !== -1; at = path.indexOf('/', at + 1)) folders.push(path.slice(0, at));
  return folders;
}

function trimSlash(key: string): string {
  return key.endsWith('/') ? key.slice(0, -1) : key;
}

function problemOf(key: string): string | undefined {
  if (key.length > KEY_MAX_BYTES) return `A key can have at most ${KEY_MAX_BYTES} bytes.`;
  if (!HOLDABLE.test(key)) return 'Pachyderm can hold only keys of printable ASCII characters.';
  if (GLOBBING.test(key)) return 'Pachyderm cannot hold keys with any of * ? [ ] { } ! ( ) @ + ^ \\';
  const parts = trimSlash(key).split('/');
  if (parts.length > FOLDERS_MAX + 1) return `A key can be at most ${FOLDERS_MAX} folders deep.`;
  if (parts.some((part) => part === ''))
    return 'Pachyderm cannot hold keys that begin with a slash or have two in a row.';
  if (parts.some((part) => part === '.' || part === '..'))
    return 'Pachyderm cannot hold keys with "." or ".." as a part.';
  return undefined;
}
