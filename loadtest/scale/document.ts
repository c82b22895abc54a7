import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../../services/gateway/test/support/program.ts';
import { chartsOf } from './charts.ts';
import { FIGURES_FILE, type Figures } from './figures.ts';
import { type Study, studyOf } from './study.ts';
import { inShort } from './summary.ts';
import * as tables from './tables.ts';

export const DOCUMENT_FILE = 'docs/scale.md';
export const CHARTS_FOLDER = 'docs/scale';

/** What is made of the figures: the lines between the document's marks, by the mark's name. */
const BLOCKS: Readonly<Record<string, (study: Study) => readonly string[]>> = {
  'in short': inShort,
  taken: tables.whenTaken,
  'hot reads': tables.hotReads,
  'two cores': tables.twoCores,
  'hot fleet': tables.hotFleet,
  'cold reads': tables.coldReads,
  'cold fleet': tables.coldFleet,
  writes: tables.writes,
  'write fleet': tables.writeFleet,
  pachd: tables.pachd,
  assumed: tables.assumed,
};

export interface Written {
  readonly document: string;
  /** By file name. */
  readonly charts: ReadonlyMap<string, string>;
}

/** The document and the plots as the figures have them. @throws Error when the document does not have the marks of a block */
export function written(figures: Figures, document: string): Written {
  const study = studyOf(figures);
  const filled = Object.entries(BLOCKS).reduce((text, [name, lines]) => filledIn(text, name, lines(study)), document);
  return { document: filled, charts: chartsOf(study) };
}

function filledIn(text: string, name: string, lines: readonly string[]): string {
  const [begin, end] = [`<!-- ${name}: made by npm run bench -- scale -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${DOCUMENT_FILE}: the marks ${begin} and ${end} are missing`);
  return `${text.slice(0, from + begin.length)}\n${lines.join('\n')}\n${text.slice(to)}`;
}

export async function writeStudy(): Promise<void> {
  const figures = JSON.parse(await readFile(join(ROOT, FIGURES_FILE), 'utf8')) as Figures;
  const file = join(ROOT, DOCUMENT_FILE);
  const { document, charts } = written(figures, await readFile(file, 'utf8'));
  await writeFile(file, document);
  for (const [name, svg] of charts) await writeFile(join(ROOT, CHARTS_FOLDER, name), svg);
}
