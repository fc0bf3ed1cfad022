import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import type { Logger } from '@facecast/shared/logger';

const CODES = {
  400: 'bad_request',
  401: 'unauthorized',
  404: 'not_found',
  405: 'method_not_allowed',
  416: 'range_not_satisfiable',
  503: 'unavailable',
} as const;

export type RefusalStatus = keyof typeof CODES;

/** A request that is refused, with a sentence for whoever sent it. */
export class Refusal extends Error {
  constructor(
    readonly status: RefusalStatus,
    message: string,
  ) {
    super(message);
    this.name = 'Refusal';
  }
}

/** Answers with the one form that every error has. Nothing may keep it: the next try may succeed. */
export function sendRefusal(response: Response, { status, message }: Refusal): void {
  if (status === 503) response.set('Retry-After', '1');
  sendError(response, status, CODES[status], message);
}

function sendError(response: Response, status: number, code: string, message: string): void {
  // Whatever was to be sent may have left its own type behind.
  response.status(status).type('json').set('Cache-Control', 'no-store');
  response.json({ error: { code, message } });
}

/** The answer for every route that there is not. */
export const noSuchRoute: RequestHandler = (_request, response) =>
  sendRefusal(response, new Refusal(404, 'There is nothing here.'));

/** Turns whatever a handler throws into an answer; only the log learns what was unexpected. */
export function answerErrors(log: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) return next(error);
    if (error instanceof Refusal) return sendRefusal(response, error);
    const status = statusOf(error);
    if (status !== undefined) return sendRefusal(response, new Refusal(status, SENTENCES[status]));
    log.error({ err: error, method: request.method, path: request.path }, 'a request failed');
    sendError(response, 500, 'internal', 'Something went wrong on the server.');
  };
}

const SENTENCES = {
  400: 'The request is not well-formed.',
  404: 'There is nothing here.',
  416: 'The resource does not have that range.',
} as const;

/** Express and its parsers give errors of the client's making a 4xx `status`. */
function statusOf(error: unknown): keyof typeof SENTENCES | undefined {
  const status = (error as { status?: unknown }).status;
  if (status === 404 || status === 416) return status;
  return typeof status === 'number' && status >= 400 && status < 500 ? 400 : undefined;
}
