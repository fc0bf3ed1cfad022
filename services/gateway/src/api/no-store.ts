import type { RequestHandler } from 'express';

/** For answers that are true only now. */
export const noStore: RequestHandler = (_request, response, next) => {
  response.set('Cache-Control', 'no-store');
  next();
};
