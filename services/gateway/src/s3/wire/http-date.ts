const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const LONG_DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const TIME = '(\\d\\d):(\\d\\d):(\\d\\d)';
const IMF_FIXDATE = new RegExp(
  `^(?:${DAYS.join('|')}), (\\d\\d) (${MONTHS.join('|')}) (\\d{4}) ${TIME} (?:GMT|UTC|[+-]0000)$`,
);
const RFC_850 = new RegExp(`^(?:${LONG_DAYS.join('|')}), (\\d\\d)-(${MONTHS.join('|')})-(\\d\\d) ${TIME} GMT$`);
const ASCTIME = new RegExp(`^(?:${DAYS.join('|')}) (${MONTHS.join('|')}) ([ \\d]\\d) ${TIME} (\\d{4})$`);

/** An HTTP date as RFC 9110, 5.6.7 has it, such as `Sun, 06 Nov 1994 08:49:37 GMT`; parts of a second are dropped. */
export function formatHttpDate(timeMs: number): string {
  if (timeMs !== last.timeMs) last = { timeMs, text: new Date(timeMs).toUTCString() };
  return last.text;
}

/** All objects of a commit have one time. */
let last = { timeMs: Number.NaN, text: '' };

/**
 * The time in milliseconds, in whole seconds, or undefined if it is not a date.
 * All three forms of RFC 9110, 5.6.7 are taken; also UTC, +0000 and -0000 for GMT in the first, which S3 clients send.
 */
export function parseHttpDate(text: string): number | undefined {
  const fixed = IMF_FIXDATE.exec(text);
  if (fixed !== null) {
    const [, day, month, year, hour, minute, second] = fixed;
    return timeOf(Number(year), month, day, hour, minute, second);
  }
  const old = RFC_850.exec(text);
  if (old !== null) {
    const [, day, month, year, hour, minute, second] = old;
    return timeOf(fullYear(Number(year)), month, day, hour, minute, second);
  }
  const asctime = ASCTIME.exec(text);
  if (asctime !== null) {
    const [, month, day, hour, minute, second, year] = asctime;
    return timeOf(Number(year), month, day, hour, minute, second);
  }
  return undefined;
}

/** RFC 9110: a two-digit year that seems more than 50 years in the future is in the past. */
function fullYear(twoDigits: number): number {
  const thisYear = new Date().getUTCFullYear();
  const year = thisYear - (thisYear % 100) + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}

function timeOf(
  year: number,
  monthName: string | undefined,
  day: string | undefined,
  hour: string | undefined,
  minute: string | undefined,
  second: string | undefined,
): number | undefined {
  const month = MONTHS.indexOf(monthName ?? '');
  // Date.UTC takes 31 February for 3 March, and 25:00 for tomorrow.
  const isDay = new Date(Date.UTC(year, month, Number(day))).getUTCDate() === Number(day);
  // A leap second is let through, as the next minute.
  const isTime = Number(hour) < 24 && Number(minute) < 60 && Number(second) <= 60;
  return isDay && isTime ? Date.UTC(year, month, Number(day), Number(hour), Number(minute), Number(second)) : undefined;
}
