import type { FastifySchema } from 'fastify';
import type { Role } from '../authentication.ts';
import { OPERATIONS, type Operation, type Reach, type Rule } from '../authorization.ts';

const WHO: Record<Role, string> = {
  patient: 'patients',
  provider: 'providers',
  clinic_admin: 'administrators',
  support: 'support',
  operator: 'operators',
};
const WHAT: Record<Reach, string> = {
  own: 'what is their own',
  clinic: 'everything of their clinic',
  any: 'everything',
};

/** Tells who may: for programs as `x-authorization`, for people as a sentence. Both from the one table. */
export function withAuthorization(schema: FastifySchema, operation: Operation | undefined): FastifySchema {
  if (operation === undefined) return schema;
  const { scopes, roles }: Rule = OPERATIONS[operation];
  return {
    ...schema,
    description: [schema.description, sentence({ scopes, roles })].filter(Boolean).join('\n\n'),
    'x-authorization': { operation, scopes, roles },
  } as FastifySchema;
}

function sentence({ scopes, roles }: Rule): string {
  const who = Object.entries(roles).map(([role, reach]) => `${WHO[role as Role]} (${WHAT[reach]})`);
  return `For ${who.join(', ')}. Scope: ${scopes.map((scope) => `\`${scope}\``).join(' or ')}.`;
}
