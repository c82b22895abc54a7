import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { Outcome } from './outcome.ts';

/**
 * Spans, as far as the rest of the house sees them. Where tracing is off, and in requests whose trace is not kept, each function here
 * looks at one variable and goes on. Where it is on, the span that work belongs to is found by the asynchronous context of Node.
 */

export interface Tracers {
  /** Of requests: keeps what the sampler says. */
  readonly requests: Tracer;
  /** Keeps all it is asked for. */
  readonly rounds: Tracer;
  /** The context that a client sent along, or that of a new trace; undefined: the request is not to be traced. */
  contextOf(header: (name: string) => string | undefined): Context | undefined;
}

export type { Span };

let tracers: Tracers | undefined;
const current = new AsyncLocalStorage<Span | undefined>();
/** Spans that have not ended. */
let open = 0;

function start(tracer: Tracer, name: string, options: SpanOptions, context: Context): Span {
  open += 1;
  return tracer.startSpan(name, options, context);
}

/** As long as a context is kept, Node looks at it at each promise of all requests; so it is kept while there is one to be found. */
function end(span: Span): void {
  span.end();
  open -= 1;
  if (open === 0) current.disable();
}

/** Switches tracing on, for as long as the process lives. */
export function traceWith(given: Tracers): void {
  tracers = given;
}

/** Runs work as a child of the span that is current, if there is one. */
export function inSpan<T>(name: string, work: () => Promise<T>, attributes?: Attributes): Promise<T> {
  const span = startChild(name, SpanKind.INTERNAL, attributes);
  return span === undefined ? work() : spanned(span, work);
}

/** The same for what is asked of another service. */
export function inClientSpan<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
  const span = startChild(name, SpanKind.CLIENT, attributes);
  return span === undefined ? work() : spanned(span, work);
}

/** Runs what serves nobody in particular, or many, and must not be taken for a part of who began it. */
export function outsideSpans<T>(work: () => T): T {
  return tracers === undefined ? work() : current.exit(work);
}

export function currentSpan(): Span | undefined {
  return tracers === undefined ? undefined : current.getStore();
}

/** A call that may be sent several times, each time a span of its own. */
export interface CallSpan {
  /** What goes with the call, so that who serves it can join the trace. */
  readonly traceparent: string;
  readonly traceId: string;
  failed(kind: string, why: string): void;
  end(): void;
}

/** @param describe asked only where there is a trace */
export function startCall(describe: () => { name: string; attributes: Attributes }): CallSpan | undefined {
  if (currentSpan() === undefined) return undefined;
  const { name, attributes } = describe();
  const span = startChild(name, SpanKind.CLIENT, attributes);
  return (
    span && {
      traceparent: traceparentOf(span.spanContext()),
      traceId: span.spanContext().traceId,
      failed: (kind, why) => markFailed(span, kind, why),
      end: () => end(span),
    }
  );
}

/**
 * Runs a round as a trace of its own, if any of those that it serves is traced: its span is linked with theirs, and theirs with it.
 * @param writers the spans of those who wait for it
 */
export function inRound<T>(writers: readonly (Span | undefined)[], work: () => Promise<T>): Promise<T> {
  const served = writers.filter((span) => span !== undefined);
  if (tracers === undefined || served.length === 0) return work();
  const links = served.map((span) => ({ context: span.spanContext() }));
  const attributes = { 'tusk.round.writes': writers.length };
  const round = start(tracers.rounds, 'round', { kind: SpanKind.INTERNAL, links, attributes }, ROOT_CONTEXT);
  for (const span of served) span.addLink({ context: round.spanContext() });
  return spanned(round, work);
}

/** The span of a request: all of it runs in there. */
export interface RequestSpan {
  /** undefined: its trace is not kept. */
  readonly traceId: string | undefined;
  run<T>(work: () => T): T;
  /** Pulls an answer's body as a part of the request, though the request has been answered. */
  around<T>(chunks: AsyncIterable<T>): AsyncIterable<T>;
  end(outcome: Outcome): void;
}

const UNTRACED: RequestSpan = {
  traceId: undefined,
  run: (work) => work(),
  around: (chunks) => chunks,
  end: () => undefined,
};

/** @param header of the request, by its lower-case name */
export function startRequest(header: (name: string) => string | undefined): RequestSpan {
  if (tracers === undefined) return UNTRACED;
  const context = tracers.contextOf(header);
  if (context === undefined) return UNTRACED;
  const span = start(tracers.requests, 'request', { kind: SpanKind.SERVER }, context);
  if (!span.isRecording()) {
    end(span);
    return UNTRACED;
  }
  const run = <T>(work: () => T): T => current.run(span, work);
  return {
    traceId: span.spanContext().traceId,
    run,
    around: (chunks) => ({
      [Symbol.asyncIterator]() {
        const iterator = run(() => chunks[Symbol.asyncIterator]());
        return {
          next: () => run(() => iterator.next()),
          return: async () => (await run(() => iterator.return?.())) ?? { done: true, value: undefined },
        };
      },
    }),
    end(outcome) {
      const { operation, status, code, cause } = outcome;
      span.updateName(operation);
      describeRequest(span, outcome, header);
      if (status >= 500) markFailed(span, code ?? String(status), cause instanceof Error ? cause.message : '');
      end(span);
    },
  };
}

/** Sources: OpenTelemetry semantic conventions, "HTTP server" and "AWS SDK". The query is left out: credentials may stand in it. */
function describeRequest(span: Span, outcome: Outcome, header: (name: string) => string | undefined): void {
  const { target, code, sentId } = outcome;
  span.setAttribute('http.request.method', outcome.method);
  span.setAttribute('url.path', outcome.rawPath);
  span.setAttribute('http.response.status_code', outcome.status);
  span.setAttribute('http.request.body.size', outcome.bytesIn);
  span.setAttribute('http.response.body.size', outcome.bytesOut);
  span.setAttribute('rpc.system', 'aws-api');
  span.setAttribute('rpc.service', 'S3');
  span.setAttribute('rpc.method', outcome.operation);
  span.setAttribute('aws.request_id', outcome.requestId);
  if (target.bucket !== undefined) span.setAttribute('aws.s3.bucket', target.bucket);
  if (target.key !== undefined) span.setAttribute('aws.s3.key', target.key);
  if (code !== undefined) span.setAttribute('error.type', code);
  if (sentId !== undefined) span.setAttribute('http.request.header.x-request-id', [sentId]);
  const [host, agent] = [header('host'), header('user-agent')];
  // Without its port.
  if (host !== undefined) span.setAttribute('server.address', host.replace(/:\d+$/, ''));
  if (agent !== undefined) span.setAttribute('user_agent.original', agent);
}

function startChild(name: string, kind: SpanKind, attributes: Attributes = {}): Span | undefined {
  if (tracers === undefined) return undefined;
  const parent = current.getStore();
  return parent && start(tracers.requests, name, { kind, attributes }, trace.setSpan(ROOT_CONTEXT, parent));
}

async function spanned<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await current.run(span, work);
  } catch (error) {
    const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
    markFailed(span, name, message);
    throw error;
  } finally {
    end(span);
  }
}

function markFailed(span: Span, kind: string, message: string): void {
  span.setAttribute('error.type', kind);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

/** Source: W3C Trace Context, 3.2. Only what is kept is told of. */
function traceparentOf({ traceId, spanId }: SpanContext): string {
  return `00-${traceId}-${spanId}-01`;
}
