import { expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { CLIENT_TYPES, clientTypes } from '../../../scripts/build/client.ts';

it('the client’s types are what the OpenAPI document gives: else run `npm run build:client`', async () => {
  expect(await clientTypes()).toBe(readFileSync(CLIENT_TYPES, 'utf8'));
});
