import { performance } from 'node:perf_hooks';
import type { Call } from './attempt.ts';
import { chooseOfTwo } from './balance.ts';
import type { RetryBudget } from './budget.ts';
import type { Channel } from './channel.ts';
import { isPachdError, PachdError } from './errors.ts';
import type { Member } from './member.ts';
import type { Members } from './members.ts';
import type { Quarantine } from './quarantine.ts';

/** How long a connection may take to stand before the call goes elsewhere. */
const CONNECT_MAX_MS = 1_000;
/** Pachds that one call may find gone before it is sent. */
const HOPS_MAX = 4;

/** One pachd that a call is to be sent to, over a connection that stands. */
export interface Stop {
  readonly member: Member;
  readonly channel: Channel;
  readonly as: 'call' | 'retry' | 'hedge';
  /** How often the call was sent before, and one. */
  readonly number: number;
  /** A pachd died under this call before. */
  readonly suspect: boolean;
}

/** Where one call goes, and how often. */
export interface Route {
  /** Where it goes next. @throws PachdError unavailable when it can go nowhere */
  next(): Promise<Stop>;
  /** Where it may go while it is under way at another: undefined where there is none, or no budget for it. */
  spare(): Stop | undefined;
  /**
   * Whether it may go on after an error. What certainly never went out may; what is safe to repeat may once, within the budget; nothing
   * else. @param begun whether some of its answer has been passed on
   */
  goesOn(error: unknown, begun: boolean): boolean;
}

export interface Roads {
  readonly members: Members;
  readonly budget: RetryBudget;
  readonly quarantine: Quarantine;
}

/** @param deadlineMs since 1970 */
export function createRoute(call: Call, deadlineMs: number, { members, budget, quarantine }: Roads): Route {
  const visited = new Set<Member>();
  let hops = 0;
  let repeated = false;
  let number = 0;

  /** One that was not asked yet, else any. */
  const choose = (): Member | undefined => {
    const serving = members.serving();
    const nowMs = performance.now();
    const fresh = visited.size === 0 ? serving : serving.filter((member) => !visited.has(member));
    return chooseOfTwo(fresh, nowMs) ?? chooseOfTwo(serving, nowMs);
  };

  const refuse = (why: string) => new PachdError('unavailable', call.name, why, undefined, 'none');

  return {
    async next() {
      if (quarantine.isHeld(call)) throw refuse('two pachds died under this call; it is not sent for a minute');
      for (; hops < HOPS_MAX; hops++) {
        let member = choose();
        if (member === undefined) {
          await members.revive();
          member = choose();
        }
        if (member === undefined) break;
        visited.add(member);
        // A second death is laid to the call, so it must be one: both may have died of the same lost power before.
        const suspect = quarantine.isSuspect(call);
        if (suspect) await member.lives();
        const { channel } = member;
        if (channel === undefined) continue;
        if (channel.isConnected() || (await channel.connect(Math.min(deadlineMs, Date.now() + CONNECT_MAX_MS)))) {
          return { member, channel, as: repeated ? 'retry' : 'call', number: ++number, suspect };
        }
        member.failed(channel, 'cannot be connected to');
      }
      throw refuse(`no pachd serves: ${members.why()}`);
    },

    spare() {
      const others = members.serving().filter((member) => !visited.has(member) && member.channel?.isConnected());
      const member = chooseOfTwo(others, performance.now());
      if (member?.channel === undefined || repeated || quarantine.isSuspect(call) || !budget.takeSpare())
        return undefined;
      repeated = true;
      visited.add(member);
      return { member, channel: member.channel, as: 'hedge', number: ++number, suspect: false };
    },

    goesOn(error, begun) {
      if (!isPachdError(error, 'unavailable') || begun || Date.now() >= deadlineMs) return false;
      if (error.delivery === 'none') {
        hops += 1;
        return call.repeat !== 'never' && hops < HOPS_MAX;
      }
      if (call.repeat !== 'safe' || repeated || !budget.take()) return false;
      repeated = true;
      return true;
    },
  };
}
