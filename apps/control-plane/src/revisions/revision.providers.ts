import type { Provider } from '@nestjs/common';
import { ChangeRecorder, Revisions } from '#libs/revisions';
import { ChainWatch } from '../audit/chain-watch';
import type { ControlPlaneOptions } from '../control-plane.options';
import { RecordChanges } from '../edge/record-changes';
import { Rollback } from './rollback';
import { StateWriter } from './state-writer';

/** What records changes, watches over the records, shows them and takes them back. */
export function revisionProviders(
  { store, config }: ControlPlaneOptions,
  recorder: ChangeRecorder,
): Provider[] {
  return [
    { provide: ChangeRecorder, useValue: recorder },
    { provide: Revisions, useValue: new Revisions(store, config.revisionsMaxEntries) },
    ChainWatch,
    RecordChanges,
    StateWriter,
    Rollback,
  ];
}
