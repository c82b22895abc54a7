import { status } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { fromStatus, toPachdError } from '../../../src/pachd/errors.ts';

it.each([
  ['No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1', status.UNAVAILABLE, 'none'],
  ['Channel closed before call started', status.UNAVAILABLE, 'none'],
  ['Failed to start HTTP/2 stream with error The session has been destroyed', status.INTERNAL, 'none'],
  ['Stream refused by server', status.UNAVAILABLE, 'none'],
  ['Connection dropped', status.UNAVAILABLE, 'broken'],
  ['read ECONNRESET', status.UNAVAILABLE, 'broken'],
  ['Received RST_STREAM with code 2 (Internal server error)', status.INTERNAL, 'broken'],
  ['the database is away', status.UNAVAILABLE, 'answered'],
])('%s: how far the call got', (text, code, delivery) => {
  expect(fromStatus('WhoAmI', code, text)).toMatchObject({ kind: 'unavailable', delivery });
});

it('a call on a channel that was closed since it was chosen never went out', () => {
  expect(toPachdError('WhoAmI', new Error('Channel has been shut down'))).toMatchObject({
    kind: 'unavailable',
    delivery: 'none',
  });
});

it.each([
  ['pick branch: picking branch: branch (id=0, branch=default/a@master) not found', 'branch-not-found'],
  [
    'pick branch: picking branch: picking repo: get repo info with id: repo (id=0, project=default, name=a, type=user) not found',
    'repo-not-found',
  ],
])('%s: what is gone when metadata is edited', (text, kind) => {
  expect(fromStatus('EditMetadata', status.UNKNOWN, `apply edits: edit #0: ${text}`)).toMatchObject({ kind });
});

it.each(['path does not exist', 'get file: path does not exist', 'add file set: path does not exist'])(
  '%s: a file set has gone',
  (text) => {
    expect(fromStatus('GlobFile', status.UNKNOWN, text)).toMatchObject({ kind: 'file-set-gone' });
  },
);

it.each(['/a', '/a b/*', '/output branch/*', '/path does not exist/*'])('%s: a file is not there', (path) => {
  const text = `file ${path} not found in repo default/a at commit 0123456789ab4def0123456789abcdef`;
  expect(fromStatus('GetFileTAR', status.NOT_FOUND, text)).toMatchObject({ kind: 'file-not-found' });
});

it('a call that pachd does not know is told from one that failed', () => {
  expect(fromStatus('EditMetadata', status.UNIMPLEMENTED, 'unknown service metadata.API')).toMatchObject({
    kind: 'unimplemented',
  });
});
