import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTempo, firstAnswer, type Sent } from '../../../src/pachd/hedge.ts';

class Unavailable extends Error {}

interface Question extends Sent<string> {
  readonly resolve: (value: string) => void;
  readonly reject: (error: Error) => void;
  cancelled: boolean;
}

function question(): Question {
  let [resolve, reject] = [(_value: string) => {}, (_error: Error) => {}];
  const answer = new Promise<string>((...settle) => {
    [resolve, reject] = settle;
  });
  const made = {
    answer,
    resolve,
    reject,
    cancelled: false,
    cancel() {
      made.cancelled = true;
      reject(new Error('cancelled'));
    },
  };
  return made;
}

let first: Question;
let second: Question;
let asked: number;
let told: string[];

beforeEach(() => {
  vi.useFakeTimers();
  [first, second, asked, told] = [question(), question(), 0, []];
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

function ask(possible = true): Promise<string> {
  const answer = firstAnswer(first, {
    patienceMs: 50,
    again() {
      asked += 1;
      return possible ? second : undefined;
    },
    isAnswer: (error) => !(error instanceof Unavailable),
    onPrompt: () => told.push('prompt'),
    onOvertaken: () => told.push('overtaken'),
  });
  answer.catch(() => {});
  return answer;
}

describe('the first answer of two', () => {
  it('is the only one where it comes in time', async () => {
    const answer = ask();
    await vi.advanceTimersByTimeAsync(49);
    first.resolve('one');
    expect(await answer).toBe('one');
    expect([asked, told]).toEqual([0, ['prompt']]);
  });

  it.each([
    ['second', () => second.resolve('two'), 'two', ['overtaken']],
    ['first', () => first.resolve('one'), 'one', []],
  ] as const)('is the %s one’s, and the other is cancelled', async (_, deliver, expected, notes) => {
    const answer = ask();
    await vi.advanceTimersByTimeAsync(50);
    deliver();
    expect(await answer).toBe(expected);
    expect([first.cancelled, second.cancelled]).toEqual(expected === 'two' ? [true, false] : [false, true]);
    expect(told).toEqual(notes);
  });

  it('is a refusal as well', async () => {
    const answer = ask();
    await vi.advanceTimersByTimeAsync(50);
    second.reject(new Error('not found'));
    await expect(answer).rejects.toThrow('not found');
    expect(first.cancelled).toBe(true);
  });

  it('is waited for when the other pachd is lost', async () => {
    const answer = ask();
    await vi.advanceTimersByTimeAsync(50);
    first.reject(new Unavailable('lost'));
    await vi.advanceTimersByTimeAsync(1_000);
    second.resolve('two');
    expect(await answer).toBe('two');
  });

  it('is none when both are lost, or the only one before a second was asked', async () => {
    const answer = ask();
    first.reject(new Unavailable('lost at once'));
    await expect(answer).rejects.toThrow('lost at once');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked).toBe(0);

    first = question();
    const other = ask();
    await vi.advanceTimersByTimeAsync(50);
    second.reject(new Unavailable('lost'));
    first.reject(new Unavailable('lost too'));
    await expect(other).rejects.toThrow('lost too');
  });

  it('is waited for where there is nobody else to ask', async () => {
    const answer = ask(false);
    await vi.advanceTimersByTimeAsync(1_000);
    first.resolve('late');
    expect(await answer).toBe('late');
    expect([asked, told]).toEqual([1, []]);
  });
});

describe('how long is waited before', () => {
  it('is 200 ms until the usual is known, which 95 of 100 answers keep', () => {
    const tempo = createTempo();
    for (let tookMs = 1; tookMs < 20; tookMs++) tempo.note('a', 100 + tookMs);
    expect(tempo.patienceMs('a')).toBe(200);
    for (let tookMs = 20; tookMs <= 100; tookMs++) tempo.note('a', 100 + tookMs);
    expect(tempo.patienceMs('a')).toBe(195);
    expect(tempo.patienceMs('b')).toBe(200);
  });

  it('follows the last hundred, within 20 ms and a second', () => {
    const tempo = createTempo();
    for (let answer = 0; answer < 100; answer++) tempo.note('a', 2);
    expect(tempo.patienceMs('a')).toBe(20);
    for (let answer = 0; answer < 100; answer++) tempo.note('a', 5_000);
    expect(tempo.patienceMs('a')).toBe(1_000);
  });
});
