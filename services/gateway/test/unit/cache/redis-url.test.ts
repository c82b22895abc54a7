import { describe, expect, it } from 'vitest';
import { parseRedisUrl } from '../../../src/cache/redis-url.ts';

const plain = { user: undefined, password: undefined, tls: undefined };

describe('a URL of Redis', () => {
  it.each([
    ['redis://h', { ...plain, kind: 'single', address: { host: 'h', port: 6379 }, database: 0 }],
    [
      'rediss://us%3Aer:p%40ss@[::1]:7/3?ca=/etc/ca.pem',
      {
        kind: 'single',
        user: 'us:er',
        password: 'p@ss',
        tls: { caFile: '/etc/ca.pem' },
        address: { host: '::1', port: 7 },
        database: 3,
      },
    ],
    [
      'redis+sentinel://:secret@a:1,b/main?db=2&sentinel-password=other',
      {
        kind: 'sentinel',
        user: undefined,
        password: 'secret',
        tls: undefined,
        sentinels: [
          { host: 'a', port: 1 },
          { host: 'b', port: 26379 },
        ],
        name: 'main',
        database: 2,
        sentinelUser: undefined,
        sentinelPassword: 'other',
      },
    ],
    [
      'rediss+cluster://a:1,b:2',
      {
        ...plain,
        kind: 'cluster',
        tls: { caFile: undefined },
        nodes: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
        ],
      },
    ],
  ])('is understood: %s', (text, expected) => {
    expect(parseRedisUrl(text)).toEqual(expected);
  });

  it.each([
    'h:6379',
    'http://h',
    'redis://',
    'redis://h:0',
    'redis://h:65536',
    'redis://a,b',
    'redis://h/name',
    'redis://hunter2@h',
    'redis://u:hunter2:x@h',
    'redis://u:%zz@h',
    'redis://h?ca=/etc/ca.pem',
    'rediss://h?password=hunter2',
    'redis+sentinel://a:1',
    'redis+sentinel://a:1/name/more',
    'redis+cluster://a:1/2',
    'redis+cluster://a:1,/',
  ])('is refused without saying what was in it: %s', (text) => {
    expect(() => parseRedisUrl(text)).toThrow(/^(must|has|may)/);
    expect(() => parseRedisUrl(text)).not.toThrow(/hunter2/);
  });
});
