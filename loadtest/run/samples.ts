/** What k6 measured once, as it writes it down with `--out csv`. */
export interface Sample {
  readonly metric: string;
  /** Since 1970. */
  readonly atMs: number;
  readonly value: number;
  /** The name of the check; empty: it is none. */
  readonly check: string;
  /** k6's number for why there was no answer, or a bad one; empty: there was a good one. */
  readonly errorCode: string;
  /** The operation; empty: it is not of a request. */
  readonly name: string;
  /** Empty in setup and teardown, and for what is measured of k6 itself. */
  readonly scenario: string;
  /** Of HTTP; 0: there was no answer. */
  readonly status: string;
}

/** What k6 is to tell of each sample. Columns come in the order of the alphabet. */
export const SAMPLE_TAGS = ['check', 'error_code', 'name', 'scenario', 'status'];
export const SAMPLE_HEADER = [
  'metric_name',
  'timestamp',
  'metric_value',
  ...SAMPLE_TAGS,
  'extra_tags',
  'metadata',
].join();

/** What is looked at. There are nine samples of each request. */
const WANTED = new Set([
  'http_req_duration',
  'http_req_failed',
  'checks',
  'data_sent',
  'data_received',
  'vus',
  'dropped_iterations',
]);

/** @returns undefined: nobody looks at it. @throws Error when it is no line of k6's */
export function parseSample(line: string): Sample | undefined {
  const metric = line.slice(0, line.indexOf(','));
  if (!WANTED.has(metric)) return undefined;
  const [, at, value, check = '', errorCode = '', name = '', scenario = '', status = '', ...rest] = line.split(',');
  if (rest.length !== 2) throw new Error(`k6 wrote what is no sample: ${line}`);
  return { metric, atMs: Number(at), value: Number(value), check, errorCode, name, scenario, status };
}
