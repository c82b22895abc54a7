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
import { describeOutcome, describeSent, type TracedRequest } from './describe-request.ts';
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
  contextOf(carrier: Carrier): Context | undefined;
}

type Carrier = TracedRequest['headers'];

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
export function inSpan<T>(name: string, work: () => Promise<T>, attributes?: Attributes): Promise<T>;
export function inSpan<T>(name: string, work: () => T | Promise<T>, attributes?: Attributes): T | Promise<T>;
export function inSpan<T>(name: string, work: () => T | Promise<T>, attributes?: Attributes): T | Promise<T> {
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
  readonly headers: Readonly<Record<string, string>>;
  readonly traceId: string;
  setAttribute(name: string, value: number): void;
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
      headers: headersOf(span.spanContext()),
      traceId: span.spanContext().traceId,
      setAttribute: (attribute, value) => void span.setAttribute(attribute, value),
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

export function startRequest(request: TracedRequest, scheme: 'http' | 'https'): RequestSpan {
  if (tracers === undefined) return UNTRACED;
  const context = tracers.contextOf(request.headers);
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
      const { status, code, cause } = outcome;
      describeOutcome(span, outcome);
      describeSent(span, request, scheme);
      if (status >= 500) markFailed(span, code ?? String(status), cause instanceof Error ? cause.message : '');
      end(span);
    },
  };
}

function startChild(name: string, kind: SpanKind, attributes: Attributes = {}): Span | undefined {
  if (tracers === undefined) return undefined;
  const parent = current.getStore();
  return parent && start(tracers.requests, name, { kind, attributes }, trace.setSpan(ROOT_CONTEXT, parent));
}

async function spanned<T>(span: Span, work: () => T | Promise<T>): Promise<T> {
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

/** Source: W3C Trace Context, 3.2 and 3.3. Only what is kept is told of; what others said of the trace goes on as it came. */
function headersOf({ traceId, spanId, traceState }: SpanContext): Readonly<Record<string, string>> {
  const traceparent = `00-${traceId}-${spanId}-01`;
  const tracestate = traceState?.serialize() ?? '';
  return tracestate === '' ? { traceparent } : { traceparent, tracestate };
}
