import type { GatewayConfig } from '#libs/config';
import type { Logger } from '#libs/logging';
import { keys, type Store } from '#libs/store';
import { AddressPolicy } from '#libs/tenants';
import { hasOwnKeys } from '#libs/tokens';
import { DeclaredFolder } from './declared-folder';
import { declaredOver } from './declared-over';
import { followFolder } from './follow-folder';
import { declareProfiles } from './profiles/declared-profiles';

type Settings = Pick<
  GatewayConfig,
  'configDir' | 'environment' | 'allowPrivateUpstreams' | 'serviceTokens' | 'jwtSecretKey' | 'profiles'
>;

/**
 * Lays over the store what the variables of profiles declare, and what the files of CONFIG_DIR do, which are followed until
 * that is closed. Files that cannot be used are logged, never thrown.
 * @returns the store as it is where there is neither; the folder, if there is one.
 */
export function openDeclarations(
  settings: Settings,
  store: Store,
  logger: Logger,
): { store: Store; folder?: DeclaredFolder } {
  const { configDir, environment, allowPrivateUpstreams } = settings;
  const profiles = declareProfiles(settings.profiles);
  const declared = profiles ? declaredOver(store, profiles) : store;
  if (configDir === undefined) return { store: declared };
  const addresses = new AddressPolicy(allowPrivateUpstreams);
  const variables = (name: string): string | undefined => environment.value(name);
  const folder = new DeclaredFolder(
    configDir,
    { variables, addresses, ownTokens: hasOwnKeys(settings) },
    logger,
    profiles?.files,
  );
  followFolder(configDir, folder, logger);
  void store.ready().then(() => warnOfHidden(store, folder, logger));
  return { store: declaredOver(declared, folder), folder };
}

/** Says once of each tenant that the store holds another one under its id, which is not served. */
function warnOfHidden(store: Store, folder: DeclaredFolder, logger: Logger): void {
  const looked = new Set<string>();
  const look = async (key: string): Promise<void> => {
    const id = keys.tenantIdOf(key);
    const declared = id === undefined ? undefined : folder.snapshot.get(key);
    if (id === undefined || !declared || looked.has(id)) return;
    looked.add(id);
    const stored = await store.documents.get(key);
    if (stored === undefined) return;
    logger.warn({ tenantId: id, file: declared.file }, 'a stored tenant is hidden by a file of the same id');
  };
  const lookAt = (key: string): void => {
    // The store is away: nothing depends on the warning.
    look(key).catch(() => undefined);
  };
  for (const key of folder.snapshot.keys()) lookAt(key);
  folder.subscribe(lookAt);
}
