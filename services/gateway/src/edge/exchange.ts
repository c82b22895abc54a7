import { setMaxListeners } from 'node:events';
import type { Handle, HttpBody, HttpHeaders, HttpRequest } from '../s3/http.ts';
import { EMPTY_BODY, type IncomingBody, receiveBody } from './body.ts';
import type { EdgeLimits } from './limits.ts';
import { bodyFraming, type RequestHead, readHead } from './request.ts';
import { type Framing, type OutgoingAnswer, outgoingAnswer } from './response.ts';
import type { UwsRequest, UwsResponse } from './uws.ts';

/** One request and its answer. */
export interface Exchange {
  bufferedBytes(): number;
  tick(nowMs: number): void;
}

export interface ExchangeContext {
  readonly handle: Handle;
  readonly limits: EdgeLimits;
  /** Whether answers are to be the last of their connections. */
  isDraining(): boolean;
  begun(exchange: Exchange): void;
  ended(exchange: Exchange): void;
  /** Told of what nobody else can be told: a `handle` that threw, a stream that broke. */
  readonly onFault: (fault: unknown) => void;
}

/** Takes a request from uWebSockets; to be called in its callback. Nothing it does throws. */
export function startExchange(res: UwsResponse, req: UwsRequest, context: ExchangeContext): void {
  const head = readHead(req);
  const framing = bodyFraming(head.headers);
  if (framing.kind === 'invalid') {
    res.writeStatus('400 Bad Request').end(undefined, true);
    return;
  }
  const lengthBytes = framing.kind === 'length' ? framing.lengthBytes : undefined;
  const incoming = lengthBytes === 0 ? EMPTY_BODY : receiveBody(res, lengthBytes, context.limits);
  const outgoing = outgoingAnswer(res, context.limits, context.onFault);
  const client = new Client();
  const exchange = new BothWays(incoming, outgoing);
  res.onAborted(() => {
    outgoing.abort();
    incoming.abort();
    client.abort();
  });
  context.begun(exchange);
  serve(exchange, head, incoming, outgoing, client, context).catch(context.onFault);
}

async function serve(
  exchange: Exchange,
  head: RequestHead,
  incoming: IncomingBody,
  outgoing: OutgoingAnswer,
  client: Client,
  context: ExchangeContext,
): Promise<void> {
  try {
    const answer = await context.handle(new IncomingRequest(head, incoming.body, client));
    await leaveParser();
    const connection = incoming.complete()
      ? settled(incoming, context)
      : await settle(incoming, wantsClose(head), context);
    await outgoing.send(answer, { isHead: head.method === 'HEAD', connection });
  } catch (fault) {
    context.onFault(fault);
    await leaveParser();
    outgoing.cut();
  } finally {
    context.ended(exchange);
  }
}

/**
 * uWebSockets runs what a promise continues with while it still parses the data that came. An answer that is written then shares a buffer with
 * earlier ones and may lose its headers when that is full; and a socket that is closed then is read on in chunked bodies.
 */
function leaveParser(): Promise<void> {
  leaving ??= new Promise((resolve) => {
    setImmediate(() => {
      leaving = undefined;
      resolve();
    });
  });
  return leaving;
}

/** All requests of one turn of the event loop leave together. */
let leaving: Promise<void> | undefined;

/**
 * What becomes of a body that was not read. A small rest is thrown away after the answer. With a large one the answer says that the
 * connection ends, and the rest stays in the socket, so that the client has ten seconds to read the answer (`hold`). If the rest is of
 * unknown size, or the client itself ends the connection (then uWebSockets closes it at once, and unread bytes would make the system
 * drop the answer), some of it is taken before the answer.
 */
async function settle(
  incoming: IncomingBody,
  clientCloses: boolean,
  context: ExchangeContext,
): Promise<Framing['connection']> {
  if (!incoming.stalled()) {
    const rest = incoming.remainingBytes();
    if (!clientCloses && rest !== undefined && rest <= context.limits.discardMaxBytes) {
      incoming.settle('drop');
      return context.isDraining() ? 'hold' : 'keep';
    }
    if (rest === undefined || clientCloses) {
      await incoming.discardAll();
      await leaveParser();
    }
  }
  if (incoming.complete()) return settled(incoming, context);
  incoming.settle('hold');
  return 'hold';
}

function settled(incoming: IncomingBody, context: ExchangeContext): Framing['connection'] {
  incoming.settle('drop');
  return context.isDraining() ? 'close' : 'keep';
}

function wantsClose(head: RequestHead): boolean {
  return head.headers.get('connection')?.toLowerCase() === 'close';
}

/**
 * A class: V8 makes a hidden class of its own for each literal that has a getter, and what that getter holds on to, here the whole request,
 * stays in memory until the next full collection.
 */
class IncomingRequest implements HttpRequest {
  readonly method: string;
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly headers: HttpHeaders;
  readonly body: HttpBody;
  readonly #client: Client;

  constructor({ method, rawPath, rawQuery, headers }: RequestHead, body: HttpBody, client: Client) {
    this.method = method;
    this.rawPath = rawPath;
    this.rawQuery = rawQuery;
    this.headers = headers;
    this.body = body;
    this.#client = client;
  }

  get signal(): AbortSignal {
    return this.#client.signal;
  }
}

class BothWays implements Exchange {
  readonly #incoming: IncomingBody;
  readonly #outgoing: OutgoingAnswer;

  constructor(incoming: IncomingBody, outgoing: OutgoingAnswer) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  bufferedBytes(): number {
    return this.#incoming.bufferedBytes() + this.#outgoing.bufferedBytes();
  }

  tick(nowMs: number): void {
    this.#incoming.tick(nowMs);
    this.#outgoing.tick(nowMs);
  }
}

/** Whether the client is there. A signal of it is made only for those who ask: it costs more than the rest of a small request. */
class Client {
  #controller: AbortController | undefined;
  #isGone = false;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      // Every call to pachd that serves the request listens to it.
      setMaxListeners(0, this.#controller.signal);
      if (this.#isGone) {
        this.#controller.abort();
      }
    }
    return this.#controller.signal;
  }

  abort(): void {
    this.#isGone = true;
    this.#controller?.abort();
  }
}
