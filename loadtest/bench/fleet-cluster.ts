import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, type ClusterOptions, startCluster } from '../../infra/cluster/cluster.ts';

/** One that a new cluster has. */
export const BUCKET = 'master.foo.bar';

/** Runs `work` with a fleet that has nothing yet, and ends it. */
export async function withFleet<T>(
  options: Omit<ClusterOptions, 'dataDir'>,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tusk-bench-'));
  const remove = () => rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
  // Whoever ends the process at once leaves nothing either.
  process.on('exit', remove);
  try {
    const cluster = await startCluster({ ...options, dataDir });
    try {
      return await work(cluster);
    } finally {
      await cluster.stop();
    }
  } finally {
    process.off('exit', remove);
    remove();
  }
}
