/** How the status page writes numbers: short, and with their units. */

export function count(value: number): string {
  if (value >= 10_000_000) return `${(value / 1_000_000).toFixed(0)} M`;
  if (value >= 1_000_000) return `${(value / 1_000_000).toFixed(1)} M`;
  return Math.round(value).toLocaleString('en-US');
}

/** Of something that may be less than one. */
export function rate(value: number): string {
  if (value === 0) return '0';
  return value < 10 ? value.toFixed(value < 1 ? 2 : 1) : count(value);
}

export function milliseconds(value: number): string {
  if (value >= 600_000) return `${(value / 60_000).toFixed(1)} min`;
  if (value >= 1_000) return `${(value / 1_000).toFixed(value >= 10_000 ? 0 : 1)} s`;
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
}

export function bytes(value: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let at = 0;
  let left = value;
  while (left >= 1_000 && at < units.length - 1) {
    left /= 1_000;
    at += 1;
  }
  return `${left >= 100 || at === 0 ? left.toFixed(0) : left.toFixed(1)} ${units[at]}`;
}

export function percent(part: number): string {
  return `${(100 * part).toFixed(part > 0.995 && part < 1 ? 1 : 0)} %`;
}

/** The time of day, in UTC as in the logs. */
export function clock(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 19);
}
