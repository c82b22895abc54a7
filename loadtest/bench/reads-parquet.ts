// A data set of Parquet files, as pyarrow and DuckDB read it: a filtered column of all files, twice.
import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeFolder } from '../../services/gateway/test/support/clients.ts';
import { ROOT } from '../../services/gateway/test/support/program.ts';
import type { Tusk } from '../../services/gateway/test/support/tusk.ts';
import { callsOf, withGround } from './reads-setup.ts';

const FILES = 200;
const ROWS = 2_000;

export interface ParquetFigure {
  readonly name: string;
  readonly seconds: number;
  readonly calls: number;
}

const WRITE = `
import sys, pyarrow as pa, pyarrow.parquet as pq
folder, files, rows = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for i in range(files):
    at = range(i * rows, (i + 1) * rows)
    columns = {'id': list(at), 'value': [(n * 7919) % 1000 / 10 for n in at], 'text': [f'row {n} of the data' for n in at]}
    pq.write_table(pa.table(columns), f'{folder}/part-{i:04}.parquet', row_group_size=rows // 4)
`;

const READ = `
import sys, pyarrow.dataset as ds, pyarrow.fs as fs
store = fs.S3FileSystem(access_key='any', secret_key='any', endpoint_override=sys.argv[1], scheme='http', region='us-east-1')
data = ds.dataset(sys.argv[2] + '/data', filesystem=store, format='parquet')
rows = data.to_table(columns=['id'], filter=ds.field('value') > 99).num_rows
assert rows == int(sys.argv[3]), rows
`;

const READ_BY_DUCKDB = `
import glob, os, sys, duckdb, duckdb_extension_httpfs
db = duckdb.connect()
(httpfs,) = glob.glob(os.path.dirname(duckdb_extension_httpfs.__file__) + '/extensions/*/httpfs.duckdb_extension')
db.sql(f"LOAD '{httpfs}'")
db.sql(f"CREATE SECRET (TYPE s3, KEY_ID 'any', SECRET 'any', ENDPOINT '{sys.argv[1]}', URL_STYLE 'path', USE_SSL false)")
rows = db.sql(f"SELECT count(id) FROM 's3://{sys.argv[2]}/data/*.parquet' WHERE value > 99").fetchone()[0]
assert rows == int(sys.argv[3]), rows
`;

const READERS = { pyarrow: READ, DuckDB: READ_BY_DUCKDB } as const;

export async function measureParquet(pachd: string | undefined): Promise<readonly ParquetFigure[]> {
  const python = join(ROOT, '.cache', 'venv-data', 'bin', 'python');
  const folder = await makeFolder();
  try {
    const script = async (name: string, text: string, args: readonly string[]) => {
      const path = join(folder.path, name);
      await writeFile(path, text);
      await promisify(execFile)(python, [path, ...args]);
    };
    await script('write.py', WRITE, [folder.path, String(FILES), String(ROWS)]);
    const names = (await readdir(folder.path)).filter((name) => name.endsWith('.parquet'));
    const contents = await Promise.all(
      names.map(async (name) => [`data/${name}`, await readFile(join(folder.path, name))] as const),
    );
    const rows = Array.from({ length: FILES * ROWS }, (_, n) => ((n * 7919) % 1000) / 10 > 99).filter(Boolean).length;
    return await withGround({ pachd, auth: false, files: Object.fromEntries(contents) }, async (ground) => {
      const figures: ParquetFigure[] = [];
      const read = async (reader: keyof typeof READERS, time: string, tusk: Tusk) => {
        let seconds = 0;
        const calls = await callsOf(tusk, async () => {
          const begunMs = performance.now();
          await script(`by-${reader}.py`, READERS[reader], [new URL(tusk.url).host, ground.bucket, String(rows)]);
          seconds = (performance.now() - begunMs) / 1_000;
        });
        const made = [...calls.values()].reduce((sum, count) => sum + count, 0);
        figures.push({ name: `${reader}, ${time}`, seconds, calls: made });
      };
      for (const reader of ['pyarrow', 'DuckDB'] as const) {
        await ground.withTusk({ TUSK_READ_BATCH: 'off' }, (tusk) => read(reader, 'one by one', tusk));
        await ground.withTusk({}, async (tusk) => {
          await read(reader, 'the first time', tusk);
          await read(reader, 'the second time', tusk);
        });
      }
      return figures;
    });
  } finally {
    await folder.remove();
  }
}
