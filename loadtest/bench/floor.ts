// The floor: the least that a gateway on uWebSockets.js must do for a signed GET. It checks the signature with the very
// same functions and answers one object from memory; there is no bucket, no branch, no permission and no log.
// Arguments: HOST:PORT, the object's body in base64, its header fields as JSON.
import { readHead } from '../../services/gateway/src/edge/request.ts';
import { loadUws } from '../../services/gateway/src/edge/uws.ts';
import { parseCredential } from '../../services/gateway/src/s3/auth/credential.ts';
import { verifySigV4 } from '../../services/gateway/src/s3/auth/sigv4.ts';

const [, , body = '', fields = '[]'] = process.argv;
const bytes = Buffer.from(body, 'base64');
const headers = JSON.parse(fields) as readonly (readonly [string, string])[];
const uws = await loadUws();

uws
  .App()
  .any('/*', (res, req) => {
    const head = readHead(req);
    res.onAborted(() => undefined);
    const credential = parseCredential(head, Date.now());
    const right = credential.kind === 'sigv4' && verifySigV4(credential, head, credential.accessKey);
    res.cork(() => {
      if (!right) {
        res.writeStatus('403 Forbidden').end();
        return;
      }
      res.writeStatus('200 OK');
      for (const [name, value] of headers) res.writeHeader(name, value);
      res.end(bytes);
    });
  })
  .listen('127.0.0.1', 0, uws.LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => {
    if (socket === false) throw new Error('the floor cannot listen');
    process.send?.({ port: uws.us_socket_local_port(socket) });
  });
