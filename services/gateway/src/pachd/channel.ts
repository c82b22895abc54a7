import { setDefaultHighWaterMark } from 'node:stream';
import {
  type CallOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { type ContentChannel, openContentChannel } from './content-stream.ts';
import { PachdError, toPachdError } from './errors.ts';
import type { Caller } from './model.ts';
import { AuthClient, HealthClient, PfsClient } from './proto.ts';
import { resetLater } from './reset.ts';

// A stream of messages keeps 16 of them by default, and pachd's may have 19 MiB each: one at a time bounds a reader's memory.
setDefaultHighWaterMark(true, 1);

/** pachd sends file content in messages of up to 19 MiB. */
const MESSAGE_MAX_BYTES = 20 << 20;
/** How long pachd may take to refuse a stream that was spoilt, before the call is cancelled. */
const REFUSAL_MAX_MS = 2_000;

/** One pachd: its address, its stubs over one HTTP/2 connection, and how many calls are under way. */
export interface Channel {
  readonly address: string;
  readonly pfs: PfsClient;
  readonly auth: AuthClient;
  readonly health: HealthClient;
  /** For what is read in large amounts. */
  readonly content: ContentChannel;
  inFlight: number;
  /** Until when it is left alone after a failed connection, in the clock of performance.now(). */
  ejectedUntilMs: number;
  close(): void;
}

export function openChannel(address: { readonly host: string; readonly port: number; readonly tls: boolean }): Channel {
  const target = `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
  const creds = address.tls ? credentials.createSsl() : credentials.createInsecure();
  const options = {
    'grpc.max_receive_message_length': MESSAGE_MAX_BYTES,
    'grpc.max_send_message_length': MESSAGE_MAX_BYTES,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    // Retries are tusk's own decision: what may have had an effect, or have ended a server, is not sent again.
    'grpc.enable_retries': 0,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
  };
  const pfs = new PfsClient(target, creds, options);
  const shared = { ...options, channelOverride: pfs.getChannel() };
  const auth = new AuthClient(target, creds, shared);
  const health = new HealthClient(target, creds, shared);
  const content = openContentChannel(target, address.tls);
  const close = () => {
    pfs.close();
    content.close();
  };
  return { address: target, pfs, auth, health, content, inFlight: 0, ejectedUntilMs: 0, close };
}

/** The metadata of a call: the token, and nothing of the request that led to it. */
function metadataOf(caller: Caller): Metadata {
  const metadata = new Metadata();
  if (caller.token !== undefined) metadata.set('authn-token', caller.token);
  return metadata;
}

type Started<Call> = (metadata: Metadata, options: CallOptions) => Call;

/** Runs a unary call. Ends it when the caller's signal is aborted. @throws PachdError */
export function unary<Response>(
  name: string,
  channel: Channel,
  caller: Caller,
  deadlineMs: number,
  start: (
    metadata: Metadata,
    options: CallOptions,
    done: (error: ServiceError | null, response: Response) => void,
  ) => ClientUnaryCall,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    channel.inFlight += 1;
    const call = start(metadataOf(caller), { deadline: Date.now() + deadlineMs }, (error, response) => {
      channel.inFlight -= 1;
      caller.signal.removeEventListener('abort', cancel);
      if (error) reject(toPachdError(name, error));
      else resolve(response);
    });
    const cancel = () => resetLater(() => call.cancel());
    if (caller.signal.aborted) cancel();
    else caller.signal.addEventListener('abort', cancel, { once: true });
  });
}

/**
 * Runs a call that answers with a stream. Messages are pulled one at a time; leaving the loop early, or an abort of the caller's
 * signal, ends the call at pachd. @throws PachdError
 */
export async function* serverStream<Message>(
  name: string,
  channel: Channel,
  caller: Caller,
  deadlineMs: number,
  start: Started<ClientReadableStream<Message>>,
): AsyncGenerator<Message, void, undefined> {
  channel.inFlight += 1;
  const call = start(metadataOf(caller), { deadline: Date.now() + deadlineMs });
  const cancel = () => resetLater(() => call.cancel());
  ignoreRepeatedErrors(call);
  if (caller.signal.aborted) cancel();
  else caller.signal.addEventListener('abort', cancel, { once: true });
  let ended = false;
  try {
    for await (const message of call) yield message as Message;
    ended = true;
  } catch (error) {
    ended = true;
    throw toPachdError(name, error);
  } finally {
    channel.inFlight -= 1;
    caller.signal.removeEventListener('abort', cancel);
    // Each call that is left early resets its HTTP/2 stream, and a server may end a connection with too many of these.
    if (!ended) cancel();
  }
}

/**
 * Runs a call that is fed by a stream. Messages are sent as fast as pachd takes them. If the source throws, or the caller's signal is
 * aborted before the last message, pachd drops the call whole.
 * @param spoiling a message that makes pachd refuse the call @throws PachdError, and what the source throws
 */
export async function clientStream<Request, Response>(
  name: string,
  channel: Channel,
  caller: Caller,
  deadlineMs: number,
  messages: AsyncIterable<Request> | Iterable<Request>,
  spoiling: Request,
  start: (
    metadata: Metadata,
    options: CallOptions,
    done: (error: ServiceError | null, response: Response) => void,
  ) => ClientWritableStream<Request>,
): Promise<Response> {
  channel.inFlight += 1;
  let state = 'sending' as 'sending' | 'spoilt' | 'sent' | 'answered';
  let gone = false;
  let wake = () => {};
  let cancel = () => {};
  let write: (message: Request) => boolean = () => false;
  let end = () => {};
  const answer = new Promise<Response>((resolve, reject) => {
    const call = start(metadataOf(caller), { deadline: Date.now() + deadlineMs }, (error, response) => {
      state = 'answered';
      wake();
      if (error) reject(toPachdError(name, error));
      else resolve(response);
    });
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
  if (caller.signal.aborted) abort();
  else caller.signal.addEventListener('abort', abort, { once: true });
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
    channel.inFlight -= 1;
    caller.signal.removeEventListener('abort', abort);
  }
}

/** A call tells its error by its answer and once more as an event, which would end the process if nobody listened. */
function ignoreRepeatedErrors(call: { on(event: 'error', listener: () => void): unknown }): void {
  call.on('error', () => {});
}
