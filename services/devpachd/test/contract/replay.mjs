#!/usr/bin/env node
// Replays recorded gRPC scenarios against a pachd-compatible server and reports every difference.
// Usage: node replay.mjs --addr HOST:PORT --proto DIR --file FILE.json [--token TOKENS.json] [--only ID[,ID]] [--verbose]
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual, parseArgs } from 'node:util';

const require = createRequire(process.cwd() + '/');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const PROTO_FILES = ['pfs/pfs.proto', 'auth/auth.proto', 'admin/admin.proto', 'version/versionpb/version.proto'];
const LOAD_OPTIONS = { keepCase: true, longs: String, enums: String, bytes: Buffer, defaults: false };
const DEFAULT_DEADLINE_MS = 120_000;
const MAX_MESSAGE_BYTES = 64 << 20;
const COMMIT_ID = /^[0-9a-f]{12}4[0-9a-f]{19}$/;

// The standard health service is not part of the Pachyderm protos, so it is described here.
const HEALTH_JSON = {
  nested: {
    grpc: {
      nested: {
        health: {
          nested: {
            v1: {
              nested: {
                HealthCheckRequest: { fields: { service: { type: 'string', id: 1 } } },
                HealthCheckResponse: {
                  fields: { status: { type: 'ServingStatus', id: 1 } },
                  nested: { ServingStatus: { values: { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } } },
                },
                Health: {
                  methods: {
                    Check: { requestType: 'HealthCheckRequest', responseType: 'HealthCheckResponse' },
                    Watch: {
                      requestType: 'HealthCheckRequest',
                      responseType: 'HealthCheckResponse',
                      responseStream: true,
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
};

// ---------------------------------------------------------------- connection

export function connect(address, protoDir) {
  const definition = {
    ...protoLoader.loadSync(PROTO_FILES, { ...LOAD_OPTIONS, includeDirs: [protoDir] }),
    ...protoLoader.fromJSON(HEALTH_JSON, LOAD_OPTIONS),
  };
  const channelOptions = {
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  };
  const client = new grpc.Client(address, grpc.credentials.createInsecure(), channelOptions);
  const method = (call) => {
    const [service, name] = call.split('/');
    const found = definition[service]?.[name];
    if (!found) throw new Error(`unknown call ${call}`);
    return found;
  };
  return { client, method, close: () => client.close() };
}

// A fresh context per scenario: `saved` holds values captured by earlier steps,
// `prefix` makes every {"$repo": name} unique to this run.
export function newContext(tokens = {}) {
  const saved = {};
  const prefix = `ct${Date.now().toString(36)}${randomBytes(3).toString('hex')}`;
  return { saved, tokens, unique: (name) => `${prefix}_${name}` };
}

// ---------------------------------------------------------------- requests

const isObject = (v) => v !== null && typeof v === 'object' && !Array.isArray(v) && !Buffer.isBuffer(v);

// Deterministic filler: byte i is (i * 31 + seed + (i >> 8)) mod 256.
export function filler({ size, seed = 0 }) {
  const out = Buffer.alloc(size);
  for (let i = 0; i < size; i++) out[i] = (i * 31 + seed + (i >> 8)) & 255;
  return out;
}

function lookup(ctx, name) {
  if (!(name in ctx.saved)) throw new Error(`nothing saved under "${name}"`);
  return ctx.saved[name];
}

// Turns a request template into the object given to grpc-js.
export function build(spec, ctx) {
  if (Array.isArray(spec)) return spec.map((item) => build(item, ctx));
  if (!isObject(spec)) return spec;
  if ('$ref' in spec) return lookup(ctx, spec.$ref);
  if ('$repo' in spec) return ctx.unique(spec.$repo);
  if ('$concat' in spec) return spec.$concat.map((part) => build(part, ctx)).join('');
  if ('$utf8' in spec) return Buffer.from(spec.$utf8, 'utf8');
  if ('$fill' in spec) return filler(spec.$fill);
  return Object.fromEntries(Object.entries(spec).map(([k, v]) => [k, build(v, ctx)]));
}

// {"$repeat": {"count": N, "item": ...}} in a request list; "{{i}}" becomes a zero-padded index.
function expandRequests(list) {
  return list.flatMap((item) => {
    if (!item.$repeat) return [item];
    const text = JSON.stringify(item.$repeat.item);
    return Array.from({ length: item.$repeat.count }, (_, i) =>
      JSON.parse(text.replaceAll('{{i}}', String(i).padStart(5, '0'))),
    );
  });
}

function metadataFor(as, ctx) {
  const metadata = new grpc.Metadata();
  const token = isObject(as) ? build(as, ctx) : as === 'badtoken' ? 'not-a-token' : ctx.tokens[as];
  if (token !== undefined) metadata.set('authn-token', token);
  else if (as && as !== 'none') throw new Error(`no token for "${as}": pass --token`);
  return metadata;
}

// ---------------------------------------------------------------- calls

// Performs one call and resolves to {responses: [...], stream} or {error: {code, message}}.
export function invoke(conn, step, ctx, as) {
  const method = conn.method(step.call);
  const metadata = metadataFor(as, ctx);
  const options = { deadline: Date.now() + (step.deadline_ms ?? DEFAULT_DEADLINE_MS) };
  const { path, requestSerialize, responseDeserialize, requestStream, responseStream } = method;
  const rpc = [path, requestSerialize, responseDeserialize];
  const request = build(step.request ?? {}, ctx);
  return new Promise((resolve) => {
    const fail = (err) =>
      resolve({ error: { code: grpc.status[err.code] ?? String(err.code), message: err.details ?? err.message } });
    if (responseStream) {
      const responses = [];
      const call = conn.client.makeServerStreamRequest(...rpc, request, metadata, options);
      call.on('data', (message) => {
        responses.push(plain(message));
        if (responses.length === step.take) {
          call.cancel();
          resolve({ responses, stream: true });
        }
      });
      call.on('error', (err) => (step.take && responses.length >= step.take ? undefined : fail(err)));
      call.on('end', () => resolve({ responses, stream: true }));
      return;
    }
    const done = (err, message) => (err ? fail(err) : resolve({ responses: [plain(message)] }));
    if (!requestStream) return void conn.client.makeUnaryRequest(...rpc, request, metadata, options, done);
    const call = conn.client.makeClientStreamRequest(...rpc, metadata, options, done);
    call.on('error', () => {});
    writeAll(
      call,
      expandRequests(step.requests ?? []).map((r) => build(r, ctx)),
    );
  });
}

// Respects back pressure and stops as soon as the server has answered.
async function writeAll(call, messages) {
  let answered = false;
  call.once('status', () => {
    answered = true;
  });
  for (const message of messages) {
    if (answered) return;
    if (!call.write(message)) await drained(call);
  }
  call.end();
}

function drained(call) {
  return new Promise((resolve) => {
    const go = () => {
      call.off('drain', go).off('status', go);
      resolve();
    };
    call.on('drain', go).on('status', go);
  });
}

// Buffers become base64; unset scalars and empty lists are dropped; empty messages stay.
export function plain(value) {
  if (Buffer.isBuffer(value)) return value.toString('base64');
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(
    ([, v]) => !(v === '' || v === 0 || v === '0' || v === false || v === null || v === undefined || v?.length === 0),
  );
  return Object.fromEntries(kept.map(([k, v]) => [k, plain(v)]));
}

// ---------------------------------------------------------------- matching

const KINDS = {
  string: (v) => typeof v === 'string' && v.length > 0,
  timestamp: (v) => isObject(v) && /^\d+$/.test(v.seconds ?? '0') && Number.isInteger(v.nanos ?? 0),
  hex32: (v) => typeof v === 'string' && COMMIT_ID.test(v),
  bytes32: (v) => typeof v === 'string' && Buffer.from(v, 'base64').length === 32,
  integer: (v) => /^-?\d+$/.test(String(v ?? 0)),
};

const escapeRegex = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const show = (v) => {
  const text = JSON.stringify(v) ?? 'nothing';
  return text.length > 300 ? `${text.slice(0, 300)}...` : text;
};

// Compiles a regex in which {{repo:x}} and {{ref:x}} stand for this run's values.
export function pattern(source, ctx) {
  const text = source.replace(/\{\{(repo|ref):([^}]+)\}\}/g, (_, kind, name) =>
    escapeRegex(kind === 'repo' ? ctx.unique(name) : String(lookup(ctx, name))),
  );
  return new RegExp(text, 's');
}

// Returns a list of differences; an empty list means a match.
export function match(expected, actual, ctx, at = '') {
  const differ = (what = show(expected)) => [`${at || '.'}: expected ${what}, got ${show(actual)}`];
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return differ(`${expected.length} item(s)`);
    return expected.flatMap((item, i) => match(item, actual[i], ctx, `${at}[${i}]`));
  }
  if (!isObject(expected)) return isDeepStrictEqual(expected, actual) ? [] : differ();
  if ('$any' in expected) {
    const kind = expected.$any;
    return (kind === true ? actual !== undefined : KINDS[kind](actual)) ? [] : differ(`any ${kind}`);
  }
  if ('$regex' in expected)
    return typeof actual === 'string' && pattern(expected.$regex, ctx).test(actual) ? [] : differ();
  if ('$not' in expected) return match(expected.$not, actual, ctx, at).length ? [] : differ();
  if ('$partial' in expected) {
    if (!isObject(actual)) return differ();
    return Object.entries(expected.$partial).flatMap(([k, v]) => match(v, actual[k], ctx, `${at}.${k}`));
  }
  if ('$contains' in expected) {
    return expected.$contains.flatMap((want) =>
      actual?.some?.((have) => !match(want, have, ctx).length) ? [] : differ(`an item like ${show(want)}`),
    );
  }
  if ('$unordered' in expected) return matchUnordered(expected.$unordered, actual, ctx, differ);
  if (Object.keys(expected).some((k) => k.startsWith('$'))) {
    const value = plain(build(expected, ctx));
    return isDeepStrictEqual(value, actual) ? [] : differ(show(value));
  }
  if (!isObject(actual)) return differ();
  const keys = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  return [...keys].flatMap((k) =>
    k in expected ? match(expected[k], actual[k], ctx, `${at}.${k}`) : [`${at}.${k}: unexpected ${show(actual[k])}`],
  );
}

function matchUnordered(wanted, actual, ctx, differ) {
  if (!Array.isArray(actual) || actual.length !== wanted.length) return differ(`${wanted.length} item(s) in any order`);
  const left = [...actual];
  return wanted.flatMap((want) => {
    const index = left.findIndex((have) => !match(want, have, ctx).length);
    if (index < 0) return differ(`an item like ${show(want)}`);
    left.splice(index, 1);
    return [];
  });
}

// Summaries of byte streams (GetFile, GetFileTAR).
export function summarizeBytes(responses) {
  const chunks = responses.map((r) => Buffer.from(r.value ?? '', 'base64'));
  const data = Buffer.concat(chunks);
  return {
    size: data.length,
    sha256: createHash('sha256').update(data).digest('hex'),
    max_chunk: Math.max(0, ...chunks.map((c) => c.length)),
    data,
  };
}

export function tarHeaders(data) {
  const entries = [];
  const text = (start, length) =>
    data
      .subarray(start, start + length)
      .toString('utf8')
      .replace(/\0.*$/s, '');
  for (let at = 0; at + 512 <= data.length && data[at] !== 0; ) {
    const size = parseInt(text(at + 124, 12), 8);
    entries.push({ name: text(at, 100), type: text(at + 156, 1), mode: text(at + 100, 8), size });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return entries;
}

function matchBytes(want, responses, ctx) {
  const got = summarizeBytes(responses);
  const problems = [];
  if (want.size !== undefined && want.size !== got.size)
    problems.push(`bytes.size: expected ${want.size}, got ${got.size}`);
  if (want.sha256 && want.sha256 !== got.sha256)
    problems.push(`bytes.sha256: expected ${want.sha256}, got ${got.sha256}`);
  if (want.utf8 !== undefined && want.utf8 !== got.data.toString('utf8'))
    problems.push(`bytes: expected ${show(want.utf8)}, got ${show(got.data.toString('utf8'))}`);
  if (want.chunk_limit && got.max_chunk > want.chunk_limit)
    problems.push(`bytes: a chunk of ${got.max_chunk} exceeds ${want.chunk_limit}`);
  if (want.tar) problems.push(...match(want.tar, tarHeaders(got.data), ctx, 'tar'));
  return problems;
}

// Compares the outcome of a call with the expectation of its step.
export function check(expect, outcome, ctx) {
  if (expect.error) {
    if (!outcome.error) return [`expected error ${expect.error.code}, got ${show(outcome.responses)}`];
    const { code, message } = outcome.error;
    const problems = [expect.error.code].flat().includes(code)
      ? []
      : [`error.code: expected ${expect.error.code}, got ${code} (${message})`];
    const wanted = expect.error.messageMatches;
    if (wanted && !pattern(wanted, ctx).test(message))
      problems.push(`error.message: expected /${wanted}/, got ${show(message)}`);
    return problems;
  }
  if (outcome.error) return [`unexpected error ${outcome.error.code}: ${outcome.error.message}`];
  if (expect.bytes) return matchBytes(expect.bytes, outcome.responses, ctx);
  if (expect.responses) return match(expect.responses, outcome.responses, ctx, 'responses');
  return match(expect.response ?? {}, outcome.responses[0], ctx, 'response');
}

// Paths start at the response of a unary call and at the list of responses of a server stream.
export function save(step, outcome, ctx) {
  const root = outcome.stream ? outcome.responses : outcome.responses?.[0];
  for (const [name, path] of Object.entries(step.save ?? {})) {
    const value = path.split('.').reduce((v, key) => v?.[key], root);
    if (value === undefined) throw new Error(`nothing at "${path}" to save as "${name}"`);
    ctx.saved[name] = value;
  }
}

// ---------------------------------------------------------------- scenarios

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Runs one step until it passes or its `retry_ms` is spent; resolves to a list of problems.
async function runStep(conn, step, ctx, as) {
  if (step.sleep_ms) {
    await sleep(step.sleep_ms);
    return [];
  }
  if (step.parallel) return (await Promise.all(step.parallel.map((s) => runStep(conn, s, ctx, as)))).flat();
  const until = Date.now() + (step.retry_ms ?? 0);
  for (;;) {
    const outcome = await invoke(conn, step, ctx, step.as ?? as);
    const problems = check(step.expect ?? {}, outcome, ctx);
    if (problems.length === 0) {
      save(step, outcome, ctx);
      return [];
    }
    if (Date.now() >= until) return problems.map((p) => `${step.call} ${p}`);
    await sleep(200);
  }
}

export async function runScenario(conn, scenario, tokens) {
  const ctx = newContext(tokens);
  for (const [index, step] of scenario.steps.entries()) {
    let problems;
    try {
      problems = await runStep(conn, step, ctx, scenario.as);
    } catch (err) {
      problems = [`${step.call ?? 'step'} ${err.message}`];
    }
    if (problems.length) return problems.map((p) => `FAIL ${scenario.id} step ${index + 1}: ${p}`);
  }
  return [];
}

async function main() {
  const { values } = parseArgs({
    options: {
      addr: { type: 'string' },
      proto: { type: 'string' },
      file: { type: 'string' },
      token: { type: 'string' },
      only: { type: 'string' },
      verbose: { type: 'boolean' },
    },
  });
  if (!values.addr || !values.proto || !values.file) throw new Error('--addr, --proto and --file are required');
  const tokens = values.token ? JSON.parse(readFileSync(values.token, 'utf8')) : {};
  const wanted = values.only?.split(',');
  const { scenarios } = JSON.parse(readFileSync(values.file, 'utf8'));
  const conn = connect(values.addr, values.proto);
  let passed = 0,
    failed = 0;
  for (const scenario of scenarios.filter((s) => !wanted || wanted.includes(s.id))) {
    const started = Date.now();
    const problems = await runScenario(conn, scenario, tokens);
    problems.length ? failed++ : passed++;
    for (const line of problems) console.log(line);
    if (values.verbose && !problems.length)
      console.log(`ok   ${scenario.id} (${Date.now() - started} ms) ${scenario.title}`);
  }
  conn.close();
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed || !passed ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
