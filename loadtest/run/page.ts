import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Html, html, raw } from '../../services/gateway/src/admin/html.ts';
import { STYLE } from '../../services/gateway/src/admin/page-style.ts';
import { REPORT_STYLE } from './report-style.ts';

/** Writes a page, and makes the folder that it is in. */
export async function writePage(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

/** A page in one file, which asks for nothing and runs nothing. Source: Content Security Policy Level 3. */
export function page(title: string, main: Html): string {
  const whole = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${raw(STYLE)}${raw(REPORT_STYLE)}</style>
</head>
<body>
<main>
${main}
</main>
</body>
</html>
`;
  return whole.html;
}

export function tile(name: string, value: string, below: string, state: '' | 'bad' = ''): Html {
  return html`<div class="${state}"><dt>${name}</dt><dd>${value}</dd><dd class="below">${below}</dd></div>`;
}

/** A table that can be scrolled where it is too wide. @param texts how many columns have texts; those after them have numbers */
export function tableOf(head: readonly string[], texts: number, rows: readonly (readonly (string | Html)[])[]): Html {
  const kind = (column: number) => (column < texts ? '' : 'n');
  return html`<div class="scroll"><table>
  <thead><tr>${head.map((name, column) => html`<th class="${kind(column)}">${name}</th>`)}</tr></thead>
  <tbody>${rows.map((row) => html`<tr>${row.map((cell, column) => html`<td class="${kind(column)}">${cell}</td>`)}</tr>`)}</tbody>
</table></div>`;
}

export function pill(good: boolean, text: string): Html {
  return html`<span class="pill ${good ? 'good' : 'bad'}">${text}</span>`;
}
