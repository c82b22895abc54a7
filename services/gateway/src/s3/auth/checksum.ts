import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { createCRC32, createCRC64, type IHasher } from 'hash-wasm';

export type ChecksumAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256';

/** Every algorithm of S3 (S3 user guide, "Checking object integrity"), and how many bytes its value has. */
export const CHECKSUM_BYTES: Readonly<Record<ChecksumAlgorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
};

/** A checksum in the making. `digest` ends it. */
export interface Checksum {
  update(chunk: Uint8Array): void;
  digest(): Buffer;
}

/** Begins a checksum; only the first of its kind in a process takes time. */
export async function startChecksum(algorithm: ChecksumAlgorithm): Promise<Checksum> {
  switch (algorithm) {
    case 'CRC32':
      return startCrc32();
    case 'CRC32C':
      return startPooled(crc32cHashers, () => createCRC32(CASTAGNOLI));
    case 'CRC64NVME':
      return startPooled(crc64NvmeHashers, () => createCRC64(NVME));
    case 'SHA1':
      return startHash('sha1');
    case 'SHA256':
      return startHash('sha256');
  }
}

/** Begins a hash of node:crypto. */
export function startHash(name: 'md5' | 'sha1' | 'sha256'): Checksum {
  const digest = createHash(name);
  return {
    update: (chunk) => {
      digest.update(chunk);
    },
    digest: () => digest.digest(),
  };
}

function startCrc32(): Checksum {
  let value = 0;
  return {
    update: (chunk) => {
      value = crc32(chunk, value);
    },
    digest: () => {
      const bytes = Buffer.allocUnsafe(4);
      bytes.writeUInt32BE(value);
      return bytes;
    },
  };
}

/** The polynomials in reflected form (RFC 3720, 12.1; NVM Express NVM command set, 5.2.1.3.4). */
const CASTAGNOLI = 0x82f63b78;
const NVME = '9a6c9329ac4bc9b5';

// A hasher is a WebAssembly instance, which costs 50 microseconds to make: those that are done serve again.
const IDLE_MAX = 32;
const crc32cHashers: IHasher[] = [];
const crc64NvmeHashers: IHasher[] = [];

async function startPooled(idle: IHasher[], create: () => Promise<IHasher>): Promise<Checksum> {
  const hasher = idle.pop() ?? (await create());
  hasher.init();
  return {
    update: (chunk) => {
      hasher.update(chunk);
    },
    digest: () => {
      const bytes = Buffer.from(hasher.digest('binary'));
      if (idle.length < IDLE_MAX) {
        idle.push(hasher);
      }
      return bytes;
    },
  };
}
