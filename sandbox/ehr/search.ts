import { compareDates, readDateRange } from './date-range.ts';
import { fhirError } from './outcome.ts';
import { isObject } from '../raw-body.ts';
import { searchParametersOf } from './search-parameters.ts';
import type { FhirResource, StoredResource } from './resource.ts';
import type { SearchParameter } from './search-parameters.ts';

/** Parameters that shape the answer instead of choosing resources. */
const RESULT_PARAMETERS = new Set(['_count', '_sort', '_total', '_format']);
const DATE_PREFIX = /^(eq|ne|gt|ge|lt|le|sa|eb)(?=\d)/;

/**
 * Finds and sorts the resources that a query describes. Repeated parameters all apply; values joined by a comma are
 * alternatives. An unknown parameter is refused, as a strict server does. Source: hl7.org/fhir/R4/search.html.
 * @throws FhirError 400.
 */
export function search(resources: readonly StoredResource[], type: string, query: URLSearchParams): StoredResource[] {
  const parameters = searchParametersOf(type);
  const tests = [...query]
    .filter(([name]) => !RESULT_PARAMETERS.has(name))
    .map(([name, value]) => readCondition(name, value, parameters));
  const found = resources.filter((resource) => tests.every((test) => test(resource)));
  return sortBy(found, query.get('_sort'), parameters);
}

function readCondition(
  name: string,
  value: string,
  parameters: Record<string, SearchParameter>,
): (resource: FhirResource) => boolean {
  const parameter = parameters[name];
  if (!parameter) throw fhirError(400, 'not-supported', `Unknown search parameter: ${name}`);
  if (value === '') throw fhirError(400, 'value', `Search parameter without a value: ${name}`);
  const alternatives = value.split(',').map((text) => readValue(name, text, parameter));
  return (resource) => parameter.values(resource).some((found) => alternatives.some((matches) => matches(found)));
}

function readValue(name: string, text: string, parameter: SearchParameter): (found: unknown) => boolean {
  switch (parameter.type) {
    case 'token':
      return (found) => matchesToken(found, text);
    case 'reference':
      return (found) => matchesReference(found, text, parameter.target);
    case 'string':
      return (found) => typeof found === 'string' && found.toLowerCase().startsWith(text.toLowerCase());
    case 'date': {
      const prefix = DATE_PREFIX.exec(text)?.[1] ?? 'eq';
      const wanted = readDateRange(text.replace(DATE_PREFIX, ''));
      if (!wanted) throw fhirError(400, 'value', `Not a date: ${name}`);
      return (found) => {
        const range = typeof found === 'string' ? readDateRange(found) : undefined;
        return range !== undefined && compareDates(prefix, range, wanted);
      };
    }
  }
}

/** `value`, `system|value`, `|value` (no system) or `system|` (any value). */
function matchesToken(found: unknown, text: string): boolean {
  const bar = text.indexOf('|');
  const system = bar < 0 ? undefined : text.slice(0, bar);
  const value = bar < 0 ? text : text.slice(bar + 1);
  if (!isObject(found)) return system === undefined && found === value;
  const isSystem = system === undefined || (found['system'] ?? '') === system;
  return isSystem && (value === '' ? system !== undefined : found['value'] === value);
}

function matchesReference(found: unknown, text: string, target: string | undefined): boolean {
  const reference = isObject(found) ? found['reference'] : undefined;
  if (typeof reference !== 'string') return false;
  const [type = '', id = ''] = reference.split('/').slice(-2);
  if (target !== undefined && type !== target) return false;
  return text.includes('/') ? text.split('/').slice(-2).join('/') === `${type}/${id}` : text === id;
}

function sortBy(
  found: StoredResource[],
  sort: string | null,
  parameters: Record<string, SearchParameter>,
): StoredResource[] {
  if (sort === null) return found;
  const keys = sort.split(',').map((text) => {
    const parameter = parameters[text.replace(/^-/, '')];
    if (!parameter) throw fhirError(400, 'not-supported', `Cannot sort by ${text}`);
    return { parameter, direction: text.startsWith('-') ? -1 : 1 };
  });
  const keyOf = (resource: FhirResource, parameter: SearchParameter) => {
    const [value] = parameter.values(resource);
    if (parameter.type === 'date') return typeof value === 'string' ? (readDateRange(value)?.start ?? 0) : 0;
    const text = isObject(value) ? (value['value'] ?? value['reference']) : value;
    return typeof text === 'string' ? text : '';
  };
  return found.toSorted((left, right) => {
    for (const { parameter, direction } of keys) {
      const [first, second] = [keyOf(left, parameter), keyOf(right, parameter)];
      if (first !== second) return first < second ? -direction : direction;
    }
    return 0;
  });
}
