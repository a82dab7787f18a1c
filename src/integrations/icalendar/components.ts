import ICAL from 'ical.js';

/*
 * The components of a calendar file (RFC 5545 §3.4, §3.6) as they are written. The library reads a line at a time and makes nothing of its value: of a
 * whole file it refuses everything for one line that it cannot read, and its dates are not always those that are written.
 */

/** A property as it is written; value and parameters are not interpreted. */
export interface Property {
  /** Of the value, in small letters, where the line says so; else `unknown`. */
  readonly type: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly value: string;
}

export interface Component {
  /** In capitals. */
  readonly name: string;
  /** By name, in capitals: those that were asked for, in their order. `undefined` stands for one whose line cannot be read. */
  readonly properties: ReadonlyMap<string, readonly (Property | undefined)[]>;
  readonly components: readonly Component[];
}

interface OpenComponent extends Component {
  readonly properties: Map<string, (Property | undefined)[]>;
  readonly components: Component[];
}

/** What a file says is worse than what it does not say: a component without its end may have lost anything. */
export class MalformedFileError extends Error {}

/**
 * The outermost components of a file with those in them. Lines outside of any say nothing.
 * @param names - of the properties that are wanted, in capitals; all others are passed over unread
 * @throws MalformedFileError when components do not end where they should
 */
export function readComponents(text: string, names: ReadonlySet<string>): readonly Component[] {
  const file = opened('');
  const stack = [file];
  for (const line of unfolded(text)) {
    const current = stack.at(-1) ?? file;
    const [, edge, ofComponent = ''] = /^(BEGIN|END):\s*(.*?)\s*$/i.exec(line) ?? [];
    if (edge === undefined) {
      const name = /^[A-Z0-9-]+/i.exec(line)?.[0].toUpperCase() ?? '';
      if (names.has(name)) add(current.properties, name, propertyIn(line));
    } else if (edge.toUpperCase() === 'BEGIN') {
      const component = opened(ofComponent.toUpperCase());
      current.components.push(component);
      stack.push(component);
    } else {
      if (stack.length === 1 || ofComponent.toUpperCase() !== current.name) throw new MalformedFileError();
      stack.pop();
    }
  }
  if (stack.length > 1) throw new MalformedFileError();
  return file.components;
}

function opened(name: string): OpenComponent {
  return { name, properties: new Map(), components: [] };
}

/** A line goes on after a line break and a blank (§3.1). Files were written on every system, and some more than once. */
function unfolded(text: string): string[] {
  return text
    .replace(/\r+\n|\r/g, '\n')
    .replace(/\n[ \t]/g, '')
    .split('\n')
    .map((line) => line.replace(/^\ufeff/, ''));
}

function add(properties: Map<string, (Property | undefined)[]>, name: string, property: Property | undefined): void {
  const known = properties.get(name);
  if (known === undefined) properties.set(name, [property]);
  else known.push(property);
}

/** With these designs the library reads the grammar of a line and leaves its value alone. */
const AS_WRITTEN = { property: {}, value: {}, param: {}, propertyGroups: false };

function propertyIn(line: string): Property | undefined {
  try {
    const [, parameters, type, value] = ICAL.parse.property(line, AS_WRITTEN) as [
      string,
      Record<string, unknown>,
      string,
      unknown,
    ];
    return { type, parameters, value: String(value).trim() };
  } catch {
    return undefined;
  }
}

/** A value of type TEXT (§3.3.11). */
export function textOf(value: string): string {
  return value.replace(/\\([\s\S])/g, (_, escaped: string) => (escaped === 'n' || escaped === 'N' ? '\n' : escaped));
}
