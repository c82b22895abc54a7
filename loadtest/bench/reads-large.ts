// Large objects through tusk beside the bare GetFile stream, in turns.
import { sampleBytes } from '../../services/gateway/test/support/clients.ts';
import { median } from './figures.ts';
import { uploadParts } from './multipart.ts';
import { fetchBytes, newAgent, withGround } from './reads-setup.ts';

const MIB = 1 << 20;
const PART_MIB = 10;
const ROUNDS = 5;

export interface LargeFigure {
  readonly bytes: number;
  readonly bareMs: number;
  readonly tuskMs: number;
}

/** @param sizesMib of the objects, multiples of ten */
export function measureLarge(pachd: string | undefined, sizesMib: readonly number[]): Promise<readonly LargeFigure[]> {
  // pachd keeps equal chunks once; what is read is as much all the same.
  const part = sampleBytes(PART_MIB * MIB);
  return withGround({ pachd, auth: false, files: {} }, (ground) =>
    ground.withTusk({}, async (tusk) => {
      for (const size of sizesMib) {
        await uploadParts(tusk.url, ground.bucket, `large-${size}`, size / PART_MIB, 4, () => part);
      }
      const caller = { token: ground.token, signal: new AbortController().signal };
      const { headId } = await ground.pachd.inspectBranch(caller, { ...ground.commit, branch: 'master' });
      const commit = { ...ground.commit, commitId: headId };
      await ground.pachd.inspectCommit(caller, commit, 'finished');
      const fileSetId = await ground.pachd.snapshot(caller, commit);
      const agent = newAgent(1);
      const figures: LargeFigure[] = [];
      for (const size of sizesMib) {
        const bare: number[] = [];
        const through: number[] = [];
        for (let round = 0; round <= ROUNDS; round++) {
          const bareMs = await timed(async () => {
            let bytes = 0;
            for await (const chunk of ground.pachd.readFile(caller, { fileSetId }, `/large-${size}`, 0))
              bytes += chunk.length;
            return bytes;
          }, size * MIB);
          const tuskMs = await timed(
            () => fetchBytes(agent, `${tusk.url}/${ground.bucket}/large-${size}`, 'GET'),
            size * MIB,
          );
          // The first round warms both up.
          if (round === 0) continue;
          bare.push(bareMs);
          through.push(tuskMs);
        }
        figures.push({ bytes: size * MIB, bareMs: median(bare), tuskMs: median(through) });
      }
      agent.destroy();
      return figures;
    }),
  );
}

async function timed(read: () => Promise<number>, bytes: number): Promise<number> {
  const begunMs = performance.now();
  const came = await read();
  if (came !== bytes) throw new Error(`${came} bytes of ${bytes} came`);
  return performance.now() - begunMs;
}
