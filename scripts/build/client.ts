import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import openapiTS, { astToString, COMMENT_HEADER, type OpenAPI3 } from 'openapi-typescript';
import { PROBLEM_MEDIA_TYPE } from '../../src/api/problem.ts';
import { openApiDocument } from './openapi.ts';

/** The types of the client, kept in the repository: a test fails when they are not what the API says. */
export const CLIENT_TYPES = fileURLToPath(new URL('../../client/openapi.d.ts', import.meta.url));

/** The types that the OpenAPI document gives. */
export async function clientTypes(): Promise<string> {
  const document = withOneProblem(await openApiDocument());
  return `${COMMENT_HEADER}${astToString(await openapiTS(document))}`;
}

type Answers = Record<string, { readonly content?: Readonly<Record<string, unknown>> }>;

/** Every refusal has the same type: said once, the types are half as long. */
function withOneProblem(document: object): OpenAPI3 {
  const openapi = structuredClone(document) as OpenAPI3;
  for (const { responses } of Object.values(openapi.paths ?? {}).flatMap(
    (methods) => Object.values(methods) as { responses: Answers }[],
  )) {
    for (const [status, { content }] of Object.entries(responses)) {
      if (content !== undefined && PROBLEM_MEDIA_TYPE in content) {
        Object.assign(responses, { [status]: { $ref: '#/components/responses/Problem' } });
      }
    }
  }
  openapi.components = {
    ...openapi.components,
    responses: {
      Problem: {
        description: 'A problem document.',
        content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
  return openapi;
}

// As a command: `npm run build:client`.
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(CLIENT_TYPES, await clientTypes());
  console.log(path.relative(process.cwd(), CLIENT_TYPES));
}
