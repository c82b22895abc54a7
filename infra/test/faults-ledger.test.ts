import { describe, expect, it } from 'vitest';
import { createLedger } from '../../loadtest/bench/faults-ledger.ts';

describe('the ledger by which reads are judged when something in a fleet fails', () => {
  it('finds a read stale that shows less than was acknowledged before it began', () => {
    const ledger = createLedger();
    ledger.acknowledged('key', ledger.writing('key'));
    ledger.acknowledged('key', ledger.writing('key'));
    expect(ledger.reading('key')(1)).toBe('stale');
    expect(ledger.reading('key')(0)).toBe('stale');
    expect(ledger.reading('key')(2)).toBe('fresh');
  });

  it('finds a read stale that shows less than another had shown before it began', () => {
    const ledger = createLedger();
    ledger.writing('key');
    expect(ledger.reading('key')(1)).toBe('fresh');
    expect(ledger.reading('key')(0)).toBe('stale');
  });

  it('lets a read show a write that is under way, or what was there when the read began', () => {
    const ledger = createLedger();
    ledger.acknowledged('key', ledger.writing('key'));
    const [old, later] = [ledger.reading('key'), ledger.reading('key')];
    ledger.acknowledged('key', ledger.writing('key'));
    expect(old(1)).toBe('fresh');
    expect(later(2)).toBe('fresh');
  });

  it('tells what nobody wrote, and keys from each other', () => {
    const ledger = createLedger();
    ledger.acknowledged('key', ledger.writing('key'));
    expect(ledger.reading('key')(2)).toBe('unwritten');
    expect(ledger.reading('other')(0)).toBe('fresh');
  });
});
