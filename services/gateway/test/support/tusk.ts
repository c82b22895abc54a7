import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Devpachd, startDevpachd } from './devpachd.ts';
import { connectPachd, type Pachd } from './pachd.ts';
import { type Exit, type Program, startNode } from './program.ts';

export interface TuskOptions {
  /** With auth on: devpachd is started beside the gateway, and its root token is `iamroot`. */
  readonly auth?: boolean;
  /** A pachd that is there already, HOST:PORT; without it tusk starts its own. */
  readonly pachd?: string;
  /** The data folder of an earlier start; without it an own one, deleted at the end. */
  readonly dataDir?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The folder of a build to run instead of this one. */
  readonly root?: string;
}

/** A gateway under test, with the pachd behind it. */
export interface Tusk {
  /** Where S3 clients connect: http://127.0.0.1:PORT */
  readonly url: string;
  readonly adminUrl: string;
  /** pachd's gRPC for the set-up steps of a test; as root where auth is on. */
  readonly pachd: Pachd;
  readonly pachdAddress: string;
  readonly dataDir: string;
  readonly program: Program;
  /** Set when devpachd runs beside the gateway. */
  readonly devpachd: Devpachd | undefined;
  /** Ends everything by SIGTERM and waits for it. May be called again. @returns how the gateway ended. */
  stop(): Promise<Exit>;
}

interface Ready {
  readonly url: string;
  readonly adminUrl: string;
  readonly pachd: string;
}

export const ROOT_TOKEN = 'iamroot';

/** Starts a gateway on free ports, and devpachd with it where that is needed, and waits until it serves. */
export async function startTusk(options: TuskOptions = {}): Promise<Tusk> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'tusk-test-')));
  const devpachd = options.auth
    ? await startDevpachd({ auth: true, dataDir: join(dataDir, 'pachd'), seed: true })
    : undefined;
  const given = options.pachd ?? devpachd?.address;
  const program = startNode('services/gateway/src/main.ts', {
    ...(options.root === undefined ? {} : { root: options.root }),
    env: { ...tuskEnvironment(dataDir), ...(given ? { TUSK_PACHD: `grpc://${given}` } : {}), ...options.env },
  });
  const ready = await program.message(asReady).catch(async (error: unknown) => {
    await devpachd?.stop();
    throw error;
  });
  // Whom it has started is known from now on, also when it dies before them.
  program.alive();
  const pachd = connectPachd(ready.pachd, options.auth ? ROOT_TOKEN : undefined);
  let stopping: Promise<Exit> | undefined;

  async function stopAll(): Promise<Exit> {
    pachd.close();
    const exit = await program.stop();
    await devpachd?.stop();
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    return exit;
  }

  return {
    url: ready.url,
    adminUrl: ready.adminUrl,
    pachd,
    pachdAddress: ready.pachd,
    dataDir,
    program,
    devpachd,
    stop: () => {
      stopping ??= stopAll();
      return stopping;
    },
  };
}

/** The environment of a gateway that disturbs no other: free ports, and data in a folder of its own. */
export function tuskEnvironment(dataDir: string): Record<string, string> {
  return { TUSK_LISTEN: '127.0.0.1:0', TUSK_ADMIN_LISTEN: '127.0.0.1:0', TUSK_DATA: dataDir };
}

function asReady(message: unknown): Ready | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { kind, url, adminUrl, pachd } = message as Readonly<Record<string, unknown>>;
  if (kind !== 'ready' || typeof url !== 'string' || typeof adminUrl !== 'string' || typeof pachd !== 'string') {
    return undefined;
  }
  return { url, adminUrl, pachd };
}
