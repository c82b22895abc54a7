/** Where bytes are: a piece of a pack. */
export interface Ref {
  readonly pack: number;
  readonly offset: number;
  readonly length: number;
}

const REF_BYTES = 14;

/** A place in 14 bytes: pack (4), offset (6), length (4). */
export function encodeRef(ref: Ref): Buffer {
  const out = Buffer.allocUnsafe(REF_BYTES);
  out.writeUInt32BE(ref.pack, 0);
  out.writeUIntBE(ref.offset, 4, 6);
  out.writeUInt32BE(ref.length, 10);
  return out;
}

export function decodeRef(bytes: Buffer): Ref {
  return { pack: bytes.readUInt32BE(0), offset: bytes.readUIntBE(4, 6), length: bytes.readUInt32BE(10) };
}
