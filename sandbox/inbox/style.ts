/** The style sheet of the inbox page. */
export const STYLE = `
:root {
  --ink: #1d2530; --soft: #5b6675; --paper: #f4f6f9; --card: #fff; --line: #d9dfe7;
  --accent: #0b5fa5; --in: #dff0d8; --good: #1c6b3a; --bad: #a3231c; --wait: #7a4d00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e8edf3; --soft: #a3afbe; --paper: #12171e; --card: #1c232d; --line: #323c4a;
    --accent: #7fbcf0; --in: #234031; --good: #7fd6a0; --bad: #ff9d94; --wait: #f0c271;
  }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
a { color: var(--accent) }
header { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center; padding: 1rem 1.5rem;
  background: var(--card); border-bottom: 1px solid var(--line) }
header h1 { font-size: 1.25rem; margin: 0 }
header nav { display: flex; gap: 1rem; flex: 1 }
button { font: inherit; color: inherit; background: none; border: 1px solid var(--line); border-radius: .5rem;
  padding: .25rem .75rem; cursor: pointer }
button:focus-visible, a:focus-visible, summary:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
main { max-width: 80rem; margin: 0 auto; padding: 1rem 1.5rem 3rem }
h2 { font-size: 1.1rem; margin: 2rem 0 .75rem }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere }
.empty { color: var(--soft) }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: 1rem; align-items: start }
.phone, .mail, .table { background: var(--card); border: 1px solid var(--line); border-radius: 1rem; padding: 1rem }
.phone ol { list-style: none; margin: .75rem 0 0; padding: 0; display: flex; flex-direction: column; gap: .75rem }
.bubble { max-width: 90%; align-self: flex-start }
.bubble.inbound { align-self: flex-end }
.bubble p { margin: 0; padding: .5rem .85rem; border-radius: 1rem; background: var(--paper); white-space: pre-wrap;
  overflow-wrap: anywhere }
.bubble.inbound p { background: var(--in) }
.meta { font-size: .8rem; color: var(--soft); margin: .15rem .5rem 0 }
.state { font-weight: 600 }
.state.good { color: var(--good) } .state.bad { color: var(--bad) } .state.wait { color: var(--wait) }
.mail .body { white-space: pre-wrap; overflow-wrap: anywhere; border-top: 1px solid var(--line); margin: .75rem 0 0;
  padding-top: .75rem; max-height: 24rem; overflow: auto }
.mail iframe { width: 100%; height: 20rem; border: 1px solid var(--line); border-radius: .5rem; background: #fff }
.table { overflow-x: auto; margin-bottom: 1rem }
table { border-collapse: collapse; width: 100%; font-size: .9rem }
caption { text-align: left; font-weight: 600; padding-bottom: .5rem }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .8rem }
`;

/** Refreshes the page in place every two seconds, until the reader pauses it. */
export const SCRIPT = `
const button = document.querySelector('#refresh');
let paused = false;
button.hidden = false;
button.addEventListener('click', () => {
  paused = !paused;
  button.textContent = paused ? 'Resume updates' : 'Pause updates';
});
setInterval(async () => {
  if (paused || document.hidden || document.querySelector('main details[open]')) return;
  try {
    const text = await (await fetch(location.href)).text();
    const fresh = new DOMParser().parseFromString(text, 'text/html').querySelector('main');
    const shown = document.querySelector('main');
    if (fresh.innerHTML !== shown.innerHTML) shown.innerHTML = fresh.innerHTML;
  } catch {}
}, 2000);
`;
