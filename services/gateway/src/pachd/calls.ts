import { setDefaultHighWaterMark } from 'node:stream';
import {
  type CallOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import type { Attempt } from './attempt.ts';
import { PachdError, toPachdError } from './errors.ts';
import { resetLater } from './reset.ts';

// A stream of messages keeps 16 of them by default, and pachd's may have 19 MiB each: one at a time bounds a reader's memory.
setDefaultHighWaterMark(true, 1);

/** How long pachd may take to refuse a stream that was spoilt, before the call is cancelled. */
const REFUSAL_MAX_MS = 2_000;

/** The metadata of a call: the token, and of the request that led to it no more than its trace. */
function metadataOf({ token, trace = {} }: Attempt): Metadata {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authn-token', token);
  for (const [name, value] of Object.entries(trace)) metadata.set(name, value);
  return metadata;
}

type Started<Call> = (metadata: Metadata, options: CallOptions) => Call;

/** Runs a unary call. Ends it when the attempt's signal is aborted. @throws PachdError */
export function unary<Response>(
  attempt: Attempt,
  start: (
    metadata: Metadata,
    options: CallOptions,
    done: (error: ServiceError | null, response: Response) => void,
  ) => ClientUnaryCall,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const { name, signal, deadlineMs } = attempt;
    const done = (error: ServiceError | null, response: Response) => {
      signal.removeEventListener('abort', cancel);
      if (error) reject(toPachdError(name, error));
      else resolve(response);
    };
    const call = begin(name, () => start(metadataOf(attempt), { deadline: deadlineMs }, done));
    const cancel = () => resetLater(() => call.cancel());
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
  });
}

/**
 * Runs a call that answers with a stream. Messages are pulled one at a time; leaving the loop early, or an abort of the attempt's
 * signal, ends the call at pachd. @throws PachdError
 */
export async function* serverStream<Message>(
  attempt: Attempt,
  start: Started<ClientReadableStream<Message>>,
): AsyncGenerator<Message, void, undefined> {
  const { name, signal, deadlineMs } = attempt;
  const call = begin(name, () => start(metadataOf(attempt), { deadline: deadlineMs }));
  const cancel = () => resetLater(() => call.cancel());
  ignoreRepeatedErrors(call);
  if (signal.aborted) cancel();
  else signal.addEventListener('abort', cancel, { once: true });
  let ended = false;
  try {
    for await (const message of call) yield message as Message;
    ended = true;
  } catch (error) {
    ended = true;
    throw toPachdError(name, error);
  } finally {
    signal.removeEventListener('abort', cancel);
    // Each call that is left early resets its HTTP/2 stream, and a server may end a connection with too many of these.
    if (!ended) cancel();
  }
}

/**
 * Runs a call that is fed by a stream. Messages are sent as fast as pachd takes them. If the source throws, or the attempt's signal is
 * aborted before the last message, pachd drops the call whole.
 * @param spoiling a message that makes pachd refuse the call @throws PachdError, and what the source throws
 */
export async function clientStream<Request, Response>(
  attempt: Attempt,
  messages: AsyncIterable<Request> | Iterable<Request>,
  spoiling: Request,
  start: (
    metadata: Metadata,
    options: CallOptions,
    done: (error: ServiceError | null, response: Response) => void,
  ) => ClientWritableStream<Request>,
): Promise<Response> {
  const { name, signal, deadlineMs } = attempt;
  let state = 'sending' as 'sending' | 'spoilt' | 'sent' | 'answered';
  let gone = false;
  let wake = () => {};
  let cancel = () => {};
  let write: (message: Request) => boolean = () => false;
  let end = () => {};
  const answer = new Promise<Response>((resolve, reject) => {
    const done = (error: ServiceError | null, response: Response) => {
      state = 'answered';
      wake();
      if (error) reject(toPachdError(name, error));
      else resolve(response);
    };
    const call = begin(name, () => start(metadataOf(attempt), { deadline: deadlineMs }, done));
    call.on('drain', () => wake());
    ignoreRepeatedErrors(call);
    write = (message) => call.write(message);
    end = () => call.end();
    cancel = () => resetLater(() => call.cancel());
  });
  // It may be refused long before anybody waits for it; whoever waits hears of it all the same.
  answer.catch(() => {});
  /** The library ends a stream before it resets it, so that the half of it would be taken for all: it must be wrong before it ends. */
  const spoil = () => {
    if (state !== 'sending') return;
    state = 'spoilt';
    write(spoiling);
    end();
    wake();
  };
  const abort = () => {
    gone = true;
    if (state === 'sending') spoil();
    else cancel();
  };
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  try {
    for await (const message of messages) {
      if (state !== 'sending') break;
      const drained = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (!write(message) && state === 'sending') await drained;
    }
    if (state === 'sending') {
      state = 'sent';
      end();
    } else if (gone) throw new PachdError('canceled', name, 'the caller went away');
    return await answer;
  } catch (error) {
    spoil();
    const timer = setTimeout(cancel, REFUSAL_MAX_MS);
    await answer.catch(() => {});
    clearTimeout(timer);
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** A channel that was closed since it was chosen throws instead of giving a call. */
function begin<Begun>(name: string, start: () => Begun): Begun {
  try {
    return start();
  } catch (error) {
    throw toPachdError(name, error);
  }
}

/** A call tells its error by its answer and once more as an event, which would end the process if nobody listened. */
function ignoreRepeatedErrors(call: { on(event: 'error', listener: () => void): unknown }): void {
  call.on('error', () => {});
}
