import { eventually } from './eventually.ts';

/** What a worker says of itself on the admin port, as far as tests ask. */
export interface WorkerStatus {
  readonly requestsInFlight: number;
  readonly unfinishedCommits: number;
  readonly bodyBytes: number;
}

export async function workersOf({ adminUrl }: { readonly adminUrl: string }): Promise<readonly WorkerStatus[]> {
  const status = (await (await fetch(`${adminUrl}/status.json`)).json()) as { workers: readonly WorkerStatus[] };
  return status.workers;
}

/** Resolves when so many requests are under way in all workers together. */
export async function waitForRequests(gateway: { readonly adminUrl: string }, count: number): Promise<void> {
  await eventually(
    `${count} requests are under way`,
    () => workersOf(gateway),
    (workers) => workers.reduce((sum, { requestsInFlight }) => sum + requestsInFlight, 0) === count,
  );
}
