/**
 * Closed queueing networks: so many clients go round, each asks again as soon as it is answered. What comes out is what mean value analysis
 * gives (Reiser and Lavenberg, 1980); it is computed from the normalising constants instead (Buzen, Computational algorithms for closed queueing
 * networks with exponential servers, 1973), since the recursion loses all its digits at stations with several servers under load.
 */

export interface Station {
  readonly name: string;
  /** What one round of a client needs here, in seconds of one server. */
  readonly demandSeconds: number;
  /** How many times as fast as one server it works while so many are here. */
  readonly speed: (here: number) => number;
}

export interface Solution {
  /** Rounds a second, of all clients together. */
  readonly perSecond: number;
  /** How long a round takes. */
  readonly seconds: number;
}

/** A queue before some servers. */
export function servers(name: string, demandSeconds: number, count: number): Station {
  return { name, demandSeconds, speed: (here) => Math.min(here, count) };
}

/** Something that takes its time, however many are there. */
export function delay(name: string, seconds: number): Station {
  return { name, demandSeconds: seconds, speed: (here) => here };
}

/** Terms that are smaller than the largest by this factor's logarithm do not count. */
const NEGLIGIBLE = 40;

/** @param clients one or more */
export function solve(stations: readonly Station[], clients: number): Solution {
  const asked = stations.filter(({ demandSeconds }) => demandSeconds > 0);
  if (asked.length === 0) throw new Error('nothing takes any time');
  // Logarithms: the constants themselves are too large for a number, or too small.
  const alone = new Float64Array(clients + 1).fill(Number.NEGATIVE_INFINITY);
  alone[0] = 0;
  let constants: Float64Array = alone;
  for (const station of asked) constants = convolved(constants, factorsOf(station, clients));
  const perSecond = Math.exp((constants[clients - 1] ?? 0) - (constants[clients] ?? 0));
  return { perSecond, seconds: clients / perSecond };
}

/** What a station adds while 0, 1, 2 ... are there. */
function factorsOf({ demandSeconds, speed }: Station, clients: number): Float64Array {
  const factors = new Float64Array(clients + 1);
  for (let here = 1; here <= clients; here++) {
    factors[here] = (factors[here - 1] ?? 0) + Math.log(demandSeconds / speed(here));
  }
  return factors;
}

function convolved(constants: Float64Array, factors: Float64Array): Float64Array {
  const terms = new Float64Array(constants.length);
  return constants.map((_, clients) => {
    let most = Number.NEGATIVE_INFINITY;
    for (let here = 0; here <= clients; here++) {
      const term = (factors[here] ?? 0) + (constants[clients - here] ?? 0);
      terms[here] = term;
      if (term > most) most = term;
    }
    let sum = 0;
    for (let here = 0; here <= clients; here++) {
      const below = (terms[here] ?? 0) - most;
      if (below > -NEGLIGIBLE) sum += Math.exp(below);
    }
    return most + Math.log(sum);
  });
}
