import { refused } from './errors.ts';

/** When something is due: the first time after `ms` (since 1970, UTC), or undefined if there is none within five years. */
export type Schedule = (ms: number) => number | undefined;

interface Field {
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}

const MINUTE_MS = 60_000;
const YEARS_MAX = 5;
/** As pachd writes that something is never due. */
const YEAR_9999_MS = 253_370_764_800_000;

const MONTHS = ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS: readonly Field[] = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 6, names: DAYS },
];
const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Reads `MINUTE HOUR DAY MONTH WEEKDAY`, `@daily` and the like, `@every 1h30m` or `@never`. Throws for anything else. */
export function parseSchedule(spec: string): Schedule {
  if (spec.trim() === '@never') return () => YEAR_9999_MS;
  if (spec.startsWith('@every ')) return every(spec);
  if (spec.startsWith('@')) {
    const plain = DESCRIPTORS[spec];
    if (plain === undefined) throw refused(`Unrecognized descriptor: ${spec}`);
    return parseSchedule(plain);
  }
  const parts = spec.split(/\s+/).filter((part) => part !== '');
  if (parts.length !== FIELDS.length) {
    throw refused(`Expected exactly ${FIELDS.length} fields, found ${parts.length}: ${spec}`);
  }
  const [minutes, hours, days, months, weekdays] = FIELDS.map((field, index) => parseField(parts[index] ?? '', field));
  const isAny = (index: number) => /(?:^|,)[*?]/.test(parts[index] ?? '');
  const isDay = (at: Date) => {
    const matches = [days?.has(at.getUTCDate()), weekdays?.has(at.getUTCDay())];
    return isAny(2) || isAny(4) ? matches.every(Boolean) : matches.some(Boolean);
  };
  return (ms) => {
    const at = new Date((Math.floor(ms / MINUTE_MS) + 1) * MINUTE_MS);
    const lastYear = at.getUTCFullYear() + YEARS_MAX;
    while (at.getUTCFullYear() <= lastYear) {
      if (!months?.has(at.getUTCMonth() + 1)) {
        at.setUTCMonth(at.getUTCMonth() + 1, 1);
        at.setUTCHours(0, 0, 0, 0);
      } else if (!isDay(at)) {
        at.setUTCDate(at.getUTCDate() + 1);
        at.setUTCHours(0, 0, 0, 0);
      } else if (!hours?.has(at.getUTCHours())) at.setUTCHours(at.getUTCHours() + 1, 0, 0, 0);
      else if (!minutes?.has(at.getUTCMinutes())) at.setUTCMinutes(at.getUTCMinutes() + 1, 0, 0);
      else return at.getTime();
    }
    return undefined;
  };
}

function every(spec: string): Schedule {
  const text = spec.slice('@every '.length);
  if (!/^[+-]?(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) {
    throw refused(`Failed to parse duration ${spec}: time: invalid duration "${text}"`);
  }
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)) {
    ms += Number(count) * (UNITS_MS[unit ?? ''] ?? 0);
  }
  const delayMs = text.startsWith('-') ? 1000 : Math.max(1000, Math.floor(ms / 1000) * 1000);
  return (from) => Math.floor(from / 1000) * 1000 + delayMs;
}

function parseField(text: string, field: Field): ReadonlySet<number> {
  return new Set(
    text
      .split(',')
      .filter((part) => part !== '')
      .flatMap((part) => parseRange(part, field)),
  );
}

/** `*`, `N`, `N-M`, each with `/STEP`. */
function parseRange(text: string, { min, max, names }: Field): readonly number[] {
  const [range = '', stepText, ...more] = text.split('/');
  if (more.length > 0) throw refused(`Too many slashes: ${text}`);
  const [low = '', high, ...others] = range.split('-');
  if (others.length > 0) throw refused(`Too many hyphens: ${text}`);
  const isAny = low === '*' || low === '?';
  const start = isAny ? min : parseNumber(low, names);
  let end = isAny ? max : high === undefined ? start : parseNumber(high, names);
  const step = stepText === undefined ? 1 : parseNumber(stepText, []);
  if (stepText !== undefined && high === undefined) end = max;
  if (start < min) throw refused(`Beginning of range (${start}) below minimum (${min}): ${text}`);
  if (end > max) throw refused(`End of range (${end}) above maximum (${max}): ${text}`);
  if (start > end) throw refused(`Beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (step === 0) throw refused(`Step of range should be a positive number: ${text}`);
  return Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, index) => start + index * step);
}

function parseNumber(text: string, names: readonly string[]): number {
  const named = text === '' ? -1 : names.indexOf(text.toLowerCase());
  if (named >= 0) return named;
  if (!/^[+-]?\d+$/.test(text)) {
    throw refused(`Failed to parse int from ${text}: strconv.Atoi: parsing "${text}": invalid syntax`);
  }
  if (Number(text) < 0) throw refused(`Negative number (${Number(text)}) not allowed: ${text}`);
  return Number(text);
}
