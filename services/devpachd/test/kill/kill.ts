import { credentials } from '@grpc/grpc-js';
import { APIClient as AuthClient } from '../../../../proto/gen/auth/auth.ts';
import { APIClient as MetadataClient } from '../../../../proto/gen/metadata/metadata.ts';
import { type Client, connect, sendingToken, spawnDevpachd } from '../harness.ts';
import { authorising } from './authorising.ts';
import {
  branching,
  composingAndRenewing,
  droppingAndSquashing,
  editingMetadata,
  reposComingAndGoing,
} from './changing.ts';
import { copying, fillingOpen, oneOff, startingAndFinishing, type Way } from './writing.ts';

const ROOT_TOKEN = 'iamroot';
const LOAD_MAX_MS = 250;

interface Running {
  readonly address: string;
  readonly client: Client;
  readonly metadata: MetadataClient;
  readonly auth: AuthClient;
  readonly kill: () => Promise<void>;
  readonly disconnect: () => void;
}

/**
 * Kills devpachd again and again, at random moments, while every call that writes is made, and after each restart holds the whole store against
 * what was answered: all of that is there, of what was not answered all or nothing, and nothing else.
 */
export async function killAgainAndAgain(folder: string, kills: number): Promise<void> {
  let running = await start(folder);
  const ways: readonly Way[] = [
    oneOff('one-off'),
    oneOff('one-off-too'),
    copying('copying'),
    startingAndFinishing('starting'),
    fillingOpen('filling'),
    branching('branching'),
    reposComingAndGoing('coming-'),
    droppingAndSquashing('dropping'),
    composingAndRenewing(),
    editingMetadata('metadata', () => running.metadata),
    authorising(
      'roles',
      () => running.auth,
      () => running.address,
    ),
  ];
  for (const way of ways) await way.setUp(running.client);
  for (let round = 0; round < kills; round++) {
    let stop = false;
    const { client, kill, disconnect } = running;
    const writers = ways.map(async (way, index) => {
      for (let turn = 0; !stop; turn++) {
        const answered = await way.write(client, `${round}-${index}-${turn}`).then(
          () => true,
          (error: unknown) => unlessGone(error),
        );
        // Whether it was done is not known; the check finds out.
        if (!answered) return;
      }
    });
    await new Promise((resolve) => setTimeout(resolve, Math.random() * LOAD_MAX_MS));
    await kill();
    stop = true;
    await Promise.all(writers);
    disconnect();
    running = await start(folder);
    for (const way of ways) await way.check(running.client);
  }
  running.disconnect();
  await running.kill();
}

/** A call that is refused, and not only left unanswered, is a fault of devpachd or of the test. */
function unlessGone(error: unknown): false {
  const { code } = error as { readonly code?: number };
  if (code === 14 || code === 1) return false;
  throw error;
}

async function start(folder: string): Promise<Running> {
  const { address, end } = await spawnDevpachd(folder, ['--auth']);
  const options = { interceptors: [sendingToken(ROOT_TOKEN)], 'grpc.use_local_subchannel_pool': 1 };
  const client = connect(address, ROOT_TOKEN);
  const metadata = new MetadataClient(address, credentials.createInsecure(), options);
  const auth = new AuthClient(address, credentials.createInsecure(), options);
  return {
    address,
    client,
    metadata,
    auth,
    kill: () => end('SIGKILL'),
    disconnect: () => {
      for (const one of [client, metadata, auth]) one.close();
    },
  };
}
