/** A date as S3 writes it in XML, in UTC and with milliseconds, such as `2006-02-03T16:45:09.000Z`. */
export function formatIsoDate(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
