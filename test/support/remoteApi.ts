import type { Answer, Api, Call } from './api.js';

/** The calls of `useApi` against a server in another process; enough for the factories. */
export function remoteApi(url: string): Pick<Api, 'call' | 'data' | 'now'> {
  async function call({ token, query, variables, headers }: Call): Promise<Answer> {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      body: JSON.stringify({ query, variables }),
    });
    const body = (await response.json()) as Omit<Answer, 'status' | 'headers'>;
    return { status: response.status, headers: Object.fromEntries(response.headers), ...body };
  }
  return {
    call,
    now: () => new Date(),
    async data(request) {
      const answer = await call(request);
      if (answer.errors) throw new Error(JSON.stringify(answer.errors, null, 2));
      return answer.data;
    },
  };
}
