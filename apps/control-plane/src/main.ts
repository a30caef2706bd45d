import { createServer } from 'node:http';
import { drain, listen, openResources, resolveAdminToken, runProcess } from '#libs/lifecycle';
import { createControlPlane } from './control-plane';

/** The control plane alone, on ADMIN_PORT or else PORT; it answers the probes itself. */
void runProcess(async (config) => {
  const resources = openResources(config);
  const { readiness, store, logging } = resources;
  const adminToken = resolveAdminToken(config, logging.logger);
  const control = await createControlPlane({ ...resources, adminToken, isReady: () => readiness.ready });
  const options = { maxHeaderSize: config.maxHeaderBytes, insecureHTTPParser: false };
  const server = createServer(options, control.handle);
  const port = await listen(server, config.adminPort ?? config.port, config.host);
  logging.logger.info({ adminPort: port, store: store.kind }, 'listening');
  return {
    async close() {
      await drain([server], {
        readiness,
        // What is in flight takes milliseconds; closing the listener waits for it.
        inflight: () => 0,
        closeUpgraded: () => undefined,
        delayMs: config.shutdownDelayMs,
        timeoutMs: config.shutdownTimeoutMs,
      });
      await control.close();
      await store.close();
      logging.flush();
    },
  };
});
