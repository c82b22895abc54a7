import { S3Error } from '../errors.ts';
import type { Query } from './encoding.ts';

/** Query parameters that set header fields of the answer. Source: S3 API reference, GetObject, "Overriding response header values". */
const OVERRIDES: readonly (readonly [parameter: string, header: string])[] = [
  ['response-content-type', 'Content-Type'],
  ['response-content-language', 'Content-Language'],
  ['response-expires', 'Expires'],
  ['response-cache-control', 'Cache-Control'],
  ['response-content-disposition', 'Content-Disposition'],
  ['response-content-encoding', 'Content-Encoding'],
];

const NONE: ReadonlyMap<string, string> = new Map();

/** Header fields by name. @throws S3Error InvalidArgument for a value that a header cannot hold */
export function overridesOf(query: Query): ReadonlyMap<string, string> {
  if (query.entries.length === 0) return NONE;
  const overrides = new Map<string, string>();
  for (const [parameter, header] of OVERRIDES) {
    const value = query.get(parameter);
    if (value === undefined || value === '') continue;
    if (!/^[\t\x20-\x7e]*$/.test(value)) {
      throw new S3Error('InvalidArgument', {
        message: 'A header can hold only printable ASCII.',
        elements: [['ArgumentName', parameter]],
      });
    }
    overrides.set(header, value);
  }
  return overrides;
}
