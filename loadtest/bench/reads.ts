// `npm run bench -- reads [HOST:PORT] [WORDS]`: what reads take and ask of pachd; WORDS choose parts, as in "cold alone".
import { megabytes } from './figures.ts';
import { measureAlone } from './reads-alone.ts';
import { type ColdFigure, measureCold, measureSyncDown } from './reads-cold.ts';
import { measureLarge } from './reads-large.ts';
import { measureLists } from './reads-list.ts';
import { measureParquet } from './reads-parquet.ts';

const LARGE_MIB = [100, 1_000];

const PARTS: Readonly<Record<string, (pachd: string | undefined) => Promise<void>>> = {
  async cold(pachd) {
    console.log('\nDistinct cold objects of 1 KB in a folder of 10,000, 64 readers\n');
    printCold(await measureCold(pachd));
  },
  async sync(pachd) {
    console.log('\n10,000 files of 4 KB, down\n');
    printCold(await measureSyncDown(pachd));
  },
  async alone(pachd) {
    console.log('\nOne cold request alone, medians\n\n| auth | request | ms | calls |\n| --- | --- | --- | --- |');
    for (const { auth, name, medianMs, calls } of await measureAlone(pachd)) {
      console.log(`| ${auth} | ${name} | ${medianMs.toFixed(1)} | ${calls} |`);
    }
  },
  async large(pachd) {
    console.log(
      '\nLarge objects, medians of turns\n\n| size | bare GetFile | tusk | ratio |\n| --- | --- | --- | --- |',
    );
    for (const { bytes, bareMs, tuskMs } of await measureLarge(pachd, LARGE_MIB)) {
      const ratio = (tuskMs / bareMs).toFixed(2);
      console.log(`| ${megabytes(bytes)} | ${Math.round(bareMs)} ms | ${Math.round(tuskMs)} ms | ${ratio} |`);
    }
  },
  async lists(pachd) {
    console.log(
      '\n100,000 keys in pages of 1000\n\n| list | first page | last | all | resident memory |\n| --- | --- | --- | --- | --- |',
    );
    for (const { name, pages, firstMs, lastMs, totalMs, peakBytes } of await measureLists(pachd)) {
      const [first, last] = [firstMs, lastMs].map((ms) => `${Math.round(ms)} ms`);
      const all = `${pages} pages, ${(totalMs / 1_000).toFixed(1)} s`;
      console.log(`| ${name} | ${first} | ${last} | ${all} | ${megabytes(peakBytes)} |`);
    }
  },
  async parquet(pachd) {
    console.log(
      '\n200 Parquet files, one column filtered by another\n\n| | seconds | calls of pachd |\n| --- | --- | --- |',
    );
    for (const { name, seconds, calls } of await measureParquet(pachd)) {
      console.log(`| ${name} | ${seconds.toFixed(1)} | ${calls} |`);
    }
  },
};

/** @param words a pachd as HOST:PORT with auth off, devpachd without it; and parts, all without them @throws for a word that names none */
export async function reportReads(words: readonly string[]): Promise<void> {
  const pachd = words.find((word) => word.includes(':'));
  const named = words.filter((word) => word !== pachd);
  for (const word of named.length === 0 ? Object.keys(PARTS) : named) {
    const part = PARTS[word];
    if (part === undefined) throw new Error(`reads has no part "${word}"; it has ${Object.keys(PARTS).join(', ')}`);
    await part(pachd);
  }
}

function printCold(figures: readonly ColdFigure[]): void {
  console.log('| | objects/s | ratio | calls of pachd for 1000 |\n| --- | --- | --- | --- |');
  for (const { name, perSecond, ratio, callsPer1000 } of figures) {
    console.log(`| ${name} | ${Math.round(perSecond)} | ${ratio.toFixed(1)} | ${Math.round(callsPer1000)} |`);
  }
}
