import { credentials } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DebugClient } from '../../../proto/gen/devpachd/devpachd.ts';
import { parseFault, parseFaults } from '../src/faults/grammar.ts';
import { readOptions } from '../src/options.ts';
import {
  add,
  type Client,
  call,
  connect,
  type Devpachd,
  eventually,
  head,
  spawnDevpachd,
  tempFolder,
} from './harness.ts';

const CANCELLED = 1;
const UNKNOWN = 2;
const UNAVAILABLE = 14;

describe('the grammar of faults', () => {
  const of = { kind: 'call', method: 'ModifyFile', when: 'before', times: Number.POSITIVE_INFINITY };

  it.each([
    ['ModifyFile delay 20', { ...of, action: { kind: 'delay', ms: 20 } }],
    ['ModifyFile after die once', { ...of, when: 'after', action: { kind: 'die' }, times: 1 }],
    ['ModifyFile  before cut times 3', { ...of, action: { kind: 'cut' }, times: 3 }],
    [
      "ModifyFile after error UNKNOWN 'it broke' once",
      { ...of, when: 'after', action: { kind: 'error', code: 'UNKNOWN', message: 'it broke' }, times: 1 },
    ],
    ['* delay 1', { ...of, method: '*', action: { kind: 'delay', ms: 1 } }],
    ['pfs_v2.API/GetFile cut', { ...of, method: 'pfs_v2.API/GetFile', action: { kind: 'cut' } }],
    ['disk full', { kind: 'disk', freeBytes: 0 }],
    ['disk full after 1000', { kind: 'disk', freeBytes: 1000 }],
  ])('%s', (text, fault) => expect(parseFault(text)).toEqual(fault));

  it.each(['', 'ModifyFile', 'ModifyFile sometimes die', 'delay 5', 'X error', 'X delay -1', 'X die twice', 'disk'])(
    'has no "%s"',
    (text) => expect(() => parseFault(text)).toThrow('--fault must be'),
  );

  it('holds several in the environment, and several flags', () => {
    expect(parseFaults('GetFile cut; disk full;').map(({ kind }) => kind)).toEqual(['call', 'disk']);
    expect(readOptions([], {})).toMatchObject({ faults: [], faultControl: false });
    expect(readOptions([], { DEVPACHD_FAULT: 'GetFile cut' }).faults).toHaveLength(1);
    expect(readOptions(['--fault', 'A cut', '--fault', 'B die'], { DEVPACHD_FAULT: 'C cut' }).faults).toHaveLength(2);
  });
});

const outcome = (work: Promise<unknown>) =>
  work.then(
    () => 'done' as const,
    (error: { code: number; details: string }) => error,
  );
const paths = async (client: Client) => (await client.list(head('r'))).map(({ file }) => file?.path);

