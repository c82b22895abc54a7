/** Polynomials in reflected form, and how wide their sums are. */
const POLYNOMIALS = {
  CRC32: { polynomial: 0xedb88320n, bits: 32n },
  CRC32C: { polynomial: 0x82f63b78n, bits: 32n },
  CRC64NVME: { polynomial: 0x9a6c9329ac4bc9b5n, bits: 64n },
} as const;

export type CrcAlgorithm = keyof typeof POLYNOMIALS;

export function isCrc(algorithm: string): algorithm is CrcAlgorithm {
  return algorithm in POLYNOMIALS;
}

export interface Summed {
  readonly sum: Uint8Array;
  readonly sizeBytes: number;
}

/** The sum of parts put together, from theirs, as zlib's crc32_combine does it: a sum of what comes before is multiplied by x^(8n). */
export function combineCrc(algorithm: CrcAlgorithm, parts: readonly Summed[]): Buffer {
  const { polynomial, bits } = POLYNOMIALS[algorithm];
  const powers = new Map<number, bigint>();
  const powerOf = (sizeBytes: number): bigint => {
    const power = powers.get(sizeBytes) ?? powerOfX(sizeBytes * 8, polynomial, bits);
    powers.set(sizeBytes, power);
    return power;
  };
  let sum = 0n;
  for (const part of parts) {
    sum =
      multiply(powerOf(part.sizeBytes), sum, polynomial, bits) ^ BigInt(`0x${Buffer.from(part.sum).toString('hex')}`);
  }
  return Buffer.from(sum.toString(16).padStart(Number(bits) / 4, '0'), 'hex');
}

/** x^n modulo the polynomial. The highest bit stands for x^0. */
function powerOfX(n: number, polynomial: bigint, bits: bigint): bigint {
  let power = 1n << (bits - 1n);
  let square = 1n << (bits - 2n);
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = multiply(square, power, polynomial, bits);
    square = multiply(square, square, polynomial, bits);
  }
  return power;
}

function multiply(a: bigint, b: bigint, polynomial: bigint, bits: bigint): bigint {
  let product = 0n;
  let shifted = b;
  for (let mask = 1n << (bits - 1n); mask !== 0n && shifted !== 0n; mask >>= 1n) {
    if ((a & mask) !== 0n) product ^= shifted;
    shifted = (shifted & 1n) === 0n ? shifted >> 1n : (shifted >> 1n) ^ polynomial;
  }
  return product;
}
