/** What is read next of a stream of gRPC messages that each hold one `google.protobuf.BytesValue`. */
type State =
  /** The five bytes before a message: whether it is compressed, and its length. */
  | 'frame'
  /** The tag of its field, and the length of the bytes in it. */
  | 'tag'
  | 'length'
  | 'bytes';

const FRAME_BYTES = 5;
/** Field 1, with a length before it. */
const VALUE_TAG = 0x0a;
const LENGTH_MAX_BYTES = 5;
/** pachd's messages have at most 20 MiB. */
const MESSAGE_MAX_BYTES = 64 << 20;

/** The answer is no stream of bytes as pachd sends them. */
export class MalformedAnswer extends Error {
  override readonly name = 'MalformedAnswer';
}

/**
 * Takes the bytes of an answer as they come, in whatever pieces, and gives the content in them, without a copy and without
 * waiting for the end of a message. @throws MalformedAnswer
 */
export function createContentDecoder(): (chunk: Buffer) => Generator<Uint8Array, void> {
  let state: State = 'frame';
  let header = Buffer.alloc(0);
  let messageLeft = 0;
  let length = 0;
  let lengthBytes = 0;
  let valueLeft = 0;

  return function* decode(chunk) {
    for (let at = 0; at < chunk.length; ) {
      switch (state) {
        case 'frame': {
          const part = chunk.subarray(at, at + FRAME_BYTES - header.length);
          header = Buffer.concat([header, part]);
          at += part.length;
          if (header.length < FRAME_BYTES) break;
          if (header[0] !== 0) throw new MalformedAnswer('a compressed message');
          messageLeft = header.readUInt32BE(1);
          if (messageLeft > MESSAGE_MAX_BYTES) throw new MalformedAnswer(`a message of ${messageLeft} bytes`);
          header = Buffer.alloc(0);
          // An empty message holds no bytes.
          state = messageLeft === 0 ? 'frame' : 'tag';
          break;
        }
        case 'tag':
          if (chunk[at] !== VALUE_TAG) throw new MalformedAnswer(`a message with the tag ${chunk[at]}`);
          at += 1;
          messageLeft -= 1;
          length = 0;
          lengthBytes = 0;
          state = 'length';
          break;
        case 'length': {
          const byte = chunk[at] ?? 0;
          at += 1;
          messageLeft -= 1;
          length += (byte & 0x7f) * 2 ** (7 * lengthBytes);
          lengthBytes += 1;
          if ((byte & 0x80) !== 0) {
            if (lengthBytes === LENGTH_MAX_BYTES) throw new MalformedAnswer('a length that does not end');
            break;
          }
          if (length !== messageLeft) throw new MalformedAnswer(`${length} bytes in a message of ${messageLeft}`);
          valueLeft = length;
          state = valueLeft === 0 ? 'frame' : 'bytes';
          break;
        }
        case 'bytes': {
          const part = chunk.subarray(at, at + valueLeft);
          at += part.length;
          valueLeft -= part.length;
          if (valueLeft === 0) state = 'frame';
          yield part;
          break;
        }
      }
    }
  };
}
