import { html } from './html.ts';
import { SCRIPT, STYLE } from './style.ts';
import type { DeliveredMessage } from '../delivered-message.ts';
import type { Html } from './html.ts';
import type { StoredResource } from '../ehr/resource.ts';

/** What the page shows. */
export interface InboxContent {
  /** Newest first. */
  messages: readonly DeliveredMessage[];
  ehrs: readonly { tenant: string; resources: Record<string, readonly StoredResource[]> }[];
  /** Show this address only. */
  address?: string | undefined;
}

/** The most phones, emails and rows of a table on one page. */
const MAX_SHOWN = 60;

/** The inbox page: texts as a phone shows them, emails as cards, and what each EHR holds. */
export function renderInbox(content: InboxContent): string {
  const { messages, ehrs, address } = content;
  const shown = address === undefined ? messages : messages.filter((message) => patientOf(message) === address);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>MediConnect sandbox: inboxes and EHRs</title>
        <style>
          ${{ html: STYLE }}
        </style>
        <noscript><meta http-equiv="refresh" content="10" /></noscript>
      </head>
      <body>
        <header>
          <h1>MediConnect sandbox</h1>
          <nav aria-label="Sections">
            <a href="#phones">Phones</a>
            <a href="#mailboxes">Mailboxes</a>
            <a href="#ehrs">EHRs</a>
          </nav>
          <button id="refresh" type="button" hidden>Pause updates</button>
        </header>
        <main>
          ${
            address === undefined
              ? html`<p class="empty">
                  Nothing here leaves this machine: these are the messages that patients would get.
                </p>`
              : html`<p>Only <strong>${address}</strong>. <a href="/">Show everybody</a></p>`
          }
          ${renderPhones(shown.filter(({ channel }) => channel === 'sms'))}
          ${renderMailboxes(shown.filter(({ channel }) => channel === 'email'))}
          <section aria-labelledby="ehrs">
            <h2 id="ehrs">EHRs</h2>
            ${ehrs.length === 0 ? html`<p class="empty">No EHR has been set up yet.</p>` : ehrs.map(renderEhr)}
          </section>
        </main>
        <script>
          ${{ html: SCRIPT }};
        </script>
      </body>
    </html>`;
  return page.html;
}

function patientOf(message: DeliveredMessage): string {
  return message.direction === 'inbound' ? message.from : message.to;
}

/** Keeps the order: whoever has the newest message comes first. */
function groupByPatient(messages: readonly DeliveredMessage[]): Map<string, DeliveredMessage[]> {
  const groups = new Map<string, DeliveredMessage[]>();
  for (const message of messages) {
    const group = groups.get(patientOf(message)) ?? [];
    groups.set(patientOf(message), group);
    group.push(message);
  }
  return groups;
}

function renderPhones(texts: readonly DeliveredMessage[]): Html {
  const phones = groupByPatient(texts);
  const shown = [...phones].slice(0, MAX_SHOWN);
  return html`<section aria-labelledby="phones">
    <h2 id="phones">Phones</h2>
    ${shown.length === 0 ? html`<p class="empty">No text message has been sent yet.</p>` : undefined}
    <div class="grid">
      ${shown.map(
        ([number, conversation]) =>
          html`<article class="phone">
            <h3><a href="/?address=${encodeURIComponent(number)}">${number}</a></h3>
            <ol>
              ${conversation.slice(0, MAX_SHOWN).toReversed().map(renderBubble)}
            </ol>
          </article>`,
      )}
    </div>
    ${renderRest(phones.size - shown.length, 'phones')}
  </section>`;
}

function renderBubble(message: DeliveredMessage): Html {
  return html`<li class="bubble ${message.direction}">
    <p>${message.text}</p>
    <div class="meta">${renderTime(message.createdAt)} · ${renderState(message)}</div>
  </li>`;
}

function renderMailboxes(emails: readonly DeliveredMessage[]): Html {
  const shown = emails.slice(0, MAX_SHOWN);
  return html`<section aria-labelledby="mailboxes">
    <h2 id="mailboxes">Mailboxes</h2>
    ${shown.length === 0 ? html`<p class="empty">No email has been sent yet.</p>` : undefined}
    <div class="grid">${shown.map(renderMail)}</div>
    ${renderRest(emails.length - shown.length, 'emails')}
  </section>`;
}

function renderMail(email: DeliveredMessage): Html {
  const formatted =
    email.html === undefined
      ? undefined
      : html`<details>
          <summary>As formatted</summary>
          <iframe sandbox title="Formatted email" srcdoc="${email.html}"></iframe>
        </details>`;
  return html`<article class="mail">
    <h3>${email.subject ?? '(no subject)'}</h3>
    <div class="meta">
      to <a href="/?address=${encodeURIComponent(email.to)}">${email.to}</a> · ${renderTime(email.createdAt)} ·
      ${renderState(email)}
    </div>
    <div class="body">${email.text}</div>
    ${formatted}
  </article>`;
}

function renderRest(count: number, what: string): Html | undefined {
  return count > 0 ? html`<p class="empty">and ${count} more ${what}</p>` : undefined;
}

function renderTime(iso: string): Html {
  return html`<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>`;
}

function renderState({ status, errorCode }: DeliveredMessage): Html {
  const good = ['delivered', 'received'].includes(status);
  const bad = ['undelivered', 'failed', 'bounced', 'dropped'].includes(status);
  const code = errorCode === undefined ? '' : ` (${errorCode})`;
  return html`<span class="state ${good ? 'good' : bad ? 'bad' : 'wait'}">${status}${code}</span>`;
}

function renderEhr({ tenant, resources }: InboxContent['ehrs'][number]): Html {
  return html`<h3>${tenant}</h3>
    ${Object.entries(resources)
      .filter(([, held]) => held.length > 0)
      .map(([type, held]) => renderTable(type, held))}`;
}

function renderTable(type: string, held: readonly StoredResource[]): Html {
  const newest = held.toSorted((left, right) => right.meta.lastUpdated.localeCompare(left.meta.lastUpdated));
  const shown = newest.slice(0, MAX_SHOWN);
  return html`<div class="table">
    <table>
      <caption>
        ${type} (${held.length})
      </caption>
      <thead>
        <tr>
          <th scope="col">Id</th>
          <th scope="col">Version</th>
          <th scope="col">Changed</th>
          <th scope="col">What</th>
          <th scope="col">Resource</th>
        </tr>
      </thead>
      <tbody>
        ${shown.map(renderRow)}
      </tbody>
    </table>
    ${renderRest(held.length - shown.length, 'resources')}
  </div>`;
}

function renderRow(resource: StoredResource): Html {
  return html`<tr>
    <td>${resource.id}</td>
    <td>${resource.meta.versionId}</td>
    <td>${renderTime(resource.meta.lastUpdated)}</td>
    <td>${summaryOf(resource)}</td>
    <td>
      <details>
        <summary>JSON</summary>
        <pre>${JSON.stringify(resource, null, 2)}</pre>
      </details>
    </td>
  </tr>`;
}

function summaryOf(resource: StoredResource): string {
  const { status, start, name } = resource;
  if (resource.resourceType === 'Appointment')
    return [status, start].filter((part) => typeof part === 'string').join(', ');
  if (typeof name === 'string') return name;
  const [first] = (Array.isArray(name) ? name : []) as { text?: string; family?: string; given?: string[] }[];
  return first?.text ?? [...(first?.given ?? []), first?.family].filter(Boolean).join(' ');
}
