/** What the log keeps of a fault: no `detail`, `parameters` or `meta`, in which databases repeat the rows' values. */
export function describeFault(error: unknown): { type: string; message: string; code?: unknown; stack?: string } {
  if (!(error instanceof Error)) return { type: typeof error, message: 'something that is no error was thrown' };
  return { type: error.name, message: error.message, code: (error as { code?: unknown }).code, stack: error.stack };
}
