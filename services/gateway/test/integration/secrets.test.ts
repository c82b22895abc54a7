// A token is a password and the access key itself: it stands in no line that the gateway writes, whatever goes wrong.
import { expect, it } from 'vitest';
import { freshBucket } from '../support/buckets.ts';
import { send, sendRaw } from '../support/http.ts';
import { type Key, keyOf, type Signing } from '../support/signature.ts';
import { ROOT_TOKEN, startTusk } from '../support/tusk.ts';

const SIGNINGS: readonly Signing[] = ['v4', 'presign-v4', 'v2', 'presign-v2', 'v4-streaming', 'v4-streaming-bad'];

it('no token, secret or signature is written to stdout or stderr', async () => {
  const tusk = await startTusk({ auth: true, env: { TUSK_LOG_LEVEL: 'trace' } });
  try {
    const root = keyOf(ROOT_TOKEN);
    const robot = keyOf(await tusk.pachd.robotToken('ci'));
    const unknown = keyOf('0123456789abcdef0123456789abcdef');
    const wrong: Key = { accessKey: robot.accessKey, secretKey: 'a-wrong-secret-of-somebody' };
    const bucket = await freshBucket(tusk, root);
    for (const key of [root, robot, unknown, wrong]) {
      for (const signing of SIGNINGS) {
        await send(tusk.url, 'PUT', `/${bucket}/key`, { key, signing, body: 'content' });
        await send(tusk.url, 'GET', `/${bucket}/key`, { key, signing });
        await send(tusk.url, 'GET', `/${bucket}/st*r`, { key, signing });
        await send(tusk.url, 'PUT', `/${bucket}/key`, { key, signing, query: [['acl', '']] });
      }
    }
    // Credentials that cannot be parsed, also where they do not belong.
    const odd = [
      `GET /?X-Amz-Credential=${robot.accessKey}&X-Amz-Signature=${robot.accessKey} HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 Credential=${robot.accessKey}\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${robot.accessKey}\r\n\r\n`,
      `GET /?AWSAccessKeyId=${robot.accessKey} HTTP/1.1\r\nHost: x\r\nReferer: http://x/?X-Amz-Credential=${robot.accessKey}\r\n\r\n`,
    ];
    for (const request of odd) await sendRaw(tusk.url, request);
    await tusk.devpachd?.program.stop('SIGKILL');
    await send(tusk.url, 'GET', `/${bucket}/other`, { key: robot });
    await send(tusk.url, 'PUT', `/${bucket}/other`, { key: root, body: 'x' });

    const status = await (await fetch(`${tusk.adminUrl}/status.json`)).text();
    const metrics = await (await fetch(`${tusk.adminUrl}/metrics`)).text();
    await tusk.program.stop();
    const written = tusk.program.output() + status + metrics;
    // What is searched was really written: the access log names the bucket.
    expect(written).toContain(bucket);
    for (const secret of [ROOT_TOKEN, robot.accessKey, unknown.accessKey, wrong.secretKey]) {
      expect(written.split('\n').filter((line) => line.includes(secret))).toEqual([]);
    }
    expect(written).not.toMatch(/Signature=[0-9a-f]{64}/i);
    expect(written).not.toMatch(/[?&]Signature=/);
  } finally {
    await tusk.stop();
  }
});
