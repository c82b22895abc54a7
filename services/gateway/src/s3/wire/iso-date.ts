/** A date as S3 writes it in XML, in UTC and with milliseconds, such as `2006-02-03T16:45:09.000Z`. */
export function formatIsoDate(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** The time in milliseconds, or undefined if it is no date such as `2009-10-12T17:50:30.000Z`. */
export function parseIsoDate(text: string): number | undefined {
  const timeMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
