import { isObject } from '../raw-body.ts';
import type { FhirResource } from './resource.ts';

/** How a search parameter is compared. */
export type SearchParameterType = 'token' | 'reference' | 'date' | 'string';

/** A search parameter: its kind, and where its values are. */
export interface SearchParameter {
  type: SearchParameterType;
  values: (resource: FhirResource) => unknown[];
  /** The type that a bare id refers to. */
  target?: string;
}

function at(name: string): (resource: FhirResource) => unknown[] {
  return (resource) => {
    const value = resource[name];
    return value === undefined ? [] : Array.isArray(value) ? (value as unknown[]) : [value];
  };
}

function actors(resource: FhirResource): unknown[] {
  return at('participant')(resource).flatMap((participant) => (isObject(participant) ? [participant['actor']] : []));
}

function names(resource: FhirResource): unknown[] {
  return at('name')(resource).flatMap((name) =>
    isObject(name)
      ? [name['text'], name['family'], ...(Array.isArray(name['given']) ? (name['given'] as unknown[]) : [])]
      : [name],
  );
}

const identifier: SearchParameter = { type: 'token', values: at('identifier') };
const name: SearchParameter = { type: 'string', values: names };

/** The parameters of every type. */
const COMMON: Record<string, SearchParameter> = {
  _id: { type: 'token', values: at('id') },
  _lastUpdated: { type: 'date', values: (resource) => [resource.meta?.lastUpdated] },
};

/** The parameters of each type. Source: the search parameters of hl7.org/fhir/R4. */
const OF_TYPE: Record<string, Record<string, SearchParameter>> = {
  Appointment: {
    identifier,
    status: { type: 'token', values: at('status') },
    date: { type: 'date', values: at('start') },
    actor: { type: 'reference', values: actors },
    patient: { type: 'reference', values: actors, target: 'Patient' },
    practitioner: { type: 'reference', values: actors, target: 'Practitioner' },
    location: { type: 'reference', values: actors, target: 'Location' },
  },
  Patient: { identifier, name, birthdate: { type: 'date', values: at('birthDate') } },
  Practitioner: { identifier, name },
  Location: { identifier, name },
};

/** The search parameters of a type, by name. */
export function searchParametersOf(type: string): Record<string, SearchParameter> {
  return { ...COMMON, ...OF_TYPE[type] };
}
