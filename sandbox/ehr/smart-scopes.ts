/** What a request does: create, read, update, search. Deleting is not offered. */
export type FhirPermission = 'c' | 'r' | 'u' | 's';

interface SystemScope {
  type: string;
  permissions: ReadonlySet<string>;
}

const VERSION_1: Record<string, string> = { read: 'rs', write: 'cud', '*': 'cruds' };

/**
 * Reads a system scope of SMART App Launch version 2 (`system/Appointment.cruds`) or 1 (`system/Appointment.write`).
 * Source: hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html.
 */
function readScope(scope: string): SystemScope | undefined {
  const [, type, suffix] = /^system\/(\*|[A-Z][A-Za-z]+)\.(read|write|\*|c?r?u?d?s?)$/.exec(scope) ?? [];
  if (type === undefined || !suffix) return undefined;
  return { type, permissions: new Set(VERSION_1[suffix] ?? suffix) };
}

/** The asked scopes that lie wholly within the allowed ones. Others are dropped silently, as real servers do. */
export function grantScopes(asked: readonly string[], allowed: readonly string[]): string[] {
  return asked.filter((scope) => {
    const wanted = readScope(scope);
    return wanted && [...wanted.permissions].every((permission) => permits(allowed, wanted.type, permission));
  });
}

/** Whether these scopes allow this on this type. */
export function permits(scopes: readonly string[], type: string, permission: string): boolean {
  return scopes.some((scope) => {
    const granted = readScope(scope);
    return granted?.permissions.has(permission) && (granted.type === '*' || granted.type === type);
  });
}
