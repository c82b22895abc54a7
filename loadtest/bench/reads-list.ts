// Lists of many keys, page by page: the first and the last page, with a delimiter, and what a worker needs for it.
import { sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { send } from '../../services/gateway/test/support/http.ts';
import { watchMemory } from './large-object.ts';
import { withGround } from './reads-setup.ts';

const KEYS = 100_000;
const PAGE_KEYS = 1_000;
const OBJECT_BYTES = 100;

export interface ListFigure {
  readonly name: string;
  readonly pages: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly totalMs: number;
  /** The worker's resident memory at most. */
  readonly peakBytes: number;
}

export function measureLists(pachd: string | undefined): Promise<readonly ListFigure[]> {
  const body = sampleBytes(OBJECT_BYTES);
  const files = Object.fromEntries(
    Array.from({ length: KEYS }, (_, at) => [`flat/${String(at).padStart(7, '0')}`, body] as const),
  );
  return withGround({ pachd, auth: false, files }, (ground) =>
    ground.withTusk({}, async (tusk) => {
      const figures: ListFigure[] = [];
      for (const [name, query] of [
        ['all keys', []],
        [
          'of one folder, with a delimiter',
          [
            ['prefix', 'flat/'],
            ['delimiter', '/'],
          ],
        ],
      ] as const) {
        const peak = watchMemory(tusk);
        const times: number[] = [];
        let keys = 0;
        for (let token: string | undefined = ''; token !== undefined; ) {
          const page = [['list-type', '2'], ['max-keys', String(PAGE_KEYS)], ...query] as [string, string][];
          if (token !== '') page.push(['continuation-token', token]);
          const begunMs = performance.now();
          const { text, status } = await send(tusk.url, 'GET', `/${ground.bucket}`, { query: page });
          times.push(performance.now() - begunMs);
          if (status !== 200) throw new Error(`a list answered ${status} ${text}`);
          keys += text.split('<Key>').length - 1;
          token = /<NextContinuationToken>([^<]*)</.exec(text)?.[1];
        }
        if (keys !== KEYS) throw new Error(`${keys} keys were listed`);
        const totalMs = times.reduce((sum, ms) => sum + ms, 0);
        const [firstMs = Number.NaN, lastMs = Number.NaN] = [times[0], times[times.length - 1]];
        figures.push({ name, pages: times.length, firstMs, lastMs, totalMs, peakBytes: peak() });
      }
      return figures;
    }),
  );
}
