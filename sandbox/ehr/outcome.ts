/** One issue of an OperationOutcome. Source: hl7.org/fhir/R4/operationoutcome.html. */
export interface OutcomeIssue {
  severity: 'fatal' | 'error' | 'warning' | 'information';
  code: string;
  diagnostics: string;
  expression?: string[];
}

/** A refusal: an HTTP status and what is wrong. */
export class FhirError extends Error {
  readonly status: number;
  readonly issues: readonly OutcomeIssue[];

  constructor(status: number, issues: readonly OutcomeIssue[]) {
    super(issues.map(({ diagnostics }) => diagnostics).join('; '));
    this.status = status;
    this.issues = issues;
  }
}

/** Creates a refusal with one issue. Codes: hl7.org/fhir/R4/valueset-issue-type.html. */
export function fhirError(status: number, code: string, diagnostics: string): FhirError {
  return new FhirError(status, [{ severity: 'error', code, diagnostics }]);
}

/** The OperationOutcome resource. */
export function operationOutcome(issues: readonly OutcomeIssue[]) {
  return { resourceType: 'OperationOutcome', issue: issues };
}

/** The issue type that belongs to an HTTP status when nothing more specific is known. */
export function issueCodeOf(status: number): string {
  return issueCodes[status] ?? (status >= 500 ? 'exception' : 'invalid');
}

const issueCodes: Record<number, string> = {
  401: 'login',
  403: 'forbidden',
  404: 'not-found',
  405: 'not-supported',
  408: 'timeout',
  409: 'conflict',
  410: 'deleted',
  412: 'conflict',
  422: 'processing',
  423: 'lock-error',
  429: 'throttled',
  503: 'transient',
  504: 'timeout',
};
