import { createRandom, type Random } from './random.ts';

/**
 * A simulation of programs on machines, event by event. A thread has one piece of work in hand, and a queue; threads that work at once share
 * the cores of their machine. It has what the queueing network leaves out: workers with a queue each, and which of them is chosen; work that
 * is all about as long; cores that are fewer than threads.
 */

export interface Machine {
  readonly cores: number;
}

/** A program's thread, or several that share one queue. */
export interface Thread {
  readonly machine: Machine;
  readonly threads: number;
}

/** What a request needs next: this much work of one of these, of the one with the fewest requests. */
export interface Step {
  readonly of: readonly Thread[];
  readonly seconds: number;
  /** How often a request needs it, 0 to 1; left out: always. */
  readonly part?: number;
}

export interface Simulated {
  readonly perSecond: number;
  /** From when a request begins to when it is answered, on average. */
  readonly seconds: number;
}

export interface SimulationOptions {
  readonly clients: number;
  readonly steps: readonly Step[];
  /** Requests that are counted; before them some are not, until the queues are what they will be. */
  readonly requests: number;
  readonly seed: number;
  /** 1: exponential, as the queueing network takes it; many: nearly constant. */
  readonly phases: number;
}

/** Requests of each client before any is counted. */
const WORK_UP_PER_CLIENT = 3;

interface Request {
  /** Which of the steps it is at. */
  stage: number;
  begunSeconds: number;
  leftSeconds: number;
}

interface Place {
  readonly thread: Thread;
  readonly working: Set<Request>;
  readonly queue: Request[];
}

export function simulate({ clients, steps, requests, seed, phases }: SimulationOptions): Simulated {
  const random = createRandom(seed);
  const places = new Map<Thread, Place>();
  const placeOf = (thread: Thread): Place => {
    const known = places.get(thread) ?? { thread, working: new Set(), queue: [] };
    places.set(thread, known);
    return known;
  };
  const stages = steps.map(({ of, seconds, part = 1 }) => ({ of: of.map(placeOf), seconds, part }));
  const busy = new Map<Machine, number>();
  const speedOf = ({ thread: { machine } }: Place) => Math.min(1, machine.cores / (busy.get(machine) ?? 1));
  const works = (place: Place, by: 1 | -1) =>
    busy.set(place.thread.machine, (busy.get(place.thread.machine) ?? 0) + by);

  const workUp = Math.max(requests / 10, WORK_UP_PER_CLIENT * clients);
  let [nowSeconds, answered, fromSeconds, waitedSeconds] = [0, 0, 0, 0];

  const arrive = (request: Request): void => {
    for (let stage = stages[request.stage]; stage !== undefined; stage = stages[++request.stage]) {
      if (stage.part < 1 && random.uniform() >= stage.part) continue;
      const place = leastBusy(stage.of, random);
      request.leftSeconds = random.erlang(stage.seconds, phases);
      if (place.working.size < place.thread.threads) {
        place.working.add(request);
        works(place, 1);
      } else place.queue.push(request);
      return;
    }
    answered += 1;
    if (answered === workUp) fromSeconds = nowSeconds;
    if (answered > workUp) waitedSeconds += nowSeconds - request.begunSeconds;
    begin(request);
  };
  const begin = (request: Request): void => {
    request.stage = 0;
    request.begunSeconds = nowSeconds;
    arrive(request);
  };
  const leave = (request: Request, place: Place): void => {
    place.working.delete(request);
    const next = place.queue.shift();
    if (next === undefined) works(place, -1);
    else place.working.add(next);
    request.stage += 1;
    arrive(request);
  };

  for (let client = 0; client < clients; client++) {
    begin({ stage: 0, begunSeconds: 0, leftSeconds: 0 });
  }
  while (answered < workUp + requests) {
    const next = firstToEnd(places, speedOf);
    for (const place of places.values()) {
      const done = next.seconds * speedOf(place);
      for (const request of place.working) request.leftSeconds -= done;
    }
    nowSeconds += next.seconds;
    leave(next.request, next.place);
  }
  return { perSecond: requests / (nowSeconds - fromSeconds), seconds: waitedSeconds / requests };
}

function firstToEnd(places: ReadonlyMap<Thread, Place>, speedOf: (place: Place) => number) {
  let first: { readonly request: Request; readonly place: Place; readonly seconds: number } | undefined;
  for (const place of places.values()) {
    const speed = speedOf(place);
    for (const request of place.working) {
      const seconds = request.leftSeconds / speed;
      if (first === undefined || seconds < first.seconds) first = { request, place, seconds };
    }
  }
  if (first === undefined) throw new Error('nobody works');
  return first;
}

/** As the load balancer chooses: the one with the fewest requests, and of those that are alike any. */
function leastBusy(places: readonly Place[], random: Random): Place {
  const countOf = ({ working, queue }: Place) => working.size + queue.length;
  const least = places.reduce((fewest, place) => Math.min(fewest, countOf(place)), Number.POSITIVE_INFINITY);
  let alike = 0;
  return places.reduce((chosen, place) => {
    if (countOf(place) > least) return chosen;
    alike += 1;
    return random.uniform() * alike < 1 ? place : chosen;
  });
}
