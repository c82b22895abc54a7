import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = new URL('../conformance/tls/', import.meta.url.replace('/dist/', '/'));

/** The certificate of gateways under test, which has signed itself: for `localhost` and 127.0.0.1. */
export const CERTIFICATE_FILE = fileURLToPath(new URL('cert.pem', folder));
export const CERTIFICATE = readFileSync(CERTIFICATE_FILE);

/** What makes a gateway serve TLS. */
export const SERVES_TLS: Readonly<Record<string, string>> = {
  TUSK_TLS_CERT: CERTIFICATE_FILE,
  TUSK_TLS_KEY: fileURLToPath(new URL('key.pem', folder)),
};
