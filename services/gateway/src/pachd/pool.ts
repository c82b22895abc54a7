import { performance } from 'node:perf_hooks';
import { noteCall } from '../telemetry/call.ts';
import type { Attempt, Call } from './attempt.ts';
import { createRetryBudget } from './budget.ts';
import { isPachdError, PachdError } from './errors.ts';
import { createTempo, firstAnswer, type Sent } from './hedge.ts';
import type { MemberStatus } from './member.ts';
import { createMembers } from './members.ts';
import type { Caller } from './model.ts';
import { createQuarantine, type Quarantine } from './quarantine.ts';
import type { Lookup, Target } from './resolver.ts';
import { createRoute, type Route, type Stop } from './route.ts';

export interface Pool {
  /**
   * Runs a call on a pachd, and on another one where the first cannot be reached, as far as the call allows. `attempt` is what
   * sends it, once for each try. @throws PachdError, and what `attempt` throws
   */
  run<T>(call: Call, caller: Caller, attempt: (attempt: Attempt) => Promise<T>): Promise<T>;
  /** The same for a call that streams its answer: it is repeated only as long as nothing of that has been passed on. */
  stream<T>(
    call: Call,
    caller: Caller,
    attempt: (attempt: Attempt) => AsyncGenerator<T>,
  ): AsyncGenerator<T, void, undefined>;
  /** How each pachd is. */
  status(): readonly MemberStatus[];
  /** How many calls may be sent once more now. */
  retryBudget(): number;
  /** Takes no more calls, and lets those under way end. */
  close(): void;
}

export interface PoolOptions {
  /** All addresses of a name; left out: as the system looks them up. */
  readonly lookup?: Lookup;
  /** Left out: of this process alone. */
  readonly quarantine?: Quarantine;
}

/** Opens a channel to each pachd that the targets stand for, and keeps watch over them until it is closed. */
export function openPool(targets: readonly Target[], options: PoolOptions = {}): Pool {
  const { quarantine = createQuarantine() } = options;
  const budget = createRetryBudget();
  const tempo = createTempo();
  const roads = { members: createMembers(targets, options.lookup), budget, quarantine };

  const setOut = (call: Call, caller: Caller) => {
    const deadlineMs = Math.min(Date.now() + call.deadlineMs, caller.deadlineMs ?? Number.POSITIVE_INFINITY);
    if (caller.signal.aborted) throw new PachdError('canceled', call.name, 'its caller is gone');
    if (Date.now() >= deadlineMs) throw new PachdError('deadline', call.name, 'its time was up before it was sent');
    budget.earn();
    return { deadlineMs, route: createRoute(call, deadlineMs, roads) };
  };

  /** Begins a try at a pachd, which counts as its load until it has ended one way or the other. */
  const begin = (
    call: Call,
    { token, signal }: Caller,
    deadlineMs: number,
    { member, channel, as, number, suspect }: Stop,
  ) => {
    const controller = new AbortController();
    const cancel = () => controller.abort();
    let abandoned = false;
    const load = {
      abandon() {
        if (call.repeat !== 'safe') return;
        abandoned = true;
        cancel();
      },
    };
    member.begin(load, as);
    const noted = noteCall(call, member.address, { as, number });
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
    return {
      attempt: {
        name: call.name,
        channel,
        token,
        signal: controller.signal,
        deadlineMs,
        ...(noted.trace === undefined ? {} : { trace: noted.trace }),
      } satisfies Attempt,
      cancel,
      end() {
        signal.removeEventListener('abort', cancel);
        member.end(load);
        noted.end();
      },
      answered: () => quarantine.survived(call),
      /** Takes note of an error. @returns it, or what it means */
      async failed(error: unknown): Promise<unknown> {
        const { kind, statusCode } = isPachdError(error) ? error : { kind: 'other', statusCode: undefined };
        noted.failed(kind, String(error), statusCode);
        if (abandoned && !signal.aborted && isPachdError(error, 'canceled')) {
          return new PachdError('unavailable', call.name, 'its pachd does not answer any more', error, 'abandoned');
        }
        if (isPachdError(error, 'unavailable')) {
          member.failed(channel, error.message);
          // Who cut the connection, and answers over another one, has not died.
          if (error.delivery === 'broken' && !(await member.lives())) quarantine.died(call, suspect);
        } else if (isPachdError(error, 'deadline')) member.slow();
        else if (isPachdError(error) && error.kind !== 'canceled') quarantine.survived(call);
        return error;
      },
    };
  };

  return {
    async run(call, caller, attempt) {
      const { deadlineMs, route } = setOut(call, caller);
      const send = (stop: Stop) => {
        const leg = begin(call, caller, deadlineMs, stop);
        const startedMs = performance.now();
        const answer = attempt(leg.attempt)
          .then(
            (value) => {
              leg.answered();
              if (call.hedge) tempo.note(call.name, performance.now() - startedMs);
              return value;
            },
            async (error: unknown) => {
              throw await leg.failed(error);
            },
          )
          .finally(leg.end);
        return { answer, cancel: leg.cancel };
      };
      for (;;) {
        const stop = await route.next();
        const sent = send(stop);
        try {
          return await (call.hedge ? hedged(call, stop, route, sent, send) : sent.answer);
        } catch (error) {
          if (!route.goesOn(error, false)) throw error;
        }
      }
    },

    async *stream(call, caller, attempt) {
      const { deadlineMs, route } = setOut(call, caller);
      for (;;) {
        const leg = begin(call, caller, deadlineMs, await route.next());
        let begun = false;
        let failed = false;
        try {
          for await (const message of attempt(leg.attempt)) {
            begun = true;
            yield message;
          }
          return;
        } catch (error) {
          failed = true;
          const meaning = await leg.failed(error);
          if (!route.goesOn(meaning, begun)) throw meaning;
        } finally {
          // Who leaves before the end has had an answer, too.
          if (!failed) leg.answered();
          leg.end();
        }
      }
    },

    status: roads.members.status,
    retryBudget: budget.left,
    close: roads.members.close,
  };

  function hedged<T>(
    call: Call,
    { member }: Stop,
    route: Route,
    first: Sent<T>,
    send: (stop: Stop) => Sent<T>,
  ): Promise<T> {
    return firstAnswer(first, {
      patienceMs: tempo.patienceMs(call.name),
      again() {
        const stop = route.spare();
        return stop && send(stop);
      },
      isAnswer: (error) => !isPachdError(error, 'unavailable'),
      onPrompt: member.prompt,
      onOvertaken: member.slow,
    });
  }
}
