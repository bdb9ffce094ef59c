/** What a developer wants to know of the server that just started. */
interface Ready {
  /** Where it listens, such as `http://127.0.0.1:4000`. */
  readonly address: string;
  readonly playground: boolean;
  /** File with the demo vendor's API keys; null when there is no demo vendor. */
  readonly demoFile: string | null;
}

/** A few lines for a human: the address, the playgrounds, the demo vendor's keys. */
export function readyText({ address, playground, demoFile }: Ready): string {
  const lines = [
    ['GraphQL', `${address}/graphql${playground ? '  (Apollo Sandbox, in a browser)' : ''}`],
    ...(playground ? [['GraphiQL', `${address}/graphiql  (needs no internet)`]] : []),
    ...(demoFile ? [['API keys', `${demoFile}  (a demo vendor's; try: npm run demo)`]] : []),
  ] as [string, string][];
  return ['', 'Latchkey is ready.', ...lines.map(([name, value]) => `  ${name.padEnd(10)}${value}`), '', ''].join('\n');
}
