import type { RedisServer } from '../../support/redis.ts';
import type { Choices } from '../history/seeded.ts';

/** What goes wrong in a fleet that works on a bucket, and is over when it resolves. */
export interface Fault {
  readonly name: string;
  readonly happen: (choices: Choices, bucket: string) => Promise<void>;
}

/** The Redis that the gateways of a fleet share. */
export interface SharedRedis {
  readonly servers: readonly RedisServer[];
  /** What the next gateway is told of it: TUSK_REDIS_URL. */
  urlForGateway(): Promise<string>;
  /** What can go wrong with it. */
  readonly faults: readonly Fault[];
  stop(): Promise<void>;
}

/** What is in Redis is lost. @param primaryOf who has the keys of a bucket */
export function lossesAt(primaryOf: (bucket: string) => Promise<RedisServer>): readonly Fault[] {
  return [
    {
      name: 'Redis is flushed',
      async happen(_, bucket) {
        await (await primaryOf(bucket)).cli('flushall');
      },
    },
    {
      name: 'Redis forgets some of what it has',
      async happen(choices, bucket) {
        const primary = await primaryOf(bucket);
        for (const key of (await primary.cli('--scan')).split('\n')) {
          if (key !== '' && choices.below(2) === 0) await primary.cli('unlink', key);
        }
      },
    },
  ];
}
