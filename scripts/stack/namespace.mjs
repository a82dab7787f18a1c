// A Temporal namespace of its own for each run. The SDK is loaded when first needed: the stack itself runs before any package is installed.
import { setTimeout as delay } from 'node:timers/promises';
import { searchAttributes } from './settings.mjs';

// temporal.api.enums.v1.IndexedValueType
const TYPES = { Text: 1, Keyword: 2, Int: 3, Double: 4, Bool: 5, Datetime: 6, KeywordList: 7 };
const ALREADY_EXISTS = 6;
const USABLE_WITHIN_MS = 30_000;

/**
 * Registers a namespace with MediConnect's search attributes and waits until workflows can be started and found in it. One that exists already
 * is completed.
 * @param {{ address: string, name: string }} options
 */
export async function createTemporalNamespace({ address, name }) {
  const { Connection } = await import('@temporalio/client');
  const { msToTs } = await import('@temporalio/common/lib/time.js');
  const connection = await Connection.connect({ address });
  try {
    await unlessItExists(() =>
      connection.workflowService.registerNamespace({
        namespace: name,
        workflowExecutionRetentionPeriod: msToTs('3 days'),
      }),
    );
    const attributes = searchAttributes();
    await untilUsable(() =>
      unlessItExists(() =>
        connection.operatorService.addSearchAttributes({
          namespace: name,
          searchAttributes: Object.fromEntries(
            Object.entries(attributes).map(([attribute, type]) => [
              attribute,
              TYPES[/** @type {keyof typeof TYPES} */ (type)],
            ]),
          ),
        }),
      ),
    );
    // The server learns of both by polling its own database: the list is usable once a query by each attribute is.
    const query = Object.keys(attributes)
      .map((attribute) => `${attribute} is null`)
      .join(' and ');
    await untilUsable(() => connection.workflowService.countWorkflowExecutions({ namespace: name, query }));
  } finally {
    await connection.close();
  }
}

/** @param {() => Promise<unknown>} create */
async function unlessItExists(create) {
  try {
    await create();
  } catch (error) {
    if (/** @type {{ code?: number }} */ (error).code !== ALREADY_EXISTS) throw error;
  }
}

/** @param {() => Promise<unknown>} attempt */
async function untilUsable(attempt) {
  const deadline = performance.now() + USABLE_WITHIN_MS;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(50);
    }
  }
}
