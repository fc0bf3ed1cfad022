import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '@facecast/shared/runtime/logger';
import { Counter, type Registry } from 'prom-client';
import { addressOf } from './client-address.js';

/** What is known of a refused request or message. */
export interface RefusedClient {
  address: string;
  sessionId?: string | undefined;
}

/** Reports each refused client to the operator: one log line, and one count by error code. */
export class Refusals {
  private readonly counter: Counter<'door' | 'code'>;

  constructor(
    registry: Registry,
    private readonly log: Logger,
  ) {
    this.counter = new Counter({
      name: 'facecast_refusals_total',
      help: 'Clients refused: publishers at the door ingest, requests at the door http',
      labelNames: ['door', 'code'],
      registers: [registry],
    });
  }

  /** @param door where it was @param code the error's code */
  tell(door: 'ingest' | 'http', code: string, client: RefusedClient, message: string): void {
    this.counter.inc({ door, code });
    this.log.info({ door, code, ...client }, `refused: ${message}`);
  }
}

/** HTTP statuses that are refusals. 404 is none: there is nothing to refuse. */
const REFUSED = new Map([
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [429, 'too_many_requests'],
]);

/** Reports a request once it is answered, if it was refused. */
export function tellRefusal(
  refusals: Refusals,
  request: IncomingMessage,
  response: ServerResponse,
  trustProxy: number,
): void {
  response.once('finish', () => {
    const code = REFUSED.get(response.statusCode);
    if (code === undefined) return;
    const sessionId = /^\/(?:hls|watch|api\/sessions|live)\/([\w-]{1,64})/.exec(
      request.url ?? '',
    )?.[1];
    const client = { address: addressOf(request, trustProxy), sessionId };
    refusals.tell('http', code, client, `${request.method} of a client without the right to it`);
  });
}
