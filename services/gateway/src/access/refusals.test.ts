import { describe, expect, test } from 'vitest';
import { IngestClient } from '../testing/ingest-client.js';
import { ADMIN_TOKEN, bearer, useGateways } from '../testing/use-gateways.js';

const { gatewayWith, runningSession } = useGateways();

describe('who is turned away', () => {
  test('is counted by the code of the error', async () => {
    const { url, ingestUrl } = await gatewayWith({ PUBLISH_TOKEN: 'sesame' });
    const client = await IngestClient.connect(ingestUrl);
    client.say({ type: 'start', mimeType: 'video/webm', token: 'wrong' });
    await client.refused();
    await fetch(`${url}/api/sessions`);
    await fetch(`${url}/ingest`);
    const text = await (await fetch(`${url}/metrics`)).text();
    for (const door of ['ingest', 'http'])
      expect(text).toContain(
        `facecast_refusals_total{door="${door}",code="unauthorized",service="gateway"} 1`,
      );
    expect(text).toContain(
      `facecast_refusals_total{door="http",code="upgrade_required",service="gateway"} 1`,
    );
  });

  test('for too many wrong tokens learns nothing more of them, while made ones still count', async () => {
    const { url, ingestUrl } = await gatewayWith({ PUBLISH_TOKEN: 'sesame', ADMIN_TOKEN });
    const { session, resumeToken } = await runningSession();
    const list = (token: string) => fetch(`${url}/api/sessions`, bearer(token));
    const statuses = new Set<number>();
    while (!statuses.has(429)) statuses.add((await list('wrong')).status);
    expect([...statuses]).toEqual([401, 429]);
    const publisher = await IngestClient.connect(ingestUrl);
    publisher.say({ type: 'start', mimeType: 'video/webm', token: 'sesame' });
    expect(await publisher.refused()).toEqual(['overloaded', 1013]);
    expect((await list(ADMIN_TOKEN)).status).toBe(200);
    const resumed = await IngestClient.connect(ingestUrl);
    resumed.say({ type: 'resume', sessionId: session.id, resumeToken });
    await resumed.message('resumed');
  });
});
