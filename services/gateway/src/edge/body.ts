import { BodyAborted, BodyStalled, type HttpBody } from '../s3/http.ts';
import type { EdgeLimits } from './limits.ts';
import type { UwsResponse } from './uws.ts';

/** The body of a request, from the socket's side. */
export interface IncomingBody {
  readonly body: HttpBody;
  /** Whether all of it came off the socket, read or not. */
  complete(): boolean;
  /** Whether a reader was told that it stalled. */
  stalled(): boolean;
  /** What is still to come off the socket, in bytes; undefined if nobody knows. */
  remainingBytes(): number | undefined;
  /** Bytes that came and were not read. */
  bufferedBytes(): number;
  /** Throws away what comes; resolves to whether all of it came within the limits. */
  discardAll(): Promise<boolean>;
  /**
   * The answer is about to be ended, after which the socket is uWebSockets' own: what still comes is thrown away (`drop`), or left in the
   * socket, which holds the client up until the connection closes (`hold`).
   */
  settle(rest: 'drop' | 'hold'): void;
  /** The client is gone. */
  abort(): void;
  /** Called every second or so: ends what takes too long, and keeps uWebSockets from ending it too early. */
  tick(nowMs: number): void;
}

const NO_BYTES: AsyncIterator<Uint8Array, undefined> = {
  next: () => Promise.resolve({ done: true, value: undefined }),
};

/** A request without a body: no callback, no copy, no timer. */
export const EMPTY_BODY: IncomingBody = {
  body: { lengthBytes: 0, [Symbol.asyncIterator]: () => NO_BYTES },
  complete: () => true,
  stalled: () => false,
  remainingBytes: () => 0,
  bufferedBytes: () => 0,
  discardAll: () => Promise.resolve(true),
  settle: () => undefined,
  abort: () => undefined,
  tick: () => undefined,
};

/**
 * Takes a body off its socket. To be called in the callback of the request: later the first bytes would be lost.
 * `lengthBytes` is what was announced; undefined with chunked coding.
 */
export function receiveBody(res: UwsResponse, lengthBytes: number | undefined, limits: EdgeLimits): IncomingBody {
  const queue: Uint8Array[] = [];
  let queuedBytes = 0;
  let receivedBytes = 0;
  let lastDataMs = Date.now();
  let complete = false;
  let stalled = false;
  let taken = false;
  /** Whether what comes is kept for a reader. */
  let wanted = true;
  let failure: Error | undefined;
  let paused = false;
  /** Whether uWebSockets' own timer may run: `resume` starts it, and only the next request stops it. */
  let timed = true;
  /** Whether the socket is no longer ours: then any call of `res` throws. */
  let released = false;
  let waiting: { readonly wake: () => void; readonly sinceMs: number } | undefined;
  let discarding:
    | { readonly done: (all: boolean) => void; readonly fromBytes: number; readonly sinceMs: number }
    | undefined;

  function pause(): void {
    if (!paused && !released && !complete) {
      paused = true;
      res.pause();
    }
  }

  function resume(): void {
    if (paused && !released) {
      paused = false;
      timed = true;
      res.resume();
    }
  }

  function wake(): void {
    const waiter = waiting;
    waiting = undefined;
    waiter?.wake();
  }

  function stopDiscarding(all: boolean): void {
    const waiter = discarding;
    discarding = undefined;
    waiter?.done(all);
  }

  function drop(why: Error | undefined): void {
    wanted = false;
    failure ??= why;
    queue.length = 0;
    queuedBytes = 0;
    wake();
  }

  res.onData((chunk, isLast) => {
    lastDataMs = Date.now();
    receivedBytes += chunk.byteLength;
    if (wanted && chunk.byteLength > 0) {
      // uWebSockets takes its buffer back when this callback returns.
      queue.push(new Uint8Array(chunk.slice(0)));
      queuedBytes += chunk.byteLength;
    }
    if (isLast) {
      complete = true;
      timed = false;
      resume();
      stopDiscarding(true);
    } else if (queuedBytes > limits.bodyWindowBytes) {
      pause();
    } else if (discarding !== undefined && receivedBytes - discarding.fromBytes > limits.discardMaxBytes) {
      stopDiscarding(false);
    }
    wake();
  });

  async function next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      const chunk = queue.shift();
      if (chunk !== undefined) {
        queuedBytes -= chunk.length;
        if (queuedBytes <= limits.bodyWindowBytes / 2) {
          resume();
        }
        return { done: false, value: chunk };
      }
      if (failure !== undefined) {
        throw failure;
      }
      if (complete || !wanted) {
        return { done: true, value: undefined };
      }
      await new Promise<void>((resolve) => {
        waiting = { wake: resolve, sinceMs: Date.now() };
      });
    }
  }

  return {
    body: {
      lengthBytes,
      [Symbol.asyncIterator]() {
        if (taken) {
          throw new Error('a body may be read once');
        }
        taken = true;
        return {
          next,
          // Who has enough wants no more of it: the socket rests until the answer is there.
          return: () => {
            drop(undefined);
            pause();
            return Promise.resolve({ done: true, value: undefined });
          },
        };
      },
    },
    complete: () => complete,
    stalled: () => stalled,
    remainingBytes: () => (complete ? 0 : lengthBytes === undefined ? undefined : lengthBytes - receivedBytes),
    bufferedBytes: () => queuedBytes,
    discardAll() {
      drop(answered());
      resume();
      if (complete || released) {
        return Promise.resolve(complete);
      }
      return new Promise((done) => {
        discarding = { done, fromBytes: receivedBytes, sinceMs: Date.now() };
      });
    },
    settle(rest) {
      if (!complete) {
        drop(answered());
      }
      if (rest === 'hold') {
        pause();
      } else {
        resume();
      }
      released = true;
    },
    abort() {
      released = true;
      if (!complete) {
        drop(new BodyAborted('the client closed the connection before its body was there'));
      }
      stopDiscarding(false);
    },
    tick(nowMs) {
      if (released) {
        return;
      }
      if (discarding !== undefined && nowMs - discarding.sinceMs > limits.discardTimeoutMs) {
        stopDiscarding(false);
      }
      if (waiting !== undefined && nowMs - Math.max(waiting.sinceMs, lastDataMs) > limits.bodyIdleTimeoutMs) {
        stalled = true;
        drop(new BodyStalled(`nothing of the body came for ${limits.bodyIdleTimeoutMs} ms`));
      }
      if (timed && !paused) {
        restartTimer(res);
      }
    },
  };
}

/**
 * Gives the client another ten seconds: uWebSockets closes a socket that is slower than it likes, and only these two calls, in
 * this order, start its timer anew.
 */
export function restartTimer(res: UwsResponse): void {
  res.pause();
  res.resume();
}

function answered(): Error {
  return new BodyAborted('the request was answered before its body was read');
}
