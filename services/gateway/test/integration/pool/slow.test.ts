import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMember, type Member } from '../../../src/pachd/member.ts';
import { eventually } from '../../support/eventually.ts';
import { type Standin, startStandin } from './standin.ts';

let standin: Standin;
let member: Member;

beforeEach(async () => {
  standin = await startStandin();
  member = createMember(
    { ...standin.target, name: standin.target.host },
    { othersServe: () => true, changed() {} },
    false,
  );
  await eventually('it serves', state, (is) => is === 'serving');
});
afterEach(() => {
  member.leave('the test is over');
  standin.stop();
});

const state = () => member.status().state;

/** What 16 calls report that one pause has kept waiting. */
function pause(): void {
  for (let call = 0; call < 16; call++) member.slow();
}

describe('a pachd whose answers come late', () => {
  it('is not left alone for a pause that many calls wait out together, nor for one now and then', async () => {
    for (let times = 0; times < 3; times++) {
      pause();
      expect(state()).toBe('serving');
      await sleep(300);
      member.prompt();
    }
    expect(state()).toBe('serving');
  });

  it('is left alone when it lasts', async () => {
    const ejected = () => {
      member.slow();
      return member.status();
    };
    const { why } = await eventually('it is ejected', ejected, (is) => is.state === 'ejected');
    expect(why).toBe('slower than others');
  });
});
