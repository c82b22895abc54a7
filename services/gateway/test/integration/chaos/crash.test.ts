import { afterEach, describe, it } from 'vitest';
import { type Scene, type Strike, startScene } from './crash.ts';

let scene: Scene | undefined;
afterEach(async () => {
  await scene?.close();
  scene = undefined;
});

describe.each<[what: string, strikes: readonly Strike[]]>([
  [
    'the answer of a commit is lost',
    [
      { method: 'ModifyFile', when: 'after', blow: 'cut' },
      { method: 'ModifyFile', when: 'after', blow: 'error' },
      { method: 'ModifyFile', when: 'after', blow: 'pachd dies' },
      { method: 'InspectCommit', when: 'before', blow: 'cut' },
    ],
  ],
  [
    'the gateway dies with a commit',
    [
      { method: 'ModifyFile', when: 'before', blow: 'worker dies' },
      { method: 'ModifyFile', when: 'after', blow: 'worker dies' },
      { method: 'ModifyFile', when: 'after', blow: 'gateway dies' },
    ],
  ],
  ['pachd dies under a commit', [{ method: 'ModifyFile', when: 'before', blow: 'pachd dies' }]],
  [
    'bytes are lost on their way',
    [
      { method: 'CreateFileSet', when: 'before', blow: 'cut' },
      { method: 'CreateFileSet', when: 'after', blow: 'pachd dies' },
      { method: 'ComposeFileSet', when: 'after', blow: 'worker dies' },
      { method: 'AddFileSet', when: 'before', blow: 'cut' },
      { method: 'AddFileSet', when: 'after', blow: 'pachd dies' },
    ],
  ],
])('when %s', (_, strikes) => {
  it('nothing acknowledged is lost, nothing is half done, and anybody can write at once', async () => {
    scene = await startScene(21);
    for (const strike of strikes) await scene.strike(strike);
    await scene.check();
  });
});
