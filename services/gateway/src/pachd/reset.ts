/**
 * Runs `reset`, which cancels a call or closes an HTTP/2 stream, when no frame is being read. What a promise continues with may run in
 * the middle of that, and to reset a stream there frees it twice and corrupts the memory of the process.
 * Source: https://github.com/nodejs/node/issues/38964, whose repair covers streams that are being read alone.
 */
export function resetLater(reset: () => void): void {
  setImmediate(reset);
}
