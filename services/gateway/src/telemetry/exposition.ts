import type { Distribution, Exemplar, Family, Series, Snapshot } from './registry.ts';

/** Exemplars stand only in OpenMetrics, which a scraper asks for if it can read it. */
export type Format = 'prometheus' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/**
 * Metrics as text. Sources: Prometheus, "Exposition formats"; OpenMetrics 1.0.0, where a counter's family has no `_total` and its
 * samples do, and the text ends in a mark.
 */
export function exposition(families: readonly Family[], snapshot: Snapshot, format: Format): string {
  const lines: string[] = [];
  for (const family of families) {
    const { name, help, kind } = family;
    const title = format === 'openmetrics' && kind === 'counter' ? name.replace(/_total$/, '') : name;
    lines.push(`# HELP ${title} ${escapeHelp(help)}`, `# TYPE ${title} ${kind}`);
    for (const series of snapshot[name] ?? []) lines.push(...samplesOf(family, series, format));
  }
  if (format === 'openmetrics') lines.push('# EOF');
  return `${lines.join('\n')}\n`;
}

function samplesOf(family: Family, { labels, value }: Series, format: Format): readonly string[] {
  const pairs = family.labels.map((label, at) => `${label}="${escapeValue(labels[at] ?? '')}"`);
  if (typeof value === 'number') return [`${family.name}${braced(pairs)} ${value}`];
  const bounds = family.kind === 'histogram' ? family.bounds : [];
  return distributionLines(family.name, pairs, bounds, value, format);
}

function distributionLines(
  name: string,
  pairs: readonly string[],
  bounds: readonly number[],
  { counts, sum, exemplars }: Distribution,
  format: Format,
): readonly string[] {
  let below = 0;
  const buckets = counts.map((count, at) => {
    below += count;
    const bound = at < bounds.length ? boundText(bounds[at] ?? 0, format) : '+Inf';
    const exemplar = format === 'openmetrics' ? exemplarText(exemplars[at]) : '';
    return `${name}_bucket${braced([...pairs, `le="${bound}"`])} ${below}${exemplar}`;
  });
  return [...buckets, `${name}_sum${braced(pairs)} ${sum}`, `${name}_count${braced(pairs)} ${below}`];
}

/** OpenMetrics writes bounds as floats, and Prometheus reads both as the same. */
function boundText(bound: number, format: Format): string {
  return format === 'openmetrics' && Number.isInteger(bound) ? `${bound}.0` : String(bound);
}

function exemplarText(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return '';
  return ` # {trace_id="${exemplar.traceId}"} ${exemplar.value} ${exemplar.atMs / 1_000}`;
}

function braced(pairs: readonly string[]): string {
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeHelp(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
}

function escapeValue(text: string): string {
  return escapeHelp(text).replace(/"/g, '\\"');
}
