/** What a report has beside the style of the status page. */
export const REPORT_STYLE = `
.about { margin: -10px 0 16px; color: var(--soft); overflow-wrap: anywhere; }
.plots .wide { grid-column: 1 / -1; }
.wide .plot { height: 190px; }

td small { display: block; }
.same { color: var(--soft); }
.better { color: var(--good); font-weight: 600; }
.worse { color: var(--bad); font-weight: 600; }
@media (max-width: 760px) {
  .about { margin-top: -8px; }

}
`;
