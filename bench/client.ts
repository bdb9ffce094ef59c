import { connect, type Socket } from 'node:net';

/** An answer, its body as text. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A keep-alive connection that carries one request at a time. */
export interface Connection {
  /** @throws Error when the connection breaks or the answer takes longer than ten seconds */
  send(request: Buffer): Promise<Answer>;
  close(): void;
}

const PATIENCE_MS = 10_000;

/** The bytes of a POST of JSON. @param header who asks, such as `Authorization: Bearer …` */
export function requestBytes(path: string, header: string, body: object): Buffer {
  const json = Buffer.from(JSON.stringify(body));
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${header}\r\nContent-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), json]);
}

/**
 * Connects to a server on the loopback. Only the little HTTP that the benchmark needs: node's own client would take more of
 * the two processors than the server that is measured.
 */
export async function openConnection(port: number): Promise<Connection> {
  const socket = await connected(port);
  let waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | null = null;
  let received = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const answer = answerIn(received);
    if (!answer) return;
    received = Buffer.alloc(0);
    const { resolve } = waiting!;
    waiting = null;
    resolve(answer);
  });
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`no answer within ${PATIENCE_MS} ms`)));
  socket.on('error', (error) => waiting?.reject(error));
  socket.on('close', () => waiting?.reject(new Error('the server closed the connection')));
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(request);
      }),
    close: () => socket.destroy(),
  };
}

function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** The answer, once all of it is there. */
function answerIn(bytes: Buffer): Answer | null {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const head = bytes.toString('latin1', 0, headEnd);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`an answer without Content-Length: ${head}`);
  if (bytes.length < headEnd + 4 + Number(length)) return null;
  return { status: Number(head.slice(9, 12)), body: bytes.toString('utf8', headEnd + 4) };
}
