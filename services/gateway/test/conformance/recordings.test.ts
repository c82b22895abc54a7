// The recorded exchanges of the gateway that is embedded in pachd, sent to tusk: equal where that gateway is right, better
// where README.md of the recordings names a fault (better.ts says what is expected instead).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../support/http.ts';
import { ROOT_TOKEN, startTusk, type Tusk } from '../support/tusk.ts';
import { BETTER } from './recordings/better.ts';
import { differences, type KnownEtags } from './recordings/compare.ts';
import { type Exchange, loadExchanges } from './recordings/exchange.ts';
import { createReplay, type Target } from './recordings/replay.ts';

const exchanges = loadExchanges();
const core = exchanges.filter(({ level }) => level === 'core');
const outcomes = new Map<string, readonly string[]>();
const gateways: Tusk[] = [];

// A change of role counts for the next request in the recording, so nothing is believed for a while here.
const env = { TUSK_AUTH_TTL_MS: '0', TUSK_HEAD_TTL_MS: '0' };

beforeAll(async () => {
  const noauth = await startTusk({ env });
  gateways.push(noauth);
  const auth = await startTusk({ auth: true, env });
  gateways.push(auth);
  const tokens: Record<string, string> = { root: ROOT_TOKEN };
  for (const user of ['alice', 'bob', 'carol']) tokens[user] = await auth.pachd.robotToken(user);
  for (const user of ['alice', 'bob']) await auth.pachd.grantProject('default', `robot:${user}`, ['projectWriter']);
  await replayAll({ noauth: targetOf(noauth, {}), auth: targetOf(auth, tokens) });
}, 600_000);

afterAll(async () => {
  for (const gateway of gateways) await gateway.stop();
});

describe('the recorded exchanges', () => {
  it('are all there', () => {
    expect(core).toHaveLength(231);
    expect(Object.keys(BETTER).filter((id) => !core.some((exchange) => exchange.id === id))).toEqual([]);
  });

  it.each(core.map((exchange) => [exchange.id, exchange.title] as const))('%s: %s', (id) => {
    const found = outcomes.get(id) ?? ['was not sent'];
    expect(found, [BETTER[id]?.why ?? 'as recorded', ...found].join('\n')).toEqual([]);
  });
});

function targetOf({ url, pachd }: Tusk, tokens: Readonly<Record<string, string>>): Target {
  return { url, pachd, tokens };
}

// All of them are sent, since the later ones stand on the earlier; those of level `more` are not judged.
async function replayAll(targets: Readonly<Record<Exchange['instance'], Target>>): Promise<void> {
  const replay = createReplay(targets);
  const etags: KnownEtags = new Map();
  for (const exchange of exchanges) {
    const answer = await replay.play(exchange).catch((error: unknown) => error as Error);
    if (exchange.level !== 'core') continue;
    outcomes.set(exchange.id, judge(exchange, answer, replay.learnt, etags));
  }
}

function judge(exchange: Exchange, answer: Answer | Error, learnt: Map<string, string>, etags: KnownEtags) {
  if (answer instanceof Error) return [String(answer)];
  const better = BETTER[exchange.id];
  if (better === undefined) return differences(exchange, exchange.response, answer, learnt, etags);
  // What a fault made volatile is not when the fault is gone.
  return differences({ ...exchange, volatile: [] }, better.response, answer, learnt, etags);
}