describe('faults of a process', () => {
  const folder = tempFolder();
  let server: Devpachd;
  let client: Client;
  let debug: DebugClient;
  const inject = (...rules: string[]) => call((done) => debug.setFaults({ rules }, done));

  beforeAll(async () => {
    server = await spawnDevpachd(folder.path, ['--fault-control']);
    client = connect(server.address);
    debug = new DebugClient(server.address, credentials.createInsecure());
    await client.createRepo('r');
    await client.modify(head('r'), [add('/base', 'base')]);
  });
  afterEach(() => inject());
  afterAll(async () => {
    client.close();
    debug.close();
    await server.end();
    folder.remove();
  });

  it('a delayed call is passed by those that are not', async () => {
    await inject('InspectProject delay 60000 once');
    const { faultsInjected } = await client.counters();
    const inspect = (cancel?: Promise<void>) =>
      call((done) => {
        const running = client.api.inspectProject({ project: { name: 'default' } }, done);
        void cancel?.then(() => running.cancel());
      });
    const passed = eventually(async () => (await client.counters()).faultsInjected > faultsInjected).then(async () => {
      await inspect();
    });
    expect(await outcome(inspect(passed))).toMatchObject({ code: CANCELLED });
    await passed;
  });

  it('an error may come before a call took effect, and after', async () => {
    await inject("ModifyFile error UNKNOWN 'commit unexpectedly resulted in rollback' once");
    expect(await outcome(client.modify(head('r'), [add('/before', '1')]))).toMatchObject({
      code: UNKNOWN,
      details: 'commit unexpectedly resulted in rollback',
    });
    await inject('ModifyFile after error UNAVAILABLE once');
    expect(await outcome(client.modify(head('r'), [add('/after', '1')]))).toMatchObject({ code: UNAVAILABLE });
    expect(await outcome(client.modify(head('r'), [add('/then', '1')]))).toBe('done');
    expect(await paths(client)).toEqual(['/after', '/base', '/then']);
  });

  it('a connection may be cut before a call took effect, and after, and takes all of its calls with it', async () => {
    await inject('CreateRepo before cut once');
    expect(await outcome(client.createRepo('cut'))).toMatchObject({ code: UNAVAILABLE });
    await inject('CreateRepo after cut once', 'InspectProject delay 60000 once');
    const { faultsInjected } = await client.counters();
    const other = outcome(call((done) => client.api.inspectProject({ project: { name: 'default' } }, done)));
    while ((await client.counters()).faultsInjected === faultsInjected);
    expect(await outcome(client.createRepo('cut'))).toMatchObject({ code: UNAVAILABLE });
    expect(await other).toMatchObject({ code: UNAVAILABLE });
    expect(await outcome(client.createRepo('cut'))).toMatchObject({ details: 'repo default/cut already exists' });
  });

  it('a connection that is cut in front of the last message breaks a stream', async () => {
    await inject('GetFile after cut once');
    expect(await outcome(client.get(head('r'), '/base'))).toMatchObject({ code: UNAVAILABLE });
    expect((await client.get(head('r'), '/base')).toString()).toBe('base');
  });

  it('a full disk refuses content with the text of pachd, keeps none of it, and may get room again', async () => {
    const before = await paths(client);
    await inject('disk full after 1000');
    expect(await outcome(client.modify(head('r'), [add('/fits', Buffer.alloc(500, 'f'))]))).toBe('done');
    const full = { code: UNKNOWN, details: expect.stringMatching(/^blob \(key "chunk\/.*no space left on device$/) };
    expect(await outcome(client.modify(head('r'), [add('/large', Buffer.alloc(3000, 'l'))]))).toMatchObject(full);
    expect(await outcome(client.createFileSet([add('/x', Buffer.alloc(5_000_000, 'x'))]))).toMatchObject(full);
    // What is known already takes no room.
    expect(await outcome(client.modify(head('r'), [add('/again', 'base')]))).toBe('done');
    await inject();
    expect(await outcome(client.modify(head('r'), [add('/room', Buffer.alloc(3000, 'r'))]))).toBe('done');
    expect(await paths(client)).toEqual([...before, '/again', '/fits', '/room'].sort());
    expect((await client.get(head('r'), '/room')).toString()).toBe('r'.repeat(3000));
  });

  it('rules that cannot be read are refused', async () => {
    expect(await outcome(inject('ModifyFile explode'))).toMatchObject({ code: 3 });
  });
});

describe('faults by flags alone', () => {
  const folder = tempFolder();
  afterAll(folder.remove);
  let started: Devpachd[];
  let clients: Client[];
  const start = async (...args: string[]) => {
    const server = await spawnDevpachd(folder.path, args);
    const client = connect(server.address);
    started.push(server);
    clients.push(client);
    return { server, client };
  };
  beforeEach(() => {
    started = [];
    clients = [];
  });
  afterEach(async () => {
    for (const client of clients) client.close();
    await Promise.all(started.map((server) => server.end('SIGKILL')));
  });

  it.each([
    ['before', 'done'],
    ['after', 'repo default/after already exists'],
  ])('a process may die %s a call took effect', async (when, again) => {
    const { server, client } = await start('--fault', `CreateRepo ${when} die once`);
    expect(await outcome(client.createRepo(when))).toMatchObject({ code: UNAVAILABLE });
    await server.end();
    expect(server.process.signalCode).toBe('SIGKILL');
    const next = await start();
    const second = await outcome(next.client.createRepo(when));
    expect(second === 'done' ? second : second.details).toBe(again);
  });

  it('one server of a pool may be slow', async () => {
    const slow = await start('--fault', '* delay 2000');
    const fast = await start();
    const order: string[] = [];
    await Promise.all([
      slow.client.createRepo('slow').then(() => order.push('slow')),
      fast.client.createRepo('fast').then(() => order.push('fast')),
    ]);
    expect(order).toEqual(['fast', 'slow']);
    expect(await outcome(fast.client.createRepo('slow'))).toMatchObject({ code: 6 });
  });

  it('no client can bring them about', async () => {
    const { server, client } = await start();
    const debug = new DebugClient(server.address, credentials.createInsecure());
    expect(await outcome(call((done) => debug.setFaults({ rules: ['* die'] }, done)))).toMatchObject({
      code: 12,
      details: 'devpachd was started without --fault-control',
    });
    debug.close();
    expect(await outcome(client.createRepo('unharmed'))).toBe('done');
  });
});
