import { NestFactory } from '@nestjs/core';
import type { OpenAPIObject } from '@nestjs/swagger';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '#libs/config';
import { createLogging } from '#libs/logging';
import { MetricsRegistry } from '#libs/metrics';
import { openStore } from '#libs/store';
import { ControlPlaneModule } from '../control-plane.module';
import { describeApi } from './open-api';

/** The document that `/docs/openapi.json` serves, made without serving anything. */
export async function openApiDocument(): Promise<OpenAPIObject> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-openapi-'));
  const config = loadConfig({ DATA_DIR: folder });
  const logging = createLogging({ logLevel: 'silent' });
  const store = openStore(config, logging.logger);
  try {
    const options = {
      config,
      store,
      logging,
      metrics: new MetricsRegistry(1),
      adminToken: undefined,
      isReady: () => true,
    };
    // Not initialised: nothing is followed, and nothing listens.
    const app = await NestFactory.create(ControlPlaneModule.with(options), {
      logger: false,
      abortOnError: false,
    });
    return describeApi(app);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
