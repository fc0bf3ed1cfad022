/** Who watches, for the server's count of viewers: one random name per page load. */
export const VIEWER_NAME = randomName();

function randomName(): string {
  // randomUUID is missing where a page came over plain http.
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
