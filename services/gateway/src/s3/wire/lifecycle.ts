import { S3Error } from '../errors.ts';
import { parseIsoDate } from './iso-date.ts';
import { childrenNamed, childText, type XmlNode } from './xml-read.ts';

const RULES_MAX = 1_000;
const ID_MAX_CHARACTERS = 255;
const DAY_MS = 24 * 60 * 60 * 1000;

const TRANSITION_CLASSES = [
  'GLACIER',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'DEEP_ARCHIVE',
  'GLACIER_IR',
];

const ACTIONS = [
  'Expiration',
  'Transition',
  'NoncurrentVersionExpiration',
  'NoncurrentVersionTransition',
  'AbortIncompleteMultipartUpload',
];

/**
 * Whether S3 would take a lifecycle. Source: S3 API reference, PutBucketLifecycleConfiguration, and S3 user guide, "Lifecycle
 * configuration elements".
 * @throws S3Error MalformedXML for what is none, InvalidArgument and InvalidRequest for rules that cannot be
 */
export function checkLifecycle(document: XmlNode | undefined): void {
  if (document?.name !== 'LifecycleConfiguration') throw malformed();
  const rules = childrenNamed(document, 'Rule');
  if (rules.length === 0) throw malformed();
  if (rules.length > RULES_MAX) throw invalidRequest(`A lifecycle can have at most ${RULES_MAX} rules.`);
  for (const rule of rules) checkRule(rule);
  const ids = rules.flatMap((rule) => childText(rule, 'ID') ?? []).filter((id) => id !== '');
  if (new Set(ids).size < ids.length) {
    throw invalidArgument('Rule ID must be unique. Found same ID for more than one rule');
  }
}

function checkRule(rule: XmlNode): void {
  const status = childText(rule, 'Status');
  if (status !== 'Enabled' && status !== 'Disabled') throw malformed();
  // What it is about is said in one way: by a filter, or by the prefix of older clients.
  if (childrenNamed(rule, 'Prefix').length + childrenNamed(rule, 'Filter').length !== 1) throw malformed();
  if ((childText(rule, 'ID') ?? '').length > ID_MAX_CHARACTERS) {
    throw invalidArgument(`ID length should not exceed allowed limit of ${ID_MAX_CHARACTERS}`);
  }
  const actions = rule.children.filter(({ name }) => ACTIONS.includes(name));
  if (actions.length === 0) throw invalidRequest('At least one action needs to be specified in a rule.');
  for (const action of actions) checkAction(action);
}

function checkAction(action: XmlNode): void {
  const { name } = action;
  switch (name) {
    case 'Expiration':
      requireOne(action, ['Days', 'Date', 'ExpiredObjectDeleteMarker']);
      checkDays(action, 'Days', 1);
      checkDate(action);
      return;
    case 'Transition':
      requireOne(action, ['Days', 'Date']);
      checkDays(action, 'Days', 0);
      checkDate(action);
      checkClass(action);
      return;
    case 'NoncurrentVersionTransition':
      checkDays(action, 'NoncurrentDays', 0);
      checkClass(action);
      return;
    case 'NoncurrentVersionExpiration':
      checkDays(action, 'NoncurrentDays', 1);
      return;
    default:
      requireOne(action, ['DaysAfterInitiation']);
      checkDays(action, 'DaysAfterInitiation', 1);
  }
}

function requireOne(action: XmlNode, names: readonly string[]): void {
  if (action.children.filter(({ name }) => names.includes(name)).length !== 1) throw malformed();
}

function checkDays(action: XmlNode, name: string, least: 0 | 1): void {
  const text = childText(action, name)?.trim();
  if (text === undefined) return;
  if (!/^-?\d{1,10}$/.test(text)) throw malformed();
  if (Number(text) < least) {
    throw invalidArgument(
      `'${name}' for ${action.name} action must be a ${least === 0 ? 'nonnegative' : 'positive'} integer`,
    );
  }
}

/** A day, at its first moment in UTC. */
function checkDate(action: XmlNode): void {
  const text = childText(action, 'Date')?.trim();
  if (text === undefined) return;
  const timeMs = parseIsoDate(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);
  if (timeMs === undefined) throw malformed();
  if (timeMs % DAY_MS !== 0) throw invalidArgument("'Date' must be at midnight GMT");
}

function checkClass(action: XmlNode): void {
  if (!TRANSITION_CLASSES.includes(childText(action, 'StorageClass') ?? '')) throw malformed();
}

function malformed(): S3Error {
  return new S3Error('MalformedXML');
}

function invalidArgument(message: string): S3Error {
  return new S3Error('InvalidArgument', { message });
}

function invalidRequest(message: string): S3Error {
  return new S3Error('InvalidRequest', { message });
}
