import type { Buckets } from './buckets.ts';
import type { Files } from './files.ts';
import type { Identity } from './identity.ts';
import type { Lists } from './list.ts';
import type { Settings } from './settings.ts';
import type { States } from './state.ts';
import type { Uploads } from './uploads.ts';
import type { Rounds } from './write/rounds.ts';
import type { Stage } from './write/stage.ts';

/** All that the protocol has of the domain. */
export interface Domain {
  readonly identity: Identity;
  readonly states: States;
  readonly buckets: Buckets;
  readonly files: Files;
  readonly lists: Lists;
  readonly stage: Stage;
  readonly rounds: Rounds;
  readonly uploads: Uploads;
  readonly settings: Settings;
}
