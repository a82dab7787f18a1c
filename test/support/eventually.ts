/** Waits until `check` passes, asking every `everyMs`; after `timeoutMs` it fails with what the last check said. */
export async function eventually<T>(
  check: () => Promise<T> | T,
  { timeoutMs = 20_000, everyMs = 50 }: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }
}
