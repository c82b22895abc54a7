import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** A span, as it was exported. Ids are hex. */
export interface ExportedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** 2: it failed. */
  readonly status: number;
}

export interface Collector {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  /** All bodies that came to a path, such as /v1/traces. */
  bodies(path: string): readonly Buffer[];
  spans(): readonly ExportedSpan[];
  stop(): Promise<void>;
}

/** Takes what is exported by OTLP over HTTP. */
export async function startCollector(): Promise<Collector> {
  const received: { readonly path: string; readonly body: Buffer }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
      received.push({ path: request.url ?? '', body: plain });
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const bodies = (path: string) => received.filter((one) => one.path === path).map(({ body }) => body);
  return {
    url: `http://127.0.0.1:${port}`,
    bodies,
    spans: () => bodies('/v1/traces').flatMap(spansOf),
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Protobuf: the fields of a message, by number. Source: opentelemetry-proto, trace/v1/trace.proto and common/v1/common.proto. */
type Fields = ReadonlyMap<number, readonly (Buffer | bigint)[]>;

function fieldsOf(bytes: Buffer): Fields {
  const fields = new Map<number, (Buffer | bigint)[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  const valueOfType = (type: number): Buffer | bigint => {
    if (type === 0) return varint();
    if (type === 1 || type === 5) return take(type === 1 ? 8 : 4);
    if (type === 2) return take(Number(varint()));
    throw new Error(`not protobuf: wire type ${type}`);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const value = valueOfType(tag & 7);
    const known = fields.get(tag >> 3);
    if (known === undefined) fields.set(tag >> 3, [value]);
    else known.push(value);
  }
  return fields;
}

const messages = (fields: Fields, number: number): readonly Fields[] => buffers(fields, number).map(fieldsOf);
const buffers = (fields: Fields, number: number): readonly Buffer[] =>
  (fields.get(number) ?? []).filter((value) => Buffer.isBuffer(value));
const text = (fields: Fields, number: number): string => buffers(fields, number)[0]?.toString() ?? '';
const hex = (fields: Fields, number: number): string => buffers(fields, number)[0]?.toString('hex') ?? '';
const integer = (fields: Fields, number: number): number => Number(fields.get(number)?.[0] ?? 0);

function spansOf(body: Buffer): readonly ExportedSpan[] {
  const scopes = messages(fieldsOf(body), 1).flatMap((resource) => messages(resource, 2));
  return scopes
    .flatMap((scope) => messages(scope, 2))
    .map((span) => ({
      traceId: hex(span, 1),
      spanId: hex(span, 2),
      parentSpanId: hex(span, 4),
      name: text(span, 5),
      kind: integer(span, 6),
      attributes: Object.fromEntries(
        messages(span, 9).map((pair) => [text(pair, 1), attributeOf(messages(pair, 2)[0])]),
      ),
      links: messages(span, 13).map((link) => ({ traceId: hex(link, 1), spanId: hex(link, 2) })),
      status: messages(span, 15).map((status) => integer(status, 3))[0] ?? 0,
    }));
}

function attributeOf(value: Fields | undefined): string | number {
  if (value === undefined) return '';
  if (value.has(1)) return text(value, 1);
  if (value.has(3)) return integer(value, 3);
  // Of a list the first is enough here.
  return (
    messages(value, 5)
      .flatMap((list) => messages(list, 1))
      .map(attributeOf)[0] ?? ''
  );
}
