/**
 * What Redis is asked to do, always by a script: what a script reads and writes is one moment.
 * Redis 7 or newer: the scripts begin with `#!lua`, which a replica then refuses whole.
 */
export interface Script {
  /** For logs and figures. */
  readonly name: string;
  readonly source: string;
  /**
   * 'era': the keys carry the server's run and replication id, so that nothing from before a restart or a failover is believed.
   * 'lasting': the keys outlive these, as far as Redis keeps them.
   */
  readonly keys: 'era' | 'lasting';
  /** 'replicated': answered when a replica has it too, where there is one. */
  readonly answered: 'at-once' | 'replicated';
}

/** Redis did not answer in time, or cannot be reached: the script may have been done, may be done yet, or never. */
export class CacheLost extends Error {
  override readonly name = 'CacheLost';
}

export type ScriptValue = string | number | Uint8Array;

/** Runs scripts at the primary. */
export interface Scripts {
  /**
   * Sends a script, once and never again. Gives what it returns, with strings as bytes.
   * @param slot what all keys of the call have in common: they are kept on one server
   * @param names the keys' own names in that slot
   * @throws CacheLost
   */
  run(script: Script, slot: string, names: readonly string[], values: readonly ScriptValue[]): Promise<unknown>;
}
