import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis } from '../../support/redis.ts';
import { type RedisProxy, startProxy } from '../../support/redis-proxy.ts';
import { type Fault, lossesAt, type SharedRedis } from './fault.ts';

/** One server, to which each gateway has a way of its own that can be cut. */
export async function startSingleRedis(): Promise<SharedRedis> {
  const server = await startRedis();
  const ways: RedisProxy[] = [];
  const faults: readonly Fault[] = [
    ...lossesAt(async () => server),
    {
      name: 'Redis is killed, and back with nothing in it',
      async happen(choices) {
        await server.kill();
        await sleep(choices.below(1_500));
        await server.start();
      },
    },
    {
      name: 'Redis stands still',
      async happen(choices) {
        server.pause();
        await sleep(100 + choices.below(1_500));
        server.resume();
      },
    },
    {
      name: 'one gateway cannot reach Redis',
      async happen(choices) {
        const way = choices.pick(ways);
        way.block();
        await sleep(200 + choices.below(2_000));
        way.unblock();
      },
    },
    {
      name: 'the first gateway cannot reach Redis for long',
      async happen(choices) {
        const [way] = ways;
        way?.block();
        await sleep(4_000 + choices.below(4_000));
        way?.unblock();
      },
    },
    {
      name: 'one gateway hears late from Redis',
      async happen(choices) {
        const way = choices.pick(ways);
        way.delay(20 + choices.below(80));
        await sleep(500 + choices.below(500));
        way.delay(0);
      },
    },
    // By the names of the keys that stand in it: reads and stores, publications, what takes a turn, what keeps or ends one.
    ...[':r', ':d:', ':w', ':t'].map((key) => ({
      name: `a script with a key ${key} is lost, or its answer is`,
      async happen(choices: Parameters<Fault['happen']>[0]) {
        const way = choices.pick(ways);
        if (choices.below(2) === 0) way.cutAtAnswerTo(key);
        else way.cutBefore(key);
        await sleep(300);
      },
    })),
  ];

  return {
    servers: [server],
    async urlForGateway() {
      const way = await startProxy(server);
      ways.push(way);
      return `redis://127.0.0.1:${way.port}`;
    },
    faults,
    async stop() {
      for (const way of ways) await way.close();
      await server.stop();
    },
  };
}
