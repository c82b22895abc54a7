import { performance } from 'node:perf_hooks';
import { Metadata } from '@grpc/grpc-js';
import { type Channel, openChannel } from './channel.ts';
import { isPachdError, PachdError } from './errors.ts';

/** How long a pachd that could not be reached is left alone while another can be asked. */
const EJECTION_MS = 1_000;
const HEALTH_DEADLINE_MS = 2_000;

export interface Pool {
  /**
   * Runs a call on the least loaded pachd. A call that is safe to repeat is tried once more when its
   * connection fails, on another one if there is one; others never are, since nobody knows how far they got.
   */
  run<T>(repeat: 'safe' | 'never', attempt: (channel: Channel) => Promise<T>): Promise<T>;
  /** The same for a call that streams its answer, and is safe to repeat: as long as nothing of it has come. */
  stream<T>(attempt: (channel: Channel) => AsyncGenerator<T>): AsyncGenerator<T>;
  /** What each pachd answers to the standard health check. */
  health(): Promise<readonly { readonly address: string; readonly serving: boolean; readonly why: string }[]>;
  close(): void;
}

/** Opens a channel to each pachd. Nothing is connected before the first call. */
export function openPool(
  addresses: readonly { readonly host: string; readonly port: number; readonly tls: boolean }[],
): Pool {
  const channels = addresses.map(openChannel);

  const pick = (except?: Channel): Channel => {
    const now = performance.now();
    let best: Channel | undefined;
    for (const channel of channels) {
      if (channel === except && channels.length > 1) continue;
      if (best === undefined || rank(channel, now) < rank(best, now)) best = channel;
    }
    if (best === undefined) throw new PachdError('unavailable', 'pool', 'no pachd is configured');
    return best;
  };

  /** Leaves a pachd alone for a while, and gives another one to ask; the same, over a new connection, if it is the only one. */
  const eject = (channel: Channel): Channel => {
    channel.ejectedUntilMs = performance.now() + EJECTION_MS;
    return pick(channel);
  };

  return {
    async run(repeat, attempt) {
      const channel = pick();
      try {
        return await attempt(channel);
      } catch (error) {
        if (!isPachdError(error, 'unavailable')) throw error;
        const other = eject(channel);
        if (repeat === 'never') throw error;
        return attempt(other);
      }
    },
    async *stream(attempt) {
      const channel = pick();
      let begun = false;
      try {
        for await (const message of attempt(channel)) {
          begun = true;
          yield message;
        }
      } catch (error) {
        if (!isPachdError(error, 'unavailable')) throw error;
        const other = eject(channel);
        if (begun) throw error;
        yield* attempt(other);
      }
    },
    health: () => Promise.all(channels.map(check)),
    close: () => {
      for (const channel of channels) channel.close();
    },
  };
}

/** An ejected pachd comes after every other; else the one with the fewest calls under way comes first. */
function rank(channel: Channel, nowMs: number): number {
  return channel.inFlight + (channel.ejectedUntilMs > nowMs ? 1_000_000 : 0);
}

function check(channel: Channel): Promise<{ address: string; serving: boolean; why: string }> {
  return new Promise((resolve) => {
    channel.health.check(
      { service: '' },
      new Metadata(),
      { deadline: Date.now() + HEALTH_DEADLINE_MS },
      (error, answer) => {
        if (error) resolve({ address: channel.address, serving: false, why: error.details });
        else
          resolve({
            address: channel.address,
            serving: answer.status === 1,
            why: answer.status === 1 ? '' : 'not serving',
          });
      },
    );
  });
}
