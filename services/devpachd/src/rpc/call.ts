import type { EventEmitter } from 'node:events';
import {
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type ServerReadableStream,
} from '@grpc/grpc-js';
import type { App } from '../app.ts';
import { authenticate, type Caller } from '../auth/tokens.ts';
import { InjectedError } from '../faults/faults.ts';
import type { Meter } from '../latency/latency.ts';
import { PfsError } from '../store/errors.ts';
import { toRpcError } from './errors.ts';

/** What a handler knows of its call. */
export interface Context {
  /** Who calls; undefined while auth is off, and in calls that need no token. */
  readonly caller: Caller | undefined;
  /** Who calls, for calls that need no token: throws when it comes to need one. */
  readonly requireCaller: () => Caller | undefined;
  /** Aborts when the client is gone or its deadline is over. */
  readonly signal: AbortSignal;
  /** What the call does, as far as that is to take its time. */
  readonly meter: Meter;
}

const RESET_WAIT_MS = 1;
/** What a stream's changes take to be written when they have all come. */
const EFFECT_MS = 6;

export type Send<T> = (message: T) => Promise<void>;

/** Turns handlers into gRPC's, each of them counted, authenticated, cancelled and its errors told in one place. */
export interface Calls {
  readonly unary: <Q, R>(handler: (request: Q, context: Context) => R | Promise<R>) => handleUnaryCall<Q, R>;
  readonly stream: <Q, R>(
    handler: (request: Q, context: Context, send: Send<R>) => Promise<void>,
  ) => handleServerStreamingCall<Q, R>;
  readonly upload: <Q, R>(
    handler: (requests: AsyncIterator<Q>, context: Context) => Promise<R>,
  ) => handleClientStreamingCall<Q, R>;
}

/** `token`: whether the calls need one when auth is on. */
export function createCalls(app: App, options: { readonly token: boolean }): Calls {
  const enter = (call: { readonly getPath: () => string }): Meter => {
    const method = methodOf(call);
    app.db.refresh();
    app.counters.call(method);
    return app.latency.begin(method);
  };
  const contextOf = (call: EventEmitter & { readonly metadata: Metadata }, meter: Meter): Context => {
    const abort = new AbortController();
    call.on('cancelled', () => abort.abort());
    const requireCaller = () => (app.authOn ? authenticate(app.db, tokenOf(call.metadata)) : undefined);
    return { caller: options.token ? requireCaller() : undefined, requireCaller, signal: abort.signal, meter };
  };
  const faultsOf = (call: { readonly getPath: () => string; readonly getPeer: () => string }) => {
    const method = methodOf(call);
    const peer = call.getPeer();
    return (when: 'before' | 'after') => app.faults.at(method, when, () => app.cut(peer));
  };
  const failed = (call: { readonly getPath: () => string }, error: unknown) => {
    app.counters.failure(methodOf(call));
    if (!(error instanceof PfsError || error instanceof InjectedError)) app.onError(error);
    return toRpcError(error);
  };

  return {
    unary: (handler) => (call, callback) => {
      const meter = enter(call);
      void (async () => {
        try {
          const context = contextOf(call, meter);
          const fault = faultsOf(call);
          await fault('before');
          const answer = await handler(call.request, context);
          await fault('after');
          await meter.pace();
          callback(null, answer);
        } catch (error) {
          await meter.pace();
          callback(failed(call, error));
        } finally {
          meter.end();
        }
      })();
    },
    stream: (handler) => (call) => {
      const meter = enter(call);
      void (async () => {
        try {
          const context = contextOf(call, meter);
          const fault = faultsOf(call);
          await fault('before');
          await handler(call.request, context, async (message) => {
            meter.cost.sent++;
            await meter.pace(context.signal);
            await sendTo(call, message, context.signal);
          });
          await fault('after');
          await meter.pace(context.signal);
          call.end();
        } catch (error) {
          await meter.pace();
          const { code, details } = failed(call, error);
          call.emit('error', { code, details });
        } finally {
          meter.end();
        }
      })();
    },
    upload: (handler) => (call, callback) => {
      const meter = enter(call);
      void (async () => {
        try {
          const context = contextOf(call, meter);
          const fault = faultsOf(call);
          const atEnd = async () => {
            await meter.pace(context.signal, EFFECT_MS);
            await fault('before');
          };
          const answer = await handler(wholeStream(call, context.signal, atEnd), context);
          await fault('after');
          await meter.pace();
          callback(null, answer);
        } catch (error) {
          callback(failed(call, error));
          // What the client still sends is read and dropped, so that it gets to see the answer.
          call.on('error', () => undefined);
          call.resume();
        } finally {
          meter.end();
        }
      })();
    },
  };
}

/**
 * The messages of a client's stream. A stream that the client broke off must not be taken for one that ended: half of it would be committed.
 * But Node's HTTP/2 client ends a stream before it resets it, so the end counts only when no reset has come a moment later. (A real pachd is
 * so much slower with a commit that the reset comes in time.) Sending headers is what makes grpc-js notice that a stream is closed already.
 */
async function* wholeStream<Q>(
  call: ServerReadableStream<Q, unknown>,
  signal: AbortSignal,
  atEnd: () => Promise<void>,
): AsyncGenerator<Q> {
  try {
    for await (const message of call) yield message as Q;
  } catch (error) {
    throw call.cancelled || signal.aborted ? new PfsError('cancelled', 'context canceled', { cause: error }) : error;
  }
  call.sendMetadata(new Metadata());
  await new Promise((resolve) => setTimeout(resolve, RESET_WAIT_MS));
  // By then the event loop has looked at its sockets at least once.
  await new Promise((resolve) => setImmediate(resolve));
  await atEnd();
  if (call.cancelled || signal.aborted) throw new PfsError('cancelled', 'context canceled');
}

function methodOf(call: { readonly getPath: () => string }): string {
  return call.getPath().replace(/^\//, '');
}

function tokenOf(metadata: Metadata): string | undefined {
  return metadata.get('authn-token')[0]?.toString();
}

/** Writes, and waits while the client reads more slowly than that. */
async function sendTo<R>(
  call: EventEmitter & { readonly write: (message: R) => boolean },
  message: R,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) throw new PfsError('cancelled', 'context canceled');
  if (call.write(message)) return;
  await new Promise<void>((resolve, reject) => {
    const done = () => {
      call.off('drain', done);
      signal.removeEventListener('abort', aborted);
      resolve();
    };
    const aborted = () => {
      call.off('drain', done);
      reject(new PfsError('cancelled', 'context canceled'));
    };
    call.on('drain', done);
    signal.addEventListener('abort', aborted, { once: true });
  });
}
