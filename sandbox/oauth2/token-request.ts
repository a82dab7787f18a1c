/** An error of a token endpoint. Source: RFC 6749 §5.2. */
export interface TokenError {
  error: 'invalid_request' | 'invalid_client' | 'unsupported_grant_type' | 'invalid_scope' | 'server_error';
  error_description: string;
}

/** Creates an error. */
export function tokenError(error: TokenError['error'], description: string): TokenError {
  return { error, error_description: description };
}

/** The HTTP status that belongs to an error. */
export function tokenErrorStatus({ error }: TokenError): number {
  return error === 'invalid_client' ? 401 : 400;
}

/** Token answers and errors are never cached. Source: RFC 6749 §5.1. */
export const NO_STORE = { 'cache-control': 'no-store', pragma: 'no-cache' };

/**
 * Reads the form of a token request. Only client credentials are granted.
 * A parameter may not be given twice (RFC 6749 §3.2); an unknown one is ignored.
 */
export function readTokenRequest(
  contentType: string | undefined,
  body: string,
): { form: URLSearchParams } | { failure: TokenError } {
  if (!(contentType ?? '').startsWith('application/x-www-form-urlencoded')) {
    return { failure: tokenError('invalid_request', 'The body must be application/x-www-form-urlencoded') };
  }
  const form = new URLSearchParams(body);
  const names = [...form.keys()];
  if (new Set(names).size < names.length) {
    return { failure: tokenError('invalid_request', 'A parameter was given more than once') };
  }
  const grantType = form.get('grant_type');
  if (!grantType) return { failure: tokenError('invalid_request', 'grant_type is missing') };
  if (grantType !== 'client_credentials') {
    return { failure: tokenError('unsupported_grant_type', 'Only client_credentials is supported') };
  }
  return { form };
}
