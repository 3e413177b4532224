/** The report's style sheet: readable on screen (light and dark), on paper and without colour. */

/** Inlined into the page, so that the report is one file. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --soft: #57606a;
  --rule: #d0d7de; --band: #f4f6f8; --link: #0b5cad; --warn: #fff4d6; --warn-rule: #b58105;
  --ood: #000000; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --paper: #14171b; --soft: #a3adb8;
  --rule: #3a424c; --band: #1d2228; --link: #7db7f5; --warn: #3a2f10; --warn-rule: #d7a72a;
  --ood: #ffffff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
main, header, footer { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2rem; } footer { padding-bottom: 3rem; color: var(--soft); }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.35rem; margin: 2.6rem 0 .6rem; border-bottom: 1px solid var(--rule); }
h3 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; }
a { color: var(--link); } p { max-width: 52rem; } .soft { color: var(--soft); }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; list-style: none; }
.note { border-left: 4px solid var(--warn-rule); background: var(--warn); padding: .6rem .9rem;
  max-width: 52rem; margin: .8rem 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .8rem;
  margin: 1rem 0; }
.card { border: 1px solid var(--rule); border-radius: .4rem; padding: .6rem .8rem; }
.card b { display: block; font-size: 1.5rem; line-height: 1.2; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .4rem 0 1rem; }
table { min-width: min(34rem, 100%); }
caption { text-align: left; padding: .2rem 0 .4rem; color: var(--soft); }
th, td { padding: .28rem .6rem; border-bottom: 1px solid var(--rule); text-align: right;
  vertical-align: top; }
th:first-child, td:first-child { text-align: left; }
thead th { border-bottom: 2px solid var(--ink); white-space: nowrap; }
table:not(.facts) th:first-child { white-space: nowrap; position: sticky; left: 0;
  background: var(--paper); }
thead .group { text-align: center; border-bottom: 1px solid var(--rule); }
td.average, th.average { background: var(--band); }
table.facts td { text-align: left; overflow-wrap: anywhere; } table.facts th { text-align: left;
  font-weight: 600; white-space: nowrap; }
table.figures td { white-space: nowrap; } table.figures th .soft { font-weight: 400; }
td small { white-space: nowrap; }
.best { font-weight: 700; text-decoration: underline; text-underline-offset: 3px; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(24rem, 100%), 1fr)); gap: 1rem 1.6rem; }
figure { margin: .6rem 0; break-inside: avoid; } figcaption { font-size: .9rem; }
figcaption b { display: block; font-size: 1rem; }

svg.plot { display: block; width: 100%; height: auto; overflow: visible; }
svg.plot text { white-space: pre; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem .9rem; padding: 0; margin: .3rem 0;
  list-style: none; font-size: .85rem; }
.legend svg { vertical-align: middle; margin-right: .35rem; }
.examples { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .8rem;
  padding: 0; list-style: none; }
.examples li { border: 1px solid var(--rule); border-radius: .4rem; padding: .5rem; font-size: .82rem;
  line-height: 1.35; break-inside: avoid; }
.examples img { width: 100%; height: auto; image-rendering: pixelated;
  background: #808080; border-radius: .2rem; }
.examples b { display: block; }
details > summary { cursor: pointer; color: var(--link); margin: .4rem 0; }
code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .88em;
  overflow-wrap: anywhere; }
@media print { :root { --ink: #000; --paper: #fff; --soft: #333; --rule: #999; --band: #eee;
    --ood: #000; --warn: #fff; }
  body { font-size: 10.5pt; } nav { display: none; } h2 { break-after: avoid; }
  .wide { overflow: visible; } a { color: inherit; text-decoration: none; } }
`;
