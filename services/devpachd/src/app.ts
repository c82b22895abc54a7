import type { Packs } from './content/packs.ts';
import type { Counters } from './counters.ts';
import type { Faults } from './faults/faults.ts';
import type { Latency } from './latency/latency.ts';
import type { Db } from './store/db.ts';
import type { Finisher } from './store/finisher.ts';
import type { Waiting } from './store/waiting.ts';

/** The parts that the services work with. */
export interface App {
  readonly db: Db;
  readonly packs: Packs;
  /** This process, among those that share the folder. */
  readonly owner: string;
  readonly waiting: Waiting;
  readonly finisher: Finisher;
  readonly counters: Counters;
  readonly latency: Latency;
  readonly faults: Faults;
  /** Whether the Debug service may replace them. */
  readonly faultControl: boolean;
  /** Destroys a client's connection, as calls name it. */
  readonly cut: (peer: string) => void;
  readonly authOn: boolean;
  /** Reports a defect; what clients are to see is thrown. */
  readonly onError: (error: unknown) => void;
}
