import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** What a store outside of the process is given instead of names and contents. */
export interface Seal {
  /**
   * Encrypts, so that only who has the secret can read it, and nobody can change it unseen.
   * @param place what it is kept under: sealed bytes of another place do not open here
   */
  seal(plain: Uint8Array, place: string): Buffer;
  /** undefined: it was not sealed with this secret, for this purpose and place, or it was changed. */
  open(sealed: Uint8Array, place: string): Buffer | undefined;
  /** Stands for a text in keys, always the same and not to be led back: 32 characters of base64url. */
  name(text: string): string;
}

const KEY_BYTES = 32;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NAME_BYTES = 24;

/**
 * AES-256-GCM (NIST SP 800-38D), and HMAC-SHA-256 for names, with keys made of the fleet's secret by HKDF (RFC 5869). Every value has a
 * key of its own, by a random salt that stands before it: with random nonces one key is good for 2^32 values, which a fleet reaches.
 * @param purpose values and names of one purpose mean nothing for another
 */
export function createSeal(secret: string, purpose: string): Seal {
  const derive = (use: string): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, '', `tusk ${purpose} ${use}`, KEY_BYTES));
  const sealing = derive('seal');
  const naming = derive('name');
  const keyOf = (salt: Uint8Array): Buffer => createHmac('sha256', sealing).update(salt).digest();

  return {
    seal(plain, place) {
      const head = randomBytes(SALT_BYTES + NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', keyOf(head.subarray(0, SALT_BYTES)), head.subarray(SALT_BYTES));
      cipher.setAAD(Buffer.from(place));
      const body = cipher.update(plain);
      return Buffer.concat([head, body, cipher.final(), cipher.getAuthTag()]);
    },

    open(sealed, place) {
      const bodyAt = SALT_BYTES + NONCE_BYTES;
      const tagAt = sealed.length - TAG_BYTES;
      if (tagAt < bodyAt) return undefined;
      const key = keyOf(sealed.subarray(0, SALT_BYTES));
      const cipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(SALT_BYTES, bodyAt), {
        authTagLength: TAG_BYTES,
      });
      cipher.setAAD(Buffer.from(place)).setAuthTag(sealed.subarray(tagAt));
      const plain = cipher.update(sealed.subarray(bodyAt, tagAt));
      try {
        return Buffer.concat([plain, cipher.final()]);
      } catch {
        // What it says is only that the tag is another.
        return undefined;
      }
    },

    name: (text) => createHmac('sha256', naming).update(text).digest().subarray(0, NAME_BYTES).toString('base64url'),
  };
}
