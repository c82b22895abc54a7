import { S3Error } from '../errors.ts';
import { parseIsoDate } from './iso-date.ts';

/** What the signer of a form allows. Source: S3 API reference, "POST Policy". */
export interface PostPolicy {
  readonly expiresMs: number;
  readonly conditions: readonly Condition[];
  /** Of the file, from all conditions on it. */
  readonly minBytes: number;
  readonly maxBytes: number;
}

interface Condition {
  readonly kind: 'eq' | 'starts-with';
  /** In lower case. */
  readonly field: string;
  readonly value: string;
}

/** Fields that no condition need name. */
const EXEMPT = /^(?:x-amz-signature|file|policy|awsaccesskeyid|signature|x-ignore-.*)$/;

/** @throws S3Error InvalidPolicyDocument */
export function parsePostPolicy(base64: string): PostPolicy {
  const { expiration, conditions } = parseDocument(base64);
  if (expiration === undefined) throw invalid('Policy missing expiration.');
  if (conditions === undefined) throw invalid('Policy missing conditions.');
  if (!Array.isArray(conditions)) throw invalid("Invalid 'conditions' value: must be a List.");
  const parsed: Condition[] = [];
  let [minBytes, maxBytes] = [0, Number.POSITIVE_INFINITY];
  for (const condition of conditions as readonly unknown[]) {
    if (Array.isArray(condition) && isRange(condition[0])) {
      const [from, to] = parseRange(condition);
      [minBytes, maxBytes] = [Math.max(minBytes, from), Math.min(maxBytes, to)];
    } else parsed.push(parseCondition(condition));
  }
  return { expiresMs: parseExpiration(expiration), conditions: parsed, minBytes, maxBytes };
}

/**
 * Whether a form is as its policy has it. `fields` by name in lower case, with the bucket among them.
 * @throws S3Error AccessDenied
 */
export function checkPostPolicy(policy: PostPolicy, fields: ReadonlyMap<string, string>, nowMs: number): void {
  if (nowMs > policy.expiresMs) throw denied('Policy expired.');
  const named = new Set<string>();
  for (const { kind, field, value } of policy.conditions) {
    named.add(field);
    const given = fields.get(field) ?? '';
    const holds = kind === 'eq' ? given === value : startsWith(field, given, value);
    if (!holds) throw denied(`Policy Condition failed: ["${kind}", "$${field}", "${value}"]`);
  }
  const extra = [...fields.keys()].filter((name) => !named.has(name) && !EXEMPT.test(name));
  if (extra.length > 0) throw denied(`Extra input fields: ${extra.join(', ')}`);
}

/** A Content-Type may be a list, of which each must begin so. */
function startsWith(field: string, given: string, value: string): boolean {
  const parts = field === 'content-type' ? given.split(',') : [given];
  return parts.every((part) => part.trimStart().startsWith(value) || part.startsWith(value));
}

function parseDocument(base64: string): { expiration?: unknown; conditions?: unknown } {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
  } catch (cause) {
    throw new S3Error('InvalidPolicyDocument', { message: 'Invalid Policy: Invalid JSON.', cause });
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) throw invalid('Invalid JSON.');
  return document;
}

function parseExpiration(text: unknown): number {
  const timeMs = typeof text === 'string' && text.endsWith('Z') ? parseIsoDate(text) : undefined;
  if (timeMs === undefined) throw invalid("Invalid 'expiration' value.");
  return timeMs;
}

function isRange(kind: unknown): boolean {
  return typeof kind === 'string' && kind.toLowerCase() === 'content-length-range';
}

function parseRange(condition: readonly unknown[]): readonly [number, number] {
  const [, from, to] = condition.map(Number);
  const isWhole = (value: number | undefined): value is number => Number.isSafeInteger(value) && (value ?? -1) >= 0;
  if (condition.length !== 3 || !isWhole(from) || !isWhole(to)) throw invalid('Invalid content-length-range.');
  return [from, to];
}

function parseCondition(condition: unknown): Condition {
  if (Array.isArray(condition)) {
    const [kind, field, value] = condition as readonly unknown[];
    const lower = typeof kind === 'string' ? kind.toLowerCase() : '';
    const isKnown = lower === 'eq' || lower === 'starts-with';
    if (!isKnown || condition.length !== 3 || typeof field !== 'string' || typeof value !== 'string') {
      throw invalid('Invalid Condition: it must be an operator, a field and a value.');
    }
    if (!field.startsWith('$')) throw invalid('Invalid Condition: a field begins with $.');
    return { kind: lower, field: field.slice(1).toLowerCase(), value };
  }
  const entries = typeof condition === 'object' && condition !== null ? Object.entries(condition) : [];
  const [[field, value] = ['', undefined]] = entries as [string, unknown][];
  if (entries.length !== 1) {
    throw invalid('Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.');
  }
  if (typeof value !== 'string') throw invalid('Invalid Simple-Condition: value must be a string.');
  return { kind: 'eq', field: field.toLowerCase(), value };
}

function invalid(message: string): S3Error {
  return new S3Error('InvalidPolicyDocument', { message: `Invalid Policy: ${message}` });
}

function denied(message: string): S3Error {
  return new S3Error('AccessDenied', { message: `Invalid according to Policy: ${message}` });
}
