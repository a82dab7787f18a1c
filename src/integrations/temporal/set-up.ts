import { setTimeout as delay } from 'node:timers/promises';
import { isGrpcServiceError } from '@temporalio/client';
import type { SearchAttributeType } from '@temporalio/common';
import type { TemporalClient } from './client.ts';

// google.rpc.Code
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;

// temporal.api.enums.v1.IndexedValueType
const INDEXED_VALUE_TYPE: Readonly<Record<SearchAttributeType, number>> = {
  TEXT: 1,
  KEYWORD: 2,
  INT: 3,
  DOUBLE: 4,
  BOOL: 5,
  DATETIME: 6,
  KEYWORD_LIST: 7,
};

const DAY_SECONDS = 86_400;

/** Does the server answer within this time? */
export async function answers(temporal: TemporalClient, withinMs: number): Promise<boolean> {
  try {
    await temporal.client.withDeadline(Date.now() + withinMs, () =>
      temporal.connection.workflowService.getSystemInfo({}),
    );
    return true;
  } catch {
    return false;
  }
}

/** Registers our namespace where it is missing, and waits until the server answers for it. Returns whether it was made. */
export async function ensureNamespace(temporal: TemporalClient, retentionDays: number): Promise<boolean> {
  const { connection } = temporal;
  const { namespace } = temporal.client.options;
  const exists = async (): Promise<boolean> => {
    try {
      await connection.workflowService.describeNamespace({ namespace });
      // The server's services learn of a namespace one after the other: this one asks the slowest.
      await connection.workflowService.listWorkflowExecutions({ namespace, pageSize: 1 });
      return true;
    } catch (error) {
      if (hasStatus(error, NOT_FOUND)) return false;
      throw error;
    }
  };
  if (await exists()) return false;

  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: (retentionDays * DAY_SECONDS) as never },
    });
  } catch (error) {
    if (!hasStatus(error, ALREADY_EXISTS)) throw error;
  }
  while (!(await exists())) await delay(100);
  return true;
}

/** Registers the search attributes that the namespace has not got. Returns their names. */
export async function ensureSearchAttributes(
  temporal: TemporalClient,
  wanted: readonly { readonly name: string; readonly type: SearchAttributeType }[],
): Promise<string[]> {
  const { operatorService } = temporal.connection;
  const { namespace } = temporal.client.options;
  const missing = async () => {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    return wanted.filter(({ name }) => customAttributes[name] === undefined);
  };
  const toAdd = await missing();
  if (toAdd.length === 0) return [];

  try {
    await operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(toAdd.map(({ name, type }) => [name, INDEXED_VALUE_TYPE[type]])),
    });
  } catch (error) {
    if (!hasStatus(error, ALREADY_EXISTS)) throw error;
  }
  while ((await missing()).length > 0) await delay(100);
  return toAdd.map(({ name }) => name);
}

function hasStatus(error: unknown, status: number): boolean {
  return isGrpcServiceError(error) && [status].includes(error.code);
}
