import { S3Error } from '../errors.ts';

/**
 * A whole number of a query parameter; `fallback` if it is not there.
 * @throws S3Error InvalidArgument if it is none, is negative, or is above what an int32 holds, as S3 has it
 */
export function parseCount(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined || text === '') return fallback;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= 2 ** 31 - 1)) {
    throw new S3Error('InvalidArgument', {
      message: `Argument ${name} must be an integer between 0 and 2147483647`,
      elements: [
        ['ArgumentName', name],
        ['ArgumentValue', text],
      ],
    });
  }
  return value;
}
