import { S3Error } from '../errors.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * Whether a policy allows something to everybody. One that has conditions is taken for not public, though S3 looks further into them.
 * Source: S3 user guide, "Blocking public access to your Amazon S3 storage", "The meaning of public". @throws S3Error MalformedPolicy
 */
export function isPublicPolicy(text: string): boolean {
  return statementsOf(text).some(
    ({ Effect, Principal, Condition }) => Effect === 'Allow' && Condition === undefined && isEverybody(Principal),
  );
}

function statementsOf(text: string): readonly Json[] {
  const policy = parseObject(text);
  const statements = listOf(policy['Statement']);
  if (statements.length === 0) throw malformed('Missing required field Statement');
  return statements.map((statement) => {
    if (!isObject(statement)) throw malformed('Statement is not an object');
    const { Effect, Action, NotAction, Principal, NotPrincipal, Resource, NotResource } = statement;
    if (typeof Effect !== 'string') throw malformed('Missing required field Effect');
    if (Effect !== 'Allow' && Effect !== 'Deny') throw malformed(`Invalid effect: ${Effect}`);
    if ((Principal ?? NotPrincipal) === undefined) throw malformed('Missing required field Principal');
    if ((Action ?? NotAction) === undefined) throw malformed('Missing required field Action');
    if ((Resource ?? NotResource) === undefined) throw malformed('Missing required field Resource');
    return statement;
  });
}

function parseObject(text: string): Json {
  let policy: unknown;
  try {
    policy = JSON.parse(text);
  } catch {
    throw malformed('Policies must be valid JSON and the first byte must be "{"');
  }
  if (!isObject(policy)) throw malformed('Policies must be valid JSON and the first byte must be "{"');
  return policy;
}

function isEverybody(principal: unknown): boolean {
  if (isObject(principal)) return listOf(principal['AWS']).includes('*');
  return principal === '*';
}

function listOf(value: unknown): readonly unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(message: string): S3Error {
  return new S3Error('MalformedPolicy', { message });
}
