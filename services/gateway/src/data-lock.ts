import { mkdirSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join, relative, resolve } from 'node:path';

/** A socket's path has at most about 100 bytes; seen from the working directory it is short. */
const SOCKET = 'tusk.lock';

/**
 * Takes a data folder for this process alone; made if need be. The lock is a socket that it listens on, so that it ends with the
 * process however that dies, and no process id has to be believed.
 * @throws Error with one line if another process has the folder, or if it cannot be used
 */
export async function lockData(dataDir: string): Promise<() => void> {
  mkdirSync(dataDir, { recursive: true });
  const path = relative(process.cwd(), join(resolve(dataDir), SOCKET));
  let server = await tryListen(path);
  if (server === undefined) {
    if (await answers(path))
      throw new Error(`${dataDir} is in use by another tusk; end that one, or set TUSK_DATA to another folder`);
    unlinkSync(path);
    server = await tryListen(path);
  }
  if (server === undefined) throw new Error(`${dataDir} is being taken by another tusk at this moment`);
  const held = server;
  held.unref();
  return () => held.close();
}

function tryListen(path: string): Promise<Server | undefined> {
  return new Promise((done, fail) => {
    const server = createServer((socket) => socket.destroy());
    server.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? done(undefined) : fail(error)));
    server.listen(path, () => done(server));
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path, () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => done(false));
  });
}
