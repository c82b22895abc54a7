/** One worker as the load balancer sees it. */
export interface Worker {
  readonly name: string;
  readonly host: string;
  /** The worker's own. */
  readonly port: number;
  /** Its gateway's, which is asked for its health. */
  readonly adminPort: number;
}

const SERVERS = /^ {4}server .*\n(?: {4}server .*\n)*/gm;

/**
 * infra/haproxy/haproxy.cfg with other workers in its two backends, and all else as it is.
 * @throws Error when it does not have the servers of two backends
 */
export function withWorkers(config: string, workers: readonly Worker[]): string {
  const blocks = [
    (worker: Worker) => `check port ${worker.adminPort}`,
    (worker: Worker) => `track reads/${worker.name}`,
  ].map((health) =>
    workers.map((worker) => `    server ${worker.name} ${worker.host}:${worker.port} ${health(worker)}\n`).join(''),
  );
  if (config.match(SERVERS)?.length !== blocks.length) throw new Error('haproxy.cfg: not the servers of two backends');
  return config.replace(SERVERS, () => blocks.shift() ?? '');
}
