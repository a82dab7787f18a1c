import { RESOURCE_TYPES } from './resource.ts';
import { searchParametersOf } from './search-parameters.ts';
import type { EhrSettings } from './tenant.ts';

const INTERACTIONS = ['read', 'vread', 'update', 'history-instance', 'history-type', 'create', 'search-type'];

/** What the server says about itself. Source: hl7.org/fhir/R4/capabilitystatement.html. */
export function capabilityStatement(settings: EhrSettings, startedAt: Date) {
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: startedAt.toISOString(),
    kind: 'instance',
    software: { name: 'MediConnect sandbox EHR' },
    implementation: { description: 'A stand-in for the EHR of one clinic' },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json'],
    rest: [
      {
        mode: 'server',
        security: {
          service: [
            {
              coding: [
                {
                  system: 'http://terminology.hl7.org/CodeSystem/restful-security-service',
                  code: 'SMART-on-FHIR',
                },
              ],
            },
          ],
        },
        resource: RESOURCE_TYPES.map((type) => ({
          type,
          interaction: INTERACTIONS.map((code) => ({ code })),
          versioning: settings.requireIfMatch ? 'versioned-update' : 'versioned',
          readHistory: true,
          updateCreate: false,
          conditionalCreate: settings.conditionalCreate !== 'ignored',
          conditionalUpdate: false,
          searchParam: Object.entries(searchParametersOf(type)).map(([name, parameter]) => ({
            name,
            type: parameter.type,
          })),
        })),
        interaction: [{ code: 'batch' }],
      },
    ],
  };
}

/** The SMART configuration. Source: SMART App Launch 2.2, "conformance". */
export function smartConfiguration(tokenUrl: string) {
  return {
    token_endpoint: tokenUrl,
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384'],
    scopes_supported: ['system/*.cruds', 'system/*.rs', 'system/*.read', 'system/*.write'],
    code_challenge_methods_supported: ['S256'],
    capabilities: ['client-confidential-asymmetric', 'permission-v1', 'permission-v2'],
  };
}
