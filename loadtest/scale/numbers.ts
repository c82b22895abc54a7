/** How numbers are written in the study. */

/** Three digits that count, with commas: 12,300 or 0.0123. */
export function short(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

/** How far one is from another, as +3 % or −12 %. */
export function off(value: number, from: number): string {
  const percent = Math.round(100 * (value / from - 1));
  return `${percent < 0 ? '−' : '+'}${Math.abs(percent)} %`;
}

export function percent(part: number): string {
  return `${Math.round(100 * part)} %`;
}

/** The largest of some deviations, without its sign. */
export function worst(pairs: readonly (readonly [value: number, from: number])[]): string {
  return percent(Math.max(...pairs.map(([value, from]) => Math.abs(value / from - 1))));
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
