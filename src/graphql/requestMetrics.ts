import { Counter, Histogram, type Registry } from 'prom-client';

/** How a GraphQL operation ended, for the metrics and the log. */
export type Outcome = 'ok' | 'partial' | 'refused' | 'fault';

/** Which way an operation took: through Apollo Server, or past it as a document that is known. */
export type Way = 'apollo' | 'lane';

/** Counts what the server answers. All labels come from fixed lists, so that callers cannot make the metrics grow. */
export interface RequestMetrics {
  readonly observeRequest: (method: string, route: string, status: number, seconds: number) => void;
  readonly observeOperation: (type: string, outcome: Outcome, way: Way, seconds: number) => void;
}

const seconds = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Registers the server's metrics. @throws Error when the registry has them already */
export function createRequestMetrics(registry: Registry): RequestMetrics {
  const registers = [registry];
  const countRequest = createCount(registry, ['method', 'route', 'status'], {
    name: 'latchkey_http_requests_total',
    help: 'HTTP requests answered',
  });
  const requestSeconds = new Histogram({
    name: 'latchkey_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last byte of its answer',
    labelNames: ['route'],
    buckets: seconds,
    registers,
  });
  const countOperation = createCount(registry, ['type', 'outcome', 'way'], {
    name: 'latchkey_graphql_operations_total',
    help: 'GraphQL operations by type, outcome (ok, partial: data and errors, refused, fault) and way (apollo, lane: documents seen before)',
  });
  const operationSeconds = new Histogram({
    name: 'latchkey_graphql_operation_duration_seconds',
    help: 'Time from parsing an operation to its result',
    labelNames: ['type'],
    buckets: seconds,
    registers,
  });
  return {
    observeRequest(method, route, status, duration) {
      countRequest(method, route, String(status));
      requestSeconds.observe({ route }, duration);
    },
    observeOperation(type, outcome, way, duration) {
      countOperation(type, outcome, way);
      operationSeconds.observe({ type }, duration);
    },
  };
}

/** A counter of three labels that is told what was counted when somebody asks: `inc` costs as much as the rest of a request's counting. */
function createCount(
  registry: Registry,
  labelNames: [string, string, string],
  named: { name: string; help: string },
): (...values: [string, string, string]) => void {
  const counts = new Map<string, { values: string[]; count: number }>();
  const counter = new Counter({
    ...named,
    labelNames,
    registers: [registry],
    collect() {
      for (const { values, count } of counts.values()) counter.labels(...values).inc(count);
      counts.clear();
    },
  });
  return (first, second, third) => {
    const key = `${first} ${second} ${third}`;
    const known = counts.get(key);
    if (known) known.count++;
    else counts.set(key, { values: [first, second, third], count: 1 });
  };
}
