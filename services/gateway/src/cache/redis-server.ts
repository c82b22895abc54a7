import type { Link } from './redis-link.ts';
import type { Script } from './script.ts';

/**
 * The connections to one server, by what answers wait for: a call that waits for a replica holds up all behind it on its connection,
 * and no reader is to wait for that.
 */
export type Server = Readonly<Record<Script['answered'], Link>>;

/** Which server has a slot. */
export interface Topology {
  /** undefined: none is known to have it. */
  serverOf(slot: string): Server | undefined;
  servers(): readonly Server[];
  /** Something is not as it was thought to be. */
  lookAgain(): void;
  readonly tried: Promise<void>;
  close(): Promise<void>;
}

/** The only server there is, or who the Sentinels say it is. */
export function fixedServer(server: Server): Topology {
  return {
    serverOf: () => server,
    servers: () => [server],
    lookAgain: () => {},
    tried: serverTried(server),
    close: () => closeServer(server),
  };
}

export async function serverTried(server: Server): Promise<void> {
  await Promise.all(Object.values(server).map((link) => link.tried));
}

export async function closeServer(server: Server): Promise<void> {
  await Promise.all(Object.values(server).map((link) => link.close()));
}
