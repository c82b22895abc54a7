// A cold GET, HEAD and 404, each alone: which calls of pachd it is, and how long it takes.
import { sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { encode } from '../../services/gateway/test/support/http.ts';
import { keyOf, sha256Hex, sign } from '../../services/gateway/test/support/signature.ts';
import { median } from './figures.ts';
import { callsOf, fetchBytes, newAgent, withGround } from './reads-setup.ts';

const OBJECTS = 1_000;
const OBJECT_BYTES = 1_024;
const TRIES = 15;
/** So long that no look-up of the branch comes between. */
const HEAD_TTL_MS = '60000';

export interface AloneFigure {
  readonly auth: 'off' | 'on';
  readonly name: string;
  readonly medianMs: number;
  /** Of one request, as "GetFileTAR". */
  readonly calls: string;
}

const KINDS = [
  ['GET', 'GET', 200, (at: number) => `d/${at}`],
  ['HEAD', 'HEAD', 200, (at: number) => `d/${at + TRIES}`],
  ['GET of what is not there', 'GET', 404, (at: number) => `d/missing-${at}`],
  ['HEAD of what is not there', 'HEAD', 404, (at: number) => `d/absent-${at}`],
] as const;

/** A given pachd has its auth off. */
export async function measureAlone(pachd: string | undefined): Promise<readonly AloneFigure[]> {
  return [...(await measureWith('off', pachd)), ...(pachd === undefined ? await measureWith('on', pachd) : [])];
}

function measureWith(auth: 'off' | 'on', pachd: string | undefined): Promise<readonly AloneFigure[]> {
  const paths = Array.from({ length: OBJECTS }, (_, at) => `d/${at}`);
  const files = Object.fromEntries(paths.map((path) => [path, sampleBytes(OBJECT_BYTES, path)]));
  return withGround({ pachd, auth: auth === 'on', files }, (ground) =>
    ground.withTusk({ TUSK_HEAD_TTL_MS: HEAD_TTL_MS, TUSK_READ_BATCH: 'off' }, async (tusk) => {
      const agent = newAgent(1);
      const ask = async (method: 'GET' | 'HEAD', key: string, status: number) => {
        const path = `/${ground.bucket}/${encode(key)}`;
        const draft = { method, path, query: [], headers: { host: new URL(tusk.url).host }, body: Buffer.alloc(0) };
        const how = { key: keyOf(ground.token ?? 'anybody'), at: new Date(), payloadHash: sha256Hex(draft.body) };
        const { headers } = await sign(draft, 'v4', how);
        await fetchBytes(agent, tusk.url + path, method, headers, status);
      };
      // The commit's set is had, and who asks is known.
      await ask('GET', `d/${OBJECTS - 1}`, 200);
      await ask('HEAD', `d/${OBJECTS - 2}`, 200);
      const figures: AloneFigure[] = [];
      for (const [name, method, status, keyAt] of KINDS) {
        const times: number[] = [];
        const calls = await callsOf(tusk, async () => {
          for (let at = 0; at < TRIES; at++) {
            const begunMs = performance.now();
            await ask(method, keyAt(at), status);
            times.push(performance.now() - begunMs);
          }
        });
        const each = [...calls].map(([call, count]) => `${call}${count === TRIES ? '' : ` × ${count / TRIES}`}`);
        figures.push({ auth, name, medianMs: median(times), calls: each.join(', ') });
      }
      agent.destroy();
      return figures;
    }),
  );
}
