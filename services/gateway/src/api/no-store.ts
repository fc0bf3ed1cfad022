import type { RequestHandler } from 'express';

/** Middleware for answers that hold only at this moment. */
export const noStore: RequestHandler = (_request, response, next) => {
  response.set('Cache-Control', 'no-store');
  next();
};
