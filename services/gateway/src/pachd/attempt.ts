import type { Channel } from './channel.ts';

/** What the pool must know of a call. */
export interface Call {
  /** The method's name, such as "InspectBranch". */
  readonly name: string;
  /**
   * When it may be sent to another pachd. 'safe': also when nobody knows what became of it, since twice is as good as once. 'unsent': when
   * it certainly never went out. 'never': not even then, since what it is fed with comes only once.
   */
  readonly repeat: 'safe' | 'unsent' | 'never';
  /** How long it may take, all attempts together, in milliseconds. */
  readonly deadlineMs: number;
  /** A small look-up, which is asked of a second pachd when the first one is slow. */
  readonly hedge?: boolean;
  /** It is answered when a commit is finished: how long it takes says nothing of pachd. */
  readonly waits?: boolean;
  /** What it is about, in full: by its name and this it is known again when pachds die of it. Left out: nothing to know it by. */
  readonly about?: string;
}

/** One try of a call, on one pachd. */
export interface Attempt {
  readonly name: string;
  readonly channel: Channel;
  /** The Pachyderm token; undefined where none was given. Never to be logged. */
  readonly token: string | undefined;
  /** Aborted when nobody waits for it any more. */
  readonly signal: AbortSignal;
  /** By when it must have ended, in milliseconds since 1970. */
  readonly deadlineMs: number;
  /** The trace that it belongs to, as header fields (W3C Trace Context), for pachd. */
  readonly trace?: Readonly<Record<string, string>>;
}
