import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '@facecast/shared/runtime/logger';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { withoutSecrets } from './access/session-ref.js';

const CODES = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  409: 'conflict',
  416: 'range_not_satisfiable',
  421: 'misdirected_request',
  426: 'upgrade_required',
  429: 'too_many_requests',
  503: 'unavailable',
} as const;

/** A request that is refused, with a sentence for whoever sent it. */
export class HttpError extends Error {
  constructor(
    readonly status: keyof typeof CODES,
    message: string,
  ) {
    super(message);
    this.name = 'HttpError';
  }

  /** The status as a word, as answers, counters and the log have it. */
  get code(): string {
    return CODES[this.status];
  }
}

/** The answer for every route that there is not. */
export const noSuchRoute: RequestHandler = () => {
  throw new HttpError(404, 'There is nothing here.');
};

/** Turns whatever a handler throws into an answer. */
export function answerErrors(log: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) next(error);
    else answerError(log, request, response, error);
  };
}

/**
 * Answers with the one form that every error has, or for somebody who opened the address in a browser with a
 * page that says the same. Only the log learns what was unexpected.
 */
export function answerError(
  log: Logger,
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
): void {
  const refusal = asRefusal(error);
  if (!refusal) {
    const url = withoutSecrets(request.url ?? '');
    log.error({ err: error, method: request.method, url }, 'failed');
  }
  // Half an answer must not look like a whole one.
  if (response.headersSent) return void response.destroy();
  const status = refusal?.status ?? 500;
  const code = refusal?.code ?? 'internal';
  const message = refusal?.message ?? 'Something went wrong on the server.';
  const isPerson = request.headers.accept?.includes('text/html') ?? false;
  response.writeHead(status, {
    'Content-Type': `${isPerson ? 'text/html' : 'application/json'}; charset=utf-8`,
    Vary: 'Accept',
    // The next try may succeed.
    'Cache-Control': 'no-store',
    ...(status === 503 || status === 429 ? { 'Retry-After': '1' } : {}),
  });
  response.end(
    isPerson ? errorPage(status, message) : JSON.stringify({ error: { code, message } }),
  );
}

/** It loads nothing: under a name that is not the server's it could not. */
function errorPage(status: number, message: string): string {
  return `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>Facecast: ${status}</title>
  <main>
    <h1>Facecast</h1>
    <p>${escapeHtml(message)}</p>
  </main>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const SENTENCES = {
  400: 'The request is not well-formed.',
  404: 'There is nothing here.',
  416: 'The resource does not have that range.',
} as const;

/** Express and its parsers give errors of the client's making a 4xx `status`. */
function asRefusal(error: unknown): HttpError | undefined {
  if (error instanceof HttpError) return error;
  const { status } = error as { status?: unknown };
  if (typeof status !== 'number' || status < 400 || status > 499) return undefined;
  const known = status === 404 || status === 416 ? status : 400;
  return new HttpError(known, SENTENCES[known]);
}
