import { isDirPath } from '../store/paths.ts';

const BLOCK = 512;
const NAME_MAX = 100;
const PREFIX_MAX = 155;
/** The largest size that eleven octal digits can say. */
const SIZE_MAX = 8 ** 11 - 1;

/** A header as pachd writes it: no owner, no mode, no time. What USTAR cannot say goes into a PAX header before it. */
export function tarHeader(path: string, sizeBytes: number): Buffer {
  const split = splitName(path);
  if (split && sizeBytes <= SIZE_MAX) return header(split.name, split.prefix, sizeBytes, isDirPath(path) ? '5' : '0');
  const records = [
    ...(split ? [] : [paxRecord('path', path)]),
    ...(sizeBytes > SIZE_MAX ? [paxRecord('size', String(sizeBytes))] : []),
  ].join('');
  const body = Buffer.from(records);
  const short = Buffer.from(path).toString('latin1').slice(0, NAME_MAX);
  return Buffer.concat([
    header(`PaxHeaders.0/${short}`.slice(0, NAME_MAX), '', body.length, 'x'),
    body,
    tarPadding(body.length),
    header(short, '', sizeBytes > SIZE_MAX ? 0 : sizeBytes, isDirPath(path) ? '5' : '0'),
  ]);
}

/** What follows a content to fill its last block. */
export function tarPadding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK - (sizeBytes % BLOCK)) % BLOCK);
}

export const TAR_END = Buffer.alloc(2 * BLOCK);

function splitName(path: string): { readonly name: string; readonly prefix: string } | undefined {
  if (!/^[ -~]*$/.test(path)) return undefined;
  if (path.length <= NAME_MAX) return { name: path, prefix: '' };
  const from = path.endsWith('/') ? path.length - 2 : path.length - 1;
  const at = path.lastIndexOf('/', Math.min(PREFIX_MAX, from));
  const name = path.slice(at + 1);
  return at > 0 && name.length <= NAME_MAX && name !== '' ? { name, prefix: path.slice(0, at) } : undefined;
}

function header(name: string, prefix: string, size: number, type: string): Buffer {
  const out = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, digits: number) =>
    out.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'latin1');
  out.write(name, 0, 'latin1');
  for (const at of [100, 108, 116]) octal(0, at, 7);
  octal(size, 124, 11);
  octal(0, 136, 11);
  out.fill(' ', 148, 156);
  out.write(type, 156, 'latin1');
  out.write('ustar\x0000', 257, 'latin1');
  octal(0, 329, 7);
  octal(0, 337, 7);
  out.write(prefix, 345, 'latin1');
  let sum = 0;
  for (const byte of out) sum += byte;
  out.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return out;
}

/** A record says its own length, the digits of that included. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  let length = bytes + String(bytes).length;
  if (String(length).length !== String(bytes).length) length = bytes + String(length).length;
  return `${length}${rest}`;
}
