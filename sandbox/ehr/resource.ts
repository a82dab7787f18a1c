/** A FHIR resource as far as the server needs to understand it. */
export type FhirResource = Record<string, unknown> & {
  resourceType: string;
  id?: string;
  meta?: { versionId?: string; lastUpdated?: string };
};

/** A resource that the server holds. */
export type StoredResource = FhirResource & { id: string; meta: { versionId: string; lastUpdated: string } };

/** What the server holds and serves. */
export const RESOURCE_TYPES = ['Appointment', 'Location', 'Patient', 'Practitioner'] as const;

/** The shape of a logical id. Source: hl7.org/fhir/R4/datatypes.html#id. */
export const ID_PATTERN = /^[A-Za-z0-9\-.]{1,64}$/;
