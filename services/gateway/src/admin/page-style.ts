/** The status page's style: for a laptop and a phone, by day and by night. */
export const STYLE = `
:root {
  --ground: #f6f7f9; --card: #fff; --text: #16191d; --soft: #5b6470; --rule: #e1e5ea; --grid: #e9ecf0;
  --a: #2563c9; --b: #c2660a; --c: #7a3fb5; --good: #116b3a; --good-ground: #dcf3e4; --bad: #b3261e; --bad-ground: #fbe3e1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #101317; --card: #191d23; --text: #e8eaed; --soft: #9aa4b0; --rule: #2b313a; --grid: #262c34;
    --a: #6ea8fe; --b: #f0a24a; --c: #c79bf2; --good: #7fd8a2; --good-ground: #173425; --bad: #ff9d94; --bad-ground: #46201d;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 14px/1.45 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;
}
main { max-width: 1180px; margin: 0 auto; padding: 20px 24px 32px; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 6px 12px; margin-bottom: 16px; }
h1 { font-size: 22px; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 15px; margin: 0 0 8px; }
h3 { font-size: 13px; margin: 0; font-weight: 600; }
.aside { margin-left: auto; color: var(--soft); font-variant-numeric: tabular-nums; }
.not-ready { color: var(--bad); overflow-wrap: anywhere; }
.pill { display: inline-block; padding: 1px 8px; border-radius: 999px; font-size: 12px; font-weight: 600; white-space: nowrap; }
.good.pill { color: var(--good); background: var(--good-ground); }
.bad.pill { color: var(--bad); background: var(--bad-ground); }
.notice { display: none; margin: 0; padding: 8px 24px; text-align: center; color: var(--bad); background: var(--bad-ground); font-weight: 600; }
.lost .notice { display: block; }
.lost main { opacity: 0.6; }
section, .tiles > div { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 14px 16px; }
section, .tiles, .pair { margin: 0 0 14px; }
.tiles { display: grid; grid-template-columns: repeat(5, 1fr); gap: 12px; }
dt { color: var(--soft); font-size: 13px; }
dd { margin: 0; font-size: 24px; font-weight: 600; line-height: 1.25; font-variant-numeric: tabular-nums; white-space: nowrap; }
dd.below { font-size: 12px; font-weight: 400; color: var(--soft); }
.tiles .bad dd:not(.below) { color: var(--bad); }
.plots { display: grid; grid-template-columns: 1fr 1fr; gap: 20px 28px; }
figure { margin: 0; min-width: 0; }
figcaption { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 12px; margin-bottom: 6px; }
figcaption h3 { margin-right: auto; }
.key { color: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; white-space: nowrap; }
.key b { color: var(--text); font-weight: 600; }
.key i { display: inline-block; width: 12px; height: 3px; border-radius: 2px; vertical-align: middle; margin-right: 5px; background: var(--line); }
.line-a { --line: var(--a); } .line-b { --line: var(--b); } .line-c { --line: var(--c); } .line-bad { --line: var(--bad); }
.plot { position: relative; height: 120px; padding-left: 54px; }
svg { display: block; width: 100%; height: 100%; overflow: visible; }
.grid { stroke: var(--grid); stroke-width: 1; vector-effect: non-scaling-stroke; }
path { fill: none; stroke: var(--line); stroke-width: 1.75; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.hint { fill: transparent; }
.hint:hover { fill: var(--soft); opacity: 0.25; }
.plot > span { position: absolute; left: 0; width: 48px; text-align: right; font-size: 11px; line-height: 1; color: var(--soft); pointer-events: none; font-variant-numeric: tabular-nums; }
${Array.from({ length: 13 }, (_, at) => `.at-${at} { bottom: calc(${((100 * at) / 12).toFixed(1)}% - 5px); }`).join(' ')}
.axis { display: flex; justify-content: space-between; margin: 4px 0 0 54px; font-size: 11px; color: var(--soft); }
.nothing { margin: 0; color: var(--soft); }
.plot > .nothing { position: absolute; inset: 0 0 0 54px; display: grid; place-items: center; text-align: center; }
.scroll { overflow-x: auto; margin: 0 -16px; padding: 0 16px; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-size: 12px; font-weight: 500; color: var(--soft); padding: 2px 14px 4px 0; white-space: nowrap; }
td { padding: 5px 14px 5px 0; border-top: 1px solid var(--rule); vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
th.n, td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.faults { list-style: none; margin: 0; padding: 0; }
.faults li { display: grid; grid-template-columns: 64px 170px 310px 1fr; gap: 2px 14px; padding: 7px 0; border-top: 1px solid var(--rule); }
.faults > li:first-child { border-top: 0; }
details .faults > li:first-child { border-top: 1px solid var(--rule); }
.faults time { font-variant-numeric: tabular-nums; }
.ids { overflow-wrap: anywhere; }
.why { color: var(--soft); font-size: 13px; overflow: hidden; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow-wrap: anywhere; }
summary { cursor: pointer; padding: 6px 0; color: var(--a); }
.more td { border-top: 0; padding-top: 0; }
.found { white-space: nowrap; }
code { font: 12px/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
small { font-size: 12px; color: var(--soft); }
meter { appearance: none; width: 64px; height: 6px; vertical-align: 1px; margin-right: 6px; }
meter::-webkit-meter-inner-element { display: block; }
meter::-webkit-meter-bar { height: 6px; border: 0; border-radius: 3px; background: var(--rule); }
meter::-webkit-meter-optimum-value { border-radius: 3px; background: var(--a); }
meter::-moz-meter-bar { background: var(--a); }
.pair { display: grid; grid-template-columns: 2fr 3fr; gap: 14px; align-items: start; }
.pair > * { margin: 0; min-width: 0; }
footer { display: flex; gap: 16px; color: var(--soft); }
a { color: var(--a); }
@media (max-width: 760px) {
  main { padding: 14px 12px 24px; }
  .aside { margin-left: 0; width: 100%; }
  .tiles { grid-template-columns: 1fr 1fr; gap: 8px; }
  .tiles > div:last-child { grid-column: span 2; }
  .tiles > div { padding: 10px 12px; }
  .plots, .pair { grid-template-columns: 1fr; }
  section { padding: 12px; }
  .scroll { margin: 0 -12px; padding: 0 12px; }
  th, td { padding-right: 10px; font-size: 13px; }
  meter { width: 40px; }
  .faults li { grid-template-columns: 64px 1fr; }
  .ids, .why { grid-column: 2; }
}
`;
