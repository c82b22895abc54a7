/** A sample of Prometheus' text. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a gateway says on /metrics. */
export interface Scrape {
  readonly text: string;
  readonly samples: readonly Sample[];
  /** The sum of the samples of a name that have all of these labels. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number;
}

export async function scrape({ adminUrl }: { readonly adminUrl: string }, accept = 'text/plain'): Promise<Scrape> {
  const answer = await fetch(`${adminUrl}/metrics`, { headers: { accept } });
  if (answer.status !== 200) throw new Error(`/metrics answers ${answer.status}`);
  const text = await answer.text();
  const samples = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(parseSample);
  return {
    text,
    samples,
    sum: (name, labels = {}) =>
      samples
        .filter((sample) => sample.name === name)
        .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
        .reduce((sum, { value }) => sum + value, 0),
  };
}

function parseSample(line: string): Sample {
  const [, name, labels = '', value] = /^([a-z_]+)(?:\{(.*?)\})? ([^ ]+)/.exec(line) ?? [];
  if (name === undefined) throw new Error(`not a sample: ${line}`);
  const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text]) => [label, text] as const);
  return { name, labels: Object.fromEntries(pairs), value: Number(value) };
}
